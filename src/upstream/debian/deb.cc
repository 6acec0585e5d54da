// SPDX-License-Identifier: MIT
#include "upstream/debian/deb.hh"

#include "base/fs.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "upstream/debian/detail/tar.hh"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace tarn::debian {
namespace {

using detail::TarReader;

// ---- ar ---------------------------------------------------------------------------------------

constexpr std::string_view kArMagic = "!<arch>\n";
constexpr std::size_t kArHeader = 60;

struct Members {
    std::string_view control, data;
    std::string control_name, data_name;
};

class ArReader {
  public:
    ArReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

    Result<Members> run() {
        if (!bytes_.starts_with(kArMagic)) {
            return bad("not a Debian package (no ar archive)");
        }
        bytes_.remove_prefix(kArMagic.size());
        Members members;
        for (std::size_t count = 0; !bytes_.empty(); ++count) {
            std::string member;
            const std::string_view content = TARN_TRY(next(member));
            if (count == 0) {
                if (member != "debian-binary" || !content.starts_with("2.")) {
                    return bad("not a Debian package of format 2");
                }
            } else if (member.starts_with("control.tar")) {
                TARN_TRY(once(members.control_name, member));
                members.control = content;
            } else if (member.starts_with("data.tar")) {
                TARN_TRY(once(members.data_name, member));
                members.data = content;
            }
            // deb(5): members after these, and those whose name begins with "_", are to be ignored.
        }
        if (members.control_name.empty() || members.data_name.empty()) {
            return bad("truncated: no control.tar or no data.tar");
        }
        return members;
    }

  private:
    Failure bad(std::string_view what) const {
        return fail(ErrorKind::kCorrupt, "{}: {}", name_, what);
    }

    Result<void> once(std::string& slot, const std::string& member) const {
        if (!slot.empty()) {
            return bad(fmt::format("{} is there twice", member));
        }
        slot = member;
        return {};
    }

    Result<std::string_view> next(std::string& member) {
        if (bytes_.size() < kArHeader || bytes_.substr(58, 2) != "`\n") {
            return bad("truncated or damaged: no ar header where one belongs");
        }
        member = trim(bytes_.substr(0, 16));
        if (member.ends_with('/')) {
            member.pop_back();
        }
        const auto size = parse_u64(trim(bytes_.substr(48, 10)));
        bytes_.remove_prefix(kArHeader);
        if (!size || *size > bytes_.size()) {
            return bad(fmt::format("truncated: {} ends early", member));
        }
        const auto length = static_cast<std::size_t>(*size);
        const std::string_view content = bytes_.substr(0, length);
        bytes_.remove_prefix(std::min(length + length % 2, bytes_.size()));
        return content;
    }

    std::string_view bytes_;
    const std::string& name_;
};

// "./usr/bin/" -> "usr/bin"; nullopt when unsafe, "" for the root.
std::optional<std::string> inner_path(std::string_view path) {
    while (path.starts_with("./")) {
        path.remove_prefix(2);
    }
    while (path.size() > 1 && path.ends_with('/')) {
        path.remove_suffix(1);
    }
    if (path.empty() || path == ".") {
        return std::string();
    }
    return safe_relative_path(path, Absolute::kRefuse);
}

// ---- control.tar ------------------------------------------------------------------------------

constexpr std::array<std::string_view, 6> kScripts = {
    "preinst", "postinst", "prerm", "postrm", "config", "triggers"};

Result<void> take_control_file(DebPackage& package,
                               const std::string& path,
                               std::string text,
                               const std::string& name) {
    if (std::find(kScripts.begin(), kScripts.end(), path) != kScripts.end()) {
        package.scripts[path] = std::move(text);
    } else if (path == "md5sums") {
        package.md5sums = std::move(text);
    } else if (path == "conffiles") {
        for (const std::string_view line : split_lines(text)) {
            // "remove-on-upgrade <path>" names what the package no longer has.
            if (line.starts_with('/')) {
                package.conffiles.emplace_back(trim(line));
            }
        }
    } else if (path == "control") {
        TARN_TRY(parse_control(text, name + ": control", [&](Stanza&& stanza) -> Result<void> {
            if (!package.control.empty()) {
                return fail(ErrorKind::kCorrupt, "{}: control has two paragraphs", name);
            }
            package.control = std::move(stanza);
            return {};
        }));
    }
    return {};
}

Result<void> read_control(TarReader& tar, DebPackage& package, const std::string& name) {
    std::map<std::string, bool> seen;
    while (archive_entry* const entry = TARN_TRY(tar.next())) {
        const auto path = inner_path(detail::entry_path(entry));
        if (!path) {
            return fail(ErrorKind::kCorrupt,
                        "{}: `{}` leaves the package; refused",
                        tar.name(),
                        detail::entry_path(entry));
        }
        if (archive_entry_filetype(entry) != AE_IFREG || !detail::entry_hardlink(entry).empty()) {
            continue;
        }
        if (!seen.emplace(*path, true).second) {
            return fail(ErrorKind::kCorrupt, "{}: `{}` is there twice", tar.name(), *path);
        }
        std::string text;
        TARN_TRY(tar.content([&](std::string_view piece) -> Result<void> {
            text += piece;
            return {};
        }));
        TARN_TRY(take_control_file(package, *path, std::move(text), name));
    }
    for (const char* const field : {"Package", "Version", "Architecture"}) {
        if (!package.control.contains(field)) {
            return fail(ErrorKind::kCorrupt, "{}: control has no `{}`", name, field);
        }
    }
    return {};
}

// ---- data.tar ---------------------------------------------------------------------------------

// Contents up to this size are gathered and put at once; larger ones are written as they come.
constexpr std::uint64_t kGatherLimit = 8U << 20;

class DataReader {
  public:
    DataReader(const Store& store, TarReader& tar) : store_(store), tar_(tar) {}

    Result<Tree> run() {
        while (archive_entry* const entry = TARN_TRY(tar_.next())) {
            TARN_TRY(take(entry));
        }
        TARN_TRY(check_parents());
        settle_hardlinks();
        auto tree = Tree::make(std::move(entries_));
        if (!tree) {
            return fail(Error{ErrorKind::kCorrupt, tree.error().message}.context(tar_.name()));
        }
        return tree;
    }

  private:
    Failure refused(std::string_view path, std::string_view why) const {
        return fail(ErrorKind::kCorrupt, "{}: `{}` {}; refused", tar_.name(), path, why);
    }

    Result<void> take(archive_entry* entry) {
        const std::string written = detail::entry_path(entry);
        if (written.starts_with('/')) {
            return refused(written, "is an absolute path");
        }
        const auto path = inner_path(written);
        if (!path) {
            return refused(written, "leaves the package");
        }
        if (path->empty()) {
            return {};  // the root directory itself
        }
        if (!index_.emplace(*path, entries_.size()).second) {
            return refused(*path, "is there twice");
        }
        TreeEntry out;
        out.path = *path;
        out.mode = archive_entry_perm(entry) & 07777U;
        out.user = detail::entry_user(entry);
        out.group = detail::entry_group(entry);
        TARN_TRY(set_owner(entry, out));
        out.mtime = archive_entry_mtime(entry);
        TARN_TRY(set_kind(entry, out));
        entries_.push_back(std::move(out));
        return {};
    }

    Result<void> set_owner(archive_entry* entry, TreeEntry& out) const {
        const auto uid = archive_entry_uid(entry);
        const auto gid = archive_entry_gid(entry);
        constexpr la_int64_t kHighest = 0xfffffffe;
        if (uid < 0 || gid < 0 || uid > kHighest || gid > kHighest) {
            return refused(out.path, "has an impossible owner");
        }
        out.uid = static_cast<std::uint32_t>(uid);
        out.gid = static_cast<std::uint32_t>(gid);
        return {};
    }

    Result<void> set_kind(archive_entry* entry, TreeEntry& out) {
        const std::string hardlink = detail::entry_hardlink(entry);
        if (!hardlink.empty()) {
            return set_hardlink(hardlink, out);
        }
        switch (archive_entry_filetype(entry)) {
            case AE_IFREG:
                out.kind = EntryKind::kFile;
                out.content = TARN_TRY(store_content(entry));
                return {};
            case AE_IFDIR:
                out.kind = EntryKind::kDirectory;
                return {};
            case AE_IFLNK:
                out.kind = EntryKind::kSymlink;
                out.mode = 0777;
                out.target = detail::entry_symlink(entry);
                if (out.target.empty()) {
                    return refused(out.path, "is a symbolic link to nothing");
                }
                return {};
            case AE_IFCHR:
            case AE_IFBLK:
                return refused(out.path, "is a device node");
            default:
                return refused(out.path, "is neither file, directory nor symbolic link");
        }
    }

    // A link to an earlier file of the package: the same inode, hence the same attributes.
    Result<void> set_hardlink(const std::string& written, TreeEntry& out) {
        const auto target = inner_path(written);
        const auto found = target ? index_.find(*target) : index_.end();
        if (found == index_.end() || found->second >= entries_.size() ||
            entries_[found->second].kind != EntryKind::kFile) {
            return refused(
                out.path,
                fmt::format("is a hard link to `{}`, which is no file of the package", written));
        }
        const std::string path = std::move(out.path);
        out = entries_[found->second];
        out.path = path;
        if (out.hardlink.empty()) {
            out.hardlink = *target;
        }
        return {};
    }

    Result<Digest> store_content(archive_entry* entry) {
        const auto size =
            static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry)));
        if (size > kGatherLimit) {
            return stream_content();
        }
        buffer_.clear();
        buffer_.reserve(static_cast<std::size_t>(size));
        TARN_TRY(tar_.content([&](std::string_view piece) -> Result<void> {
            buffer_ += piece;
            return {};
        }));
        return store_.put(buffer_);
    }

    Result<Digest> stream_content() {
        std::string path = join_path(store_.temporary_directory(), "deb-XXXXXX");
        const Fd fd(mkostemp(path.data(), O_CLOEXEC));
        if (!fd) {
            return fail(sys_error("create", path));
        }
        Hasher hasher;
        std::uint64_t size = 0;
        const auto written = tar_.content([&](std::string_view piece) -> Result<void> {
            hasher.update(piece);
            size += piece.size();
            return write_all(fd.get(), piece, path);
        });
        const Digest digest{hasher.finish(), size};
        const auto adopted = written ? store_.adopt(path, digest) : written;
        if (!adopted) {
            unlink(path.c_str());
            return fail(adopted.error());
        }
        return digest;
    }

    // "lib -> /tmp" and then "lib/x": whoever writes that out would leave the tree.
    Result<void> check_parents() const {
        for (const TreeEntry& entry : entries_) {
            std::string parent = entry.path;
            for (std::size_t slash = parent.rfind('/'); slash != std::string::npos;
                 slash = parent.rfind('/')) {
                parent.resize(slash);
                const auto found = index_.find(parent);
                if (found != index_.end() &&
                    entries_[found->second].kind != EntryKind::kDirectory) {
                    return refused(entry.path,
                                   fmt::format("lies below `{}`, which is no directory", parent));
                }
            }
        }
        return {};
    }

    // A Tree wants the first path of an inode to carry it; a tar may have begun with another.
    void settle_hardlinks() {
        std::map<std::string, std::string> first;  // as the tar has it -> first by path
        for (const TreeEntry& entry : entries_) {
            if (!entry.hardlink.empty()) {
                std::string& best = first.try_emplace(entry.hardlink, entry.hardlink).first->second;
                best = std::min(best, entry.path);
            }
        }
        for (TreeEntry& entry : entries_) {
            const auto found = first.find(entry.hardlink.empty() ? entry.path : entry.hardlink);
            if (found != first.end()) {
                entry.hardlink = entry.path == found->second ? "" : found->second;
            }
        }
    }

    const Store& store_;
    TarReader& tar_;
    std::vector<TreeEntry> entries_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::string buffer_;
};

}  // namespace

Result<DebPackage> parse_deb(const Store& store,
                             std::string_view bytes,
                             const std::string& name,
                             const DebLimits& limits) {
    const Members members = TARN_TRY(ArReader(bytes, name).run());
    DebPackage package;
    TarReader control = TARN_TRY(TarReader::open(members.control,
                                                 fmt::format("{}: {}", name, members.control_name),
                                                 {limits.control_bytes, limits.entries}));
    TARN_TRY(read_control(control, package, name));
    TarReader data = TARN_TRY(TarReader::open(members.data,
                                              fmt::format("{}: {}", name, members.data_name),
                                              {limits.data_bytes, limits.entries}));
    package.data = TARN_TRY(DataReader(store, data).run());
    return package;
}

Result<DebPackage> read_deb(const Store& store, const Digest& deb, const std::string& name) {
    const MemoryMap bytes = TARN_TRY(store.map(deb));
    return parse_deb(store, bytes.bytes(), name);
}

}  // namespace tarn::debian
