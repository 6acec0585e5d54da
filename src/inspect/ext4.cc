// SPDX-License-Identifier: MIT
#include "inspect/detail/ext4.hh"

#include "inspect/detail/content.hh"

// Its inline functions convert signs as C does.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#include <ext2fs/ext2fs.h>
#pragma GCC diagnostic pop

#include <sys/stat.h>

#include <memory>
#include <set>
#include <type_traits>

namespace tarn::inspect {
namespace {

struct CloseFilesystem {
    void operator()(ext2_filsys fs) const { ext2fs_close_free(&fs); }
};
struct CloseFile {
    void operator()(ext2_file_t file) const { ext2fs_file_close(file); }
};
struct CloseXattrs {
    void operator()(ext2_xattr_handle* handle) const { ext2fs_xattrs_close(&handle); }
};
using Filesystem = std::unique_ptr<std::remove_pointer_t<ext2_filsys>, CloseFilesystem>;
using File = std::unique_ptr<std::remove_pointer_t<ext2_file_t>, CloseFile>;
using Xattrs = std::unique_ptr<ext2_xattr_handle, CloseXattrs>;

constexpr std::size_t kPiece = 1 << 20;
constexpr std::size_t kMaxChildren = 1'000'000;
constexpr std::size_t kMaxTarget = 4095;

struct Child {
    std::string name;
    ext2_ino_t inode = 0;
};

struct Listing {
    std::vector<Child> children;
    bool bad = false;
};

int collect_child(ext2_ino_t, int, ext2_dir_entry* entry, int, int, char*, void* data) noexcept {
    auto* out = static_cast<Listing*>(data);
    const auto size = static_cast<std::size_t>(ext2fs_dirent_name_len(entry));
    const std::string_view name(entry->name, size);
    if (name == "." || name == "..") {
        return 0;
    }
    if (!is_entry_name(name) || out->children.size() >= kMaxChildren) {
        out->bad = true;
        return DIRENT_ABORT;
    }
    out->children.push_back({std::string(name), entry->inode});
    return 0;
}

int collect_xattr(char* name, char* value, size_t size, void* data) noexcept {
    auto* out = static_cast<std::map<std::string, std::string>*>(data);
    (*out)[name] = std::string(value, size);
    return 0;
}

// An inode of 256 bytes, as read_inode_full fills it.
union WholeInode {
    ext2_inode_large inode;
    char bytes[256];
};

class Reader {
  public:
    Reader(const Store& store, std::string name, const ReadOptions& options)
        : store_(store), name_(std::move(name)), options_(options), maker_(name_, options.limits) {}
    Result<void> open(const std::string& path, std::uint64_t offset);
    Result<Tree> tree();

  private:
    Failure broken(const std::string& where, errcode_t code) const {
        return fail(ErrorKind::kCorrupt, "{}: /{}: {}", name_, where, error_message(code));
    }
    Result<void> walk(const std::string& path, ext2_ino_t number, std::size_t depth);
    Result<TreeEntry> entry_of(const std::string& path, ext2_ino_t number);
    Result<void> fill(TreeEntry& entry, ext2_ino_t number, WholeInode& whole);
    Result<Digest> content(const TreeEntry& entry, ext2_ino_t number, ext2_inode* inode);
    Result<std::string> target(const std::string& path, ext2_ino_t number, ext2_inode* inode);
    Result<void> xattrs(TreeEntry& entry, ext2_ino_t number);

    const Store& store_;
    std::string name_;
    const ReadOptions& options_;
    TreeMaker maker_;
    Filesystem fs_;
    std::set<ext2_ino_t> directories_;  // a directory that is met again is a loop
    std::map<ext2_ino_t, TreeEntry> linked_;
    std::string buffer_ = std::string(kPiece, '\0');
};

Result<void> Reader::open(const std::string& path, std::uint64_t offset) {
    initialize_ext2_error_table();
    ext2_filsys raw = nullptr;
    const std::string where = fmt::format("offset={}", offset);
    const errcode_t code =
        ext2fs_open2(path.c_str(), where.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &raw);
    if (code != 0) {
        return fail(ErrorKind::kCorrupt,
                    "{}: the ext4 file system cannot be read: {}",
                    name_,
                    error_message(code));
    }
    fs_.reset(raw);
    return {};
}

Result<Digest> Reader::content(const TreeEntry& entry, ext2_ino_t number, ext2_inode* inode) {
    ext2_file_t raw = nullptr;
    if (const errcode_t code = ext2fs_file_open2(fs_.get(), number, inode, 0, &raw)) {
        return broken(entry.path, code);
    }
    const File file(raw);
    const std::uint64_t size = EXT2_I_SIZE(inode);
    ContentWriter writer(store_, is_of_interest(entry.path) && size <= options_.limits.kept_bytes);
    for (std::uint64_t done = 0; done < size;) {
        unsigned got = 0;
        if (const errcode_t code =
                ext2fs_file_read(raw, buffer_.data(), static_cast<unsigned>(kPiece), &got)) {
            return broken(entry.path, code);
        }
        if (got == 0 || options_.stop.stop_requested()) {
            return fail(got == 0 ? ErrorKind::kCorrupt : ErrorKind::kInterrupted,
                        "{}: /{} ends early",
                        name_,
                        entry.path);
        }
        writer.add({buffer_.data(), got});
        done += got;
    }
    return writer.finish();
}

Result<std::string> Reader::target(const std::string& path, ext2_ino_t number, ext2_inode* inode) {
    const std::uint64_t size = EXT2_I_SIZE(inode);
    if (size == 0 || size > kMaxTarget) {
        return fail(ErrorKind::kCorrupt, "{}: /{} is a link of {} bytes", name_, path, size);
    }
    if (ext2fs_is_fast_symlink(inode) != 0) {
        return std::string(reinterpret_cast<const char*>(inode->i_block),
                           std::min<std::size_t>(size, sizeof inode->i_block));
    }
    ext2_file_t raw = nullptr;
    if (const errcode_t code = ext2fs_file_open2(fs_.get(), number, inode, 0, &raw)) {
        return broken(path, code);
    }
    const File file(raw);
    std::string out(size, '\0');
    unsigned got = 0;
    if (const errcode_t code =
            ext2fs_file_read(raw, out.data(), static_cast<unsigned>(size), &got)) {
        return broken(path, code);
    }
    out.resize(got);
    return out;
}

Result<void> Reader::xattrs(TreeEntry& entry, ext2_ino_t number) {
    ext2_xattr_handle* raw = nullptr;
    if (const errcode_t code = ext2fs_xattrs_open(fs_.get(), number, &raw)) {
        return broken(entry.path, code);
    }
    const Xattrs handle(raw);
    errcode_t code = ext2fs_xattrs_read(raw);
    if (code == 0) {
        code = ext2fs_xattrs_iterate(raw, collect_xattr, &entry.xattrs);
    }
    if (code != 0) {
        return broken(entry.path, code);
    }
    entry.xattrs.erase("system.data");  // contents that lie in the inode
    return {};
}

Result<void> Reader::fill(TreeEntry& entry, ext2_ino_t number, WholeInode& whole) {
    auto* inode = reinterpret_cast<ext2_inode*>(whole.bytes);
    switch (inode->i_mode & S_IFMT) {
        case S_IFREG:
            entry.kind = EntryKind::kFile;
            TARN_TRY(maker_.admit(EXT2_I_SIZE(inode)));
            entry.content = TARN_TRY(content(entry, number, inode));
            return {};
        case S_IFDIR:
            entry.kind = EntryKind::kDirectory;
            break;
        case S_IFLNK:
            entry.kind = EntryKind::kSymlink;
            entry.mode = 0777;
            entry.target = TARN_TRY(target(entry.path, number, inode));
            break;
        case S_IFCHR:
        case S_IFBLK: {
            entry.kind = (inode->i_mode & S_IFMT) == S_IFCHR ? EntryKind::kCharDevice
                                                             : EntryKind::kBlockDevice;
            const std::uint32_t old = inode->i_block[0];
            const std::uint32_t wide = inode->i_block[1];
            entry.device_major = old != 0 ? old >> 8U & 0xffU : wide >> 8U & 0xfffU;
            entry.device_minor = old != 0 ? old & 0xffU : (wide & 0xffU) | (wide >> 12U & 0xfff00U);
            break;
        }
        case S_IFIFO:
            entry.kind = EntryKind::kFifo;
            break;
        default:
            return fail(ErrorKind::kCorrupt, "{}: /{} is of an unknown kind", name_, entry.path);
    }
    return maker_.admit(0);
}

Result<TreeEntry> Reader::entry_of(const std::string& path, ext2_ino_t number) {
    if (const auto known = linked_.find(number); known != linked_.end()) {
        TreeEntry again = known->second;
        again.path = path;
        TARN_TRY(maker_.admit(0));
        return again;
    }
    WholeInode whole{};
    auto* inode = reinterpret_cast<ext2_inode*>(whole.bytes);
    if (const errcode_t code =
            ext2fs_read_inode_full(fs_.get(), number, inode, sizeof whole.bytes)) {
        return broken(path, code);
    }
    TreeEntry entry;
    entry.path = path;
    entry.mode = inode->i_mode & 07777U;
    entry.uid = static_cast<std::uint32_t>(inode_uid(*inode));
    entry.gid = static_cast<std::uint32_t>(inode_gid(*inode));
    const std::uint32_t extra =
        EXT2_INODE_SIZE(fs_->super) > EXT2_GOOD_OLD_INODE_SIZE && whole.inode.i_extra_isize >= 12
            ? whole.inode.i_mtime_extra
            : 0;
    entry.mtime = static_cast<std::int32_t>(inode->i_mtime);
    entry.mtime += static_cast<std::int64_t>(extra & 3U) << 32U;
    TARN_TRY(fill(entry, number, whole));
    TARN_TRY(xattrs(entry, number));
    if (entry.kind == EntryKind::kFile && inode->i_links_count > 1) {
        linked_.emplace(number, entry);
    }
    return entry;
}

Result<void> Reader::walk(const std::string& path, ext2_ino_t number, std::size_t depth) {
    if (depth > options_.limits.depth || !directories_.insert(number).second) {
        return fail(ErrorKind::kCorrupt, "{}: /{}: directories turn round", name_, path);
    }
    Listing listing;
    if (const errcode_t code =
            ext2fs_dir_iterate2(fs_.get(), number, 0, nullptr, collect_child, &listing)) {
        return broken(path, code);
    }
    if (listing.bad) {
        return fail(ErrorKind::kCorrupt, "{}: /{} has a name that cannot be one", name_, path);
    }
    for (const Child& child : listing.children) {
        const std::string where = path.empty() ? child.name : path + "/" + child.name;
        TreeEntry entry = TARN_TRY(entry_of(where, child.inode));
        const std::size_t before = maker_.size();
        if (entry.kind == EntryKind::kDirectory) {
            TARN_TRY(walk(where, child.inode, depth + 1));
        }
        // One with a label is of the image: its maker labelled it.
        if (where != "lost+found" || maker_.size() != before || !entry.xattrs.empty()) {
            TARN_TRY(maker_.add(std::move(entry), child.inode));
        }
    }
    return {};
}

Result<Tree> Reader::tree() {
    TreeEntry root = TARN_TRY(entry_of({}, EXT2_ROOT_INO));
    if (root.kind != EntryKind::kDirectory) {
        return fail(ErrorKind::kCorrupt, "{}: its root is no directory", name_);
    }
    TARN_TRY(maker_.add(std::move(root), EXT2_ROOT_INO));
    TARN_TRY(walk({}, EXT2_ROOT_INO, 0));
    return maker_.finish();
}

}  // namespace

Result<Tree> read_ext4(const Store& store,
                       const std::string& path,
                       std::uint64_t offset,
                       const ReadOptions& options) {
    Reader reader(store, path, options);
    TARN_TRY(reader.open(path, offset));
    return reader.tree();
}

}  // namespace tarn::inspect
