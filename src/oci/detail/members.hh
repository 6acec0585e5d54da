// SPDX-License-Identifier: MIT
// The files of an image layout, whether they lie in a directory or in a tar.
#pragma once

#include "base/fs.hh"
#include "oci/oci.hh"

#include <deque>

namespace tarn::oci::detail {

class Members {
  public:
    static Result<Members> open(const std::string& path, const ReadLimits& limits);

    bool has(std::string_view name) const;
    // kCorrupt when it is not there or larger than `limit`. Good as long as this object.
    Result<std::string_view> bytes(std::string_view name, std::uint64_t limit);
    // The blob, its size and hash verified.
    Result<std::string_view> blob(const Digest& digest, std::uint64_t limit);
    const std::string& path() const { return path_; }

  private:
    Result<void> index_archive(const ReadLimits& limits);

    std::string path_;
    bool directory_ = false;
    std::deque<MemoryMap> maps_;
    std::string unpacked_;
    std::map<std::string, std::string_view, std::less<>> members_;
    std::map<std::string, std::string, std::less<>> links_;
};

}  // namespace tarn::oci::detail
