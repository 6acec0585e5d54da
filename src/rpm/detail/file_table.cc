// SPDX-License-Identifier: MIT
#include "rpm/detail/file_table.hh"

#include "rpm/capabilities.hh"

#include <rpm/rpmfiles.h>
#include <sys/stat.h>

#include <limits>
#include <map>
#include <unordered_map>

namespace tarn::rpm {

namespace {

constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kDigestSha256 = 8;  // RFC 4880, 9.4
// rpm compares everything it can; of a ghost only what it does not write itself.
constexpr std::uint32_t kVerifyAll = 0xffffffff;
constexpr std::uint32_t kVerifyGhost =
    ~std::uint32_t{RPMVERIFY_FILEDIGEST | RPMVERIFY_FILESIZE | RPMVERIFY_LINKTO | RPMVERIFY_MTIME};

std::uint32_t kind_bits(EntryKind kind) {
    switch (kind) {
        case EntryKind::kFile:
            return S_IFREG;
        case EntryKind::kDirectory:
            return S_IFDIR;
        case EntryKind::kSymlink:
            return S_IFLNK;
        case EntryKind::kCharDevice:
            return S_IFCHR;
        case EntryKind::kBlockDevice:
            return S_IFBLK;
        case EntryKind::kFifo:
            return S_IFIFO;
    }
    return 0;
}

Result<void> check_row(const TreeEntry& entry) {
    if ((entry.user.empty() && entry.uid != 0) || (entry.group.empty() && entry.gid != 0)) {
        return fail(error(ErrorKind::kFailed,
                          "/{} belongs to {}:{}, which has no name",
                          entry.path,
                          entry.uid,
                          entry.gid)
                        .advise("an RPM package names owners: declare the user and the group"));
    }
    if (entry.mtime < 0 || entry.mtime > std::int64_t{kMax32}) {
        return fail(ErrorKind::kFailed,
                    "/{} has a time that an RPM package cannot hold: {}",
                    entry.path,
                    entry.mtime);
    }
    if (entry.device_major > 0xff || entry.device_minor > 0xff) {
        return fail(ErrorKind::kFailed,
                    "/{} has a device number that an RPM package cannot hold",
                    entry.path);
    }
    for (const auto& [name, value] : entry.xattrs) {
        if (name != kCapabilityAttribute) {
            return fail(ErrorKind::kFailed,
                        "/{} has the extended attribute {}, which an RPM package cannot hold",
                        entry.path,
                        name);
        }
    }
    return {};
}

struct Split {
    std::string directory, name;  // "/usr/bin/", "bash"
};

Split split_path(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) {
        return {"/", path};
    }
    return {"/" + path.substr(0, slash + 1), path.substr(slash + 1)};
}

void put_names(HeaderValue& header, const FileTable& table) {
    std::vector<std::string> names, directories;
    std::vector<std::uint32_t> indexes;
    std::unordered_map<std::string, std::uint32_t> known;
    for (const TableRow& row : table.rows) {
        Split split = split_path(row.entry->path);
        const auto [place, is_new] =
            known.emplace(split.directory, static_cast<std::uint32_t>(directories.size()));
        if (is_new) {
            directories.push_back(std::move(split.directory));
        }
        indexes.push_back(place->second);
        names.push_back(std::move(split.name));
    }
    header.put_strings(RPMTAG_BASENAMES, names);
    header.put_u32(RPMTAG_DIRINDEXES, indexes);
    header.put_strings(RPMTAG_DIRNAMES, directories);
}

void put_sizes(HeaderValue& header, const FileTable& table) {
    std::vector<std::uint64_t> sizes;
    for (const TableRow& row : table.rows) {
        sizes.push_back(row.size);
    }
    if (table.is_large) {
        header.put_u64(RPMTAG_LONGFILESIZES, sizes);
        header.put_u64(RPMTAG_LONGSIZE, {table.installed_size});
        return;
    }
    header.put_u32(RPMTAG_FILESIZES, {sizes.begin(), sizes.end()});
    header.put_u32(RPMTAG_SIZE, {static_cast<std::uint32_t>(table.installed_size)});
}

}  // namespace

Result<FileTable> make_file_table(const Tree& tree,
                                  const std::vector<std::pair<std::string, std::uint32_t>>& flags) {
    const std::map<std::string_view, std::uint32_t> flag_of(flags.begin(), flags.end());
    FileTable table;
    std::unordered_map<std::string_view, std::size_t> row_of;
    std::unordered_map<std::size_t, std::vector<std::size_t>> links_of;  // first row -> others
    for (const TreeEntry& entry : tree.entries()) {
        TARN_TRY(check_row(entry));
        TableRow row;
        row.entry = &entry;
        const auto flag = flag_of.find(entry.path);
        row.flags = flag == flag_of.end() ? 0 : flag->second;
        row.mode = kind_bits(entry.kind) | entry.mode;
        row.inode = static_cast<std::uint32_t>(table.rows.size() + 1);
        if (entry.kind == EntryKind::kFile) {
            row.size = entry.content.size;
        } else if (entry.kind == EntryKind::kSymlink) {
            row.size = entry.target.size();
        }
        if (!entry.hardlink.empty()) {
            const auto first = row_of.find(entry.hardlink);
            TARN_CHECK(first != row_of.end());  // Tree::make sees to it
            row.inode = table.rows[first->second].inode;
            links_of[first->second].push_back(table.rows.size());
        } else {
            table.installed_size += row.size;
        }
        table.has_capabilities |= entry.xattrs.contains(std::string(kCapabilityAttribute));
        table.is_large |= row.size > kMax32;
        row_of.emplace(entry.path, table.rows.size());
        table.rows.push_back(row);
    }
    for (auto& [first, others] : links_of) {
        others.insert(others.begin(), first);
        for (const std::size_t index : others) {
            table.rows[index].links = static_cast<std::uint32_t>(others.size());
            table.rows[index].last_link = index == others.back();
        }
    }
    table.is_large |= table.installed_size > kMax32;
    return table;
}

Result<void> put_files(HeaderValue& header, const FileTable& table) {
    if (table.rows.empty()) {
        header.put_u32(RPMTAG_SIZE, {0});
        return {};
    }
    std::vector<std::uint16_t> modes, rdevs;
    std::vector<std::uint32_t> times, flags, verify, devices, inodes;
    std::vector<std::string> digests, links, users, groups, languages, capabilities;
    for (const TableRow& row : table.rows) {
        const TreeEntry& entry = *row.entry;
        const bool ghost = (row.flags & kFileGhost) != 0;
        modes.push_back(static_cast<std::uint16_t>(row.mode));
        rdevs.push_back(static_cast<std::uint16_t>(entry.device_major << 8U | entry.device_minor));
        times.push_back(static_cast<std::uint32_t>(entry.mtime));
        flags.push_back(row.flags);
        verify.push_back(ghost ? kVerifyGhost : kVerifyAll);
        devices.push_back(1);
        inodes.push_back(row.inode);
        digests.push_back(entry.kind == EntryKind::kFile && !ghost ? entry.content.hex() : "");
        links.push_back(entry.target);
        users.push_back(entry.user.empty() ? "root" : entry.user);
        groups.push_back(entry.group.empty() ? "root" : entry.group);
        languages.emplace_back();
        const auto attribute = entry.xattrs.find(std::string(kCapabilityAttribute));
        capabilities.push_back(attribute == entry.xattrs.end()
                                   ? std::string()
                                   : TARN_TRY(capabilities_to_text(attribute->second)));
    }
    put_sizes(header, table);
    header.put_u16(RPMTAG_FILEMODES, modes);
    header.put_u16(RPMTAG_FILERDEVS, rdevs);
    header.put_u32(RPMTAG_FILEMTIMES, times);
    header.put_strings(RPMTAG_FILEDIGESTS, digests);
    header.put_strings(RPMTAG_FILELINKTOS, links);
    header.put_u32(RPMTAG_FILEFLAGS, flags);
    header.put_strings(RPMTAG_FILEUSERNAME, users);
    header.put_strings(RPMTAG_FILEGROUPNAME, groups);
    header.put_u32(RPMTAG_FILEVERIFYFLAGS, verify);
    header.put_u32(RPMTAG_FILEDEVICES, devices);
    header.put_u32(RPMTAG_FILEINODES, inodes);
    header.put_strings(RPMTAG_FILELANGS, languages);
    put_names(header, table);
    if (table.has_capabilities) {
        header.put_strings(RPMTAG_FILECAPS, capabilities);
    }
    header.put_u32(RPMTAG_FILEDIGESTALGO, {kDigestSha256});
    return {};
}

}  // namespace tarn::rpm
