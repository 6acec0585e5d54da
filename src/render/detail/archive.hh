// SPDX-License-Identifier: MIT
// Source archives in memory: read with limits, changed, written again so that equal contents give
// equal bytes.
#pragma once

#include "base/compress.hh"
#include "base/result.hh"
#include "store/tree.hh"

#include <map>
#include <string>
#include <string_view>

namespace tarn::overlay {

struct ArchiveMember {
    EntryKind kind = EntryKind::kFile;  // a file, directory or symlink
    std::uint32_t mode = 0;             // 0777
    std::string bytes{};
    std::string target{};
};

// Paths are compared part by part, so that "a/b" comes before "a.b".
struct ByParts {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
};

struct Archive {
    Compression compression = Compression::kNone;
    std::map<std::string, ArchiveMember, ByParts> members{};  // no "." or "..", no trailing "/"

    // "jq-1.7/" when everything lies in one directory, else "".
    std::string top() const;
};

// .tar .tar.gz .tgz .tar.xz .txz .tar.zst .tzst
bool is_archive_name(std::string_view name);

// Compression by magic. kCorrupt for damage, what leaves the archive, links to other members,
// devices and anything beyond the limits: 2 GiB unpacked, 500,000 members, 4096 bytes of path.
Result<Archive> read_archive(std::string_view bytes,
                             const std::string& name,
                             std::uint64_t unpacked_limit = 2ULL << 30);

// GNU tar: members in order, owner 0:0 without names, time 0; gzip at level 9 without name and
// time.
Result<std::string> write_archive(const Archive& archive);

}  // namespace tarn::overlay
