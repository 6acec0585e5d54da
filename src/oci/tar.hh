// SPDX-License-Identifier: MIT
// A Tree as a tar stream (POSIX.1-2001 pax over ustar): numeric owners, times, hard links, devices,
// extended attributes as SCHILY.xattr records; same tree, same bytes. And reading one, from
// anybody.
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tarn::oci {

using ByteSink = std::function<Result<void>(std::string_view)>;

struct TarOptions {
    std::int64_t default_mtime = 0;  // of directories that are made because a child needs them
};

// Owner names are not written: they must be numbers already.
Result<void> write_tar(const Store& store,
                       const Tree& tree,
                       const TarOptions& options,
                       const ByteSink& sink);

// "<length> <key>=<value>\n" where length counts itself.
std::string pax_record(std::string_view key, std::string_view value);

struct TarLimits {
    std::uint64_t content_bytes = 16ULL << 30;  // of all members together
    std::uint64_t members = 2'000'000;
    std::size_t path_bytes = 4096;
    std::size_t depth = 256;               // parts of a path
    std::size_t extended_bytes = 1 << 20;  // of one pax header or long name
};

// One member as it is written: paths are neither cleaned nor checked for "..".
struct TarMember {
    std::string path, link;
    char type =
        '0';  // '0' file, '1' hard link, '2' symlink, '3' '4' devices, '5' directory, '6' fifo
    std::uint32_t mode = 0;
    std::uint64_t uid = 0, gid = 0;
    std::string user, group;  // names, when the archive has them
    std::int64_t mtime = 0;
    std::uint32_t device_major = 0, device_minor = 0;
    std::map<std::string, std::string> xattrs;
    std::string_view content;  // into the archive
};

// Reads ustar, pax and GNU archives that lie uncompressed in memory. Every failure is kCorrupt and
// names the archive and the byte. Sparse files and members of several volumes are refused.
class TarReader {
  public:
    // `name` is for errors; `bytes` must outlive the reader and its members.
    TarReader(std::string_view bytes, std::string name, const TarLimits& limits = {})
        : bytes_(bytes), name_(std::move(name)), limits_(limits) {}
    // False at the end.
    Result<bool> next(TarMember& out);

  private:
    using Records = std::map<std::string, std::string, std::less<>>;
    Failure broken(std::string_view what) const;
    Result<std::string_view> extended(std::uint64_t size, std::string_view what);
    Result<void> read_pax(std::string_view text, Records& out) const;
    Result<void> apply(const Records& records, TarMember& out, std::uint64_t& size) const;
    Result<void> finish(const Records& records, TarMember& out, std::uint64_t size);

    std::string_view bytes_;
    std::string name_;
    TarLimits limits_;
    std::size_t at_ = 0;
    std::uint64_t members_ = 0, content_ = 0;
    Records global_;
};

}  // namespace tarn::oci
