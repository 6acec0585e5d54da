// SPDX-License-Identifier: MIT
#include "inspect/detail/erofs.hh"

#include "inspect/detail/content.hh"
#include "inspect/detail/erofs_volume.hh"

#include <sys/stat.h>

#include <set>

namespace tarn::inspect {
namespace {

using erofs::Inode;

constexpr std::uint64_t kDirent = 12;
constexpr std::uint64_t kMaxDirectory = 1ULL << 30;
constexpr std::size_t kMaxTarget = 4095;

struct Child {
    std::string name;
    std::uint64_t inode = 0;
};

class Reader {
  public:
    Reader(const Store& store, const Region& region, const ReadOptions& options)
        : store_(store),
          region_(region),
          options_(options),
          volume_(region),
          maker_(region.name(), options.limits) {}

    Result<Tree> tree() {
        TARN_TRY(volume_.open());
        TARN_TRY(add({}, volume_.root(), 0));
        return maker_.finish();
    }

  private:
    Result<void> add(const std::string& path, std::uint64_t number, std::size_t depth);
    Result<void> fill(TreeEntry& entry, const Inode& inode);
    Result<std::vector<Child>> children(const Inode& inode) const;
    Result<std::string> bytes(const Inode& inode, std::uint64_t limit) const;

    const Store& store_;
    const Region& region_;
    const ReadOptions& options_;
    erofs::Volume volume_;
    TreeMaker maker_;
    std::set<std::uint64_t> directories_;
    std::map<std::uint64_t, TreeEntry> linked_;
};

Result<std::string> Reader::bytes(const Inode& inode, std::uint64_t limit) const {
    if (inode.size > limit) {
        return volume_.broken("a directory or link is too long");
    }
    std::string out;
    TARN_TRY(volume_.content(inode, [&](std::string_view piece) -> Result<void> {
        out += piece;
        return {};
    }));
    return out;
}

// Blocks of [entries][names]; the first entry's name begins where the entries end.
Result<std::vector<Child>> Reader::children(const Inode& inode) const {
    const std::string all = TARN_TRY(bytes(inode, std::min(kMaxDirectory, region_.size())));
    std::vector<Child> out;
    const std::uint64_t step = volume_.block();
    for (std::uint64_t start = 0; start < all.size(); start += step) {
        const std::string_view block = std::string_view(all).substr(start, step);
        const std::size_t first = le<std::uint16_t>(block, 8);
        if (first < kDirent || first % kDirent != 0 || first > block.size()) {
            return volume_.broken("a directory makes no sense");
        }
        for (std::size_t at = 0; at < first; at += kDirent) {
            const std::size_t begin = le<std::uint16_t>(block, at + 8);
            const std::size_t end =
                at + kDirent < first ? le<std::uint16_t>(block, at + kDirent + 8) : block.size();
            if (begin < first || end < begin || end > block.size()) {
                return volume_.broken("a directory makes no sense");
            }
            std::string_view name = block.substr(begin, end - begin);
            name = name.substr(0, name.find('\0'));
            if (name == "." || name == "..") {
                continue;
            }
            if (!is_entry_name(name)) {
                return volume_.broken("a name cannot be one");
            }
            out.push_back({std::string(name), le<std::uint64_t>(block, at)});
        }
    }
    return out;
}

Result<void> Reader::fill(TreeEntry& entry, const Inode& inode) {
    switch (inode.mode & S_IFMT) {
        case S_IFREG: {
            entry.kind = EntryKind::kFile;
            TARN_TRY(maker_.admit(inode.size));
            ContentWriter writer(
                store_, is_of_interest(entry.path) && inode.size <= options_.limits.kept_bytes);
            TARN_TRY(volume_.content(inode, [&](std::string_view piece) -> Result<void> {
                writer.add(piece);
                return options_.stop.stop_requested()
                           ? Result<void>(fail(ErrorKind::kInterrupted, "stopped"))
                           : Result<void>();
            }));
            entry.content = TARN_TRY(writer.finish());
            return {};
        }
        case S_IFDIR:
            entry.kind = EntryKind::kDirectory;
            break;
        case S_IFLNK:
            entry.kind = EntryKind::kSymlink;
            entry.mode = 0777;
            entry.target = TARN_TRY(bytes(inode, kMaxTarget));
            break;
        case S_IFCHR:
        case S_IFBLK:
            entry.kind =
                (inode.mode & S_IFMT) == S_IFCHR ? EntryKind::kCharDevice : EntryKind::kBlockDevice;
            entry.device_major = inode.data >> 8U & 0xfffU;
            entry.device_minor = (inode.data & 0xffU) | (inode.data >> 12U & 0xfff00U);
            break;
        case S_IFIFO:
            entry.kind = EntryKind::kFifo;
            break;
        default:
            return volume_.broken(fmt::format("/{} is of an unknown kind", entry.path));
    }
    return maker_.admit(0);
}

Result<void> Reader::add(const std::string& path, std::uint64_t number, std::size_t depth) {
    if (const auto known = linked_.find(number); known != linked_.end()) {
        TreeEntry again = known->second;
        again.path = path;
        TARN_TRY(maker_.admit(0));
        return maker_.add(std::move(again), number);
    }
    const Inode inode = TARN_TRY(volume_.inode(number));
    TreeEntry entry;
    entry.path = path;
    entry.mode = inode.mode & 07777U;
    entry.uid = inode.uid;
    entry.gid = inode.gid;
    entry.mtime = inode.mtime;
    TARN_TRY(fill(entry, inode));
    entry.xattrs = TARN_TRY(volume_.xattrs(inode));
    if (entry.kind == EntryKind::kFile && inode.links > 1) {
        linked_.emplace(number, entry);
    }
    const bool directory = entry.kind == EntryKind::kDirectory;
    TARN_TRY(maker_.add(std::move(entry), number));
    if (!directory) {
        return path.empty() ? Result<void>(volume_.broken("its root is no directory"))
                            : Result<void>();
    }
    if (depth > options_.limits.depth || !directories_.insert(number).second) {
        return volume_.broken("directories turn round");
    }
    for (const Child& child : TARN_TRY(children(inode))) {
        TARN_TRY(add(path.empty() ? child.name : path + "/" + child.name, child.inode, depth + 1));
    }
    return {};
}

}  // namespace

Result<Tree> read_erofs(const Store& store, const Region& region, const ReadOptions& options) {
    return Reader(store, region, options).tree();
}

}  // namespace tarn::inspect
