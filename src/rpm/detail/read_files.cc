// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "rpm/capabilities.hh"
#include "rpm/detail/file_table.hh"

#include <sys/stat.h>

#include <map>

namespace tarn::rpm {

namespace {

constexpr std::uint64_t kDigestSha256 = 8;

// The arrays of a header, all of one length (or empty, for those that may be).
struct Arrays {
    std::vector<std::string> names, directories, digests, links, users, groups, capabilities;
    std::vector<std::uint64_t> indexes, sizes, modes, rdevs, times, flags, devices, inodes;
};

Arrays arrays_of(const HeaderValue& header) {
    Arrays arrays;
    arrays.names = header.strings(RPMTAG_BASENAMES);
    arrays.directories = header.strings(RPMTAG_DIRNAMES);
    arrays.indexes = header.numbers(RPMTAG_DIRINDEXES);
    arrays.sizes =
        header.numbers(header.has(RPMTAG_LONGFILESIZES) ? RPMTAG_LONGFILESIZES : RPMTAG_FILESIZES);
    arrays.modes = header.numbers(RPMTAG_FILEMODES);
    arrays.rdevs = header.numbers(RPMTAG_FILERDEVS);
    arrays.times = header.numbers(RPMTAG_FILEMTIMES);
    arrays.digests = header.strings(RPMTAG_FILEDIGESTS);
    arrays.links = header.strings(RPMTAG_FILELINKTOS);
    arrays.flags = header.numbers(RPMTAG_FILEFLAGS);
    arrays.users = header.strings(RPMTAG_FILEUSERNAME);
    arrays.groups = header.strings(RPMTAG_FILEGROUPNAME);
    arrays.devices = header.numbers(RPMTAG_FILEDEVICES);
    arrays.inodes = header.numbers(RPMTAG_FILEINODES);
    arrays.capabilities = header.strings(RPMTAG_FILECAPS);
    return arrays;
}

bool same_length(const Arrays& a) {
    const std::size_t count = a.names.size();
    for (const std::size_t size : {a.indexes.size(),
                                   a.sizes.size(),
                                   a.modes.size(),
                                   a.rdevs.size(),
                                   a.times.size(),
                                   a.digests.size(),
                                   a.links.size(),
                                   a.flags.size(),
                                   a.users.size(),
                                   a.groups.size(),
                                   a.devices.size(),
                                   a.inodes.size()}) {
        if (size != count) {
            return false;
        }
    }
    return a.capabilities.empty() || a.capabilities.size() == count;
}

std::optional<EntryKind> kind_of(std::uint64_t mode) {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return EntryKind::kFile;
        case S_IFDIR:
            return EntryKind::kDirectory;
        case S_IFLNK:
            return EntryKind::kSymlink;
        case S_IFCHR:
            return EntryKind::kCharDevice;
        case S_IFBLK:
            return EntryKind::kBlockDevice;
        case S_IFIFO:
            return EntryKind::kFifo;
        default:
            return std::nullopt;
    }
}

Result<std::string> path_of(const Arrays& arrays, std::size_t i, const std::string& name) {
    if (arrays.indexes[i] >= arrays.directories.size()) {
        return fail(ErrorKind::kCorrupt, "{}: the file list is malformed", name);
    }
    const std::string whole = arrays.directories[arrays.indexes[i]] + arrays.names[i];
    if (whole == "/") {
        return std::string();
    }
    auto path = safe_relative_path(whole, Absolute::kStrip);
    if (!path) {
        return fail(ErrorKind::kCorrupt, "{}: unsafe path `{}`", name, whole);
    }
    return std::move(*path);
}

Result<ReadFile> read_one(const Arrays& arrays, std::size_t i, const std::string& name) {
    ReadFile read;
    TreeEntry& entry = read.file.entry;
    entry.path = TARN_TRY(path_of(arrays, i, name));
    const auto kind = kind_of(arrays.modes[i]);
    if (!kind) {
        return fail(ErrorKind::kCorrupt, "{}: /{} is of an unknown kind", name, entry.path);
    }
    entry.kind = *kind;
    entry.mode = static_cast<std::uint32_t>(arrays.modes[i] & 07777);
    entry.user = arrays.users[i];
    entry.group = arrays.groups[i];
    entry.mtime = static_cast<std::int64_t>(arrays.times[i]);
    read.file.flags = static_cast<std::uint32_t>(arrays.flags[i]);
    read.file.digest_hex = arrays.digests[i];
    read.size = arrays.sizes[i];
    if (entry.kind == EntryKind::kSymlink) {
        entry.target = arrays.links[i];
    }
    if (entry.kind == EntryKind::kCharDevice || entry.kind == EntryKind::kBlockDevice) {
        entry.device_major = static_cast<std::uint32_t>(arrays.rdevs[i] >> 8U & 0xffU);
        entry.device_minor = static_cast<std::uint32_t>(arrays.rdevs[i] & 0xffU);
    }
    if (entry.kind == EntryKind::kFile && !read.file.digest_hex.empty()) {
        const auto digest = Digest::from_hex(read.file.digest_hex, read.size);
        if (!digest) {
            return fail(ErrorKind::kCorrupt, "{}: /{} has no SHA-256", name, entry.path);
        }
        entry.content = *digest;
    }
    if (!arrays.capabilities.empty() && !arrays.capabilities[i].empty()) {
        entry.xattrs[std::string(kCapabilityAttribute)] =
            TARN_TRY(capabilities_to_attribute(arrays.capabilities[i]));
    }
    return read;
}

// The first path of every inode is the file, later ones are links to it.
void mark_hard_links(std::vector<ReadFile>& files, const Arrays& arrays) {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> first_of;
    for (std::size_t i = 0; i < files.size(); ++i) {
        TreeEntry& entry = files[i].file.entry;
        if (entry.kind != EntryKind::kFile || (files[i].file.flags & kFileGhost) != 0) {
            continue;
        }
        const auto [first, is_new] =
            first_of.emplace(std::pair(arrays.devices[i], arrays.inodes[i]), i);
        const TreeEntry& other = files[first->second].file.entry;
        if (!is_new && other.content == entry.content && other.path < entry.path) {
            entry.hardlink = other.path;
        }
    }
}

}  // namespace

Result<std::vector<ReadFile>> read_files(const HeaderValue& header, const std::string& name) {
    const Arrays arrays = arrays_of(header);
    std::vector<ReadFile> files;
    if (arrays.names.empty()) {
        return files;
    }
    if (!same_length(arrays)) {
        return fail(ErrorKind::kCorrupt, "{}: the file list is malformed", name);
    }
    if (header.number(RPMTAG_FILEDIGESTALGO) != kDigestSha256) {
        return fail(error(ErrorKind::kCorrupt, "{}: its files have no SHA-256", name)
                        .note("packages made before rpm 4.6 are not supported"));
    }
    files.reserve(arrays.names.size());
    for (std::size_t i = 0; i < arrays.names.size(); ++i) {
        files.push_back(TARN_TRY(read_one(arrays, i, name)));
    }
    mark_hard_links(files, arrays);
    return files;
}

}  // namespace tarn::rpm
