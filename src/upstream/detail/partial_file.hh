// SPDX-License-Identifier: MIT
// What has come of a download so far, with its running hash. Known digests have a fixed name, so
// that the next run finds it; a lock keeps two processes from writing one file.
#pragma once

#include "base/fd.hh"
#include "base/hash.hh"
#include "store/store.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::upstream {

class PartialFile {
  public:
    static Result<PartialFile> open(const Store& store, const std::optional<Digest>& expected);
    PartialFile(PartialFile&& other) noexcept = default;
    PartialFile& operator=(PartialFile&&) = delete;
    ~PartialFile();

    std::uint64_t size() const { return size_; }
    Result<void> append(std::string_view bytes);
    Result<void> restart();  // forgets what came
    // The digest of all that came; further bytes are not to be appended.
    Digest finish();
    // Gives the file to the store.
    Result<void> adopt(const Store& store, const Digest& digest);
    void remove();

  private:
    PartialFile(std::string path, Fd fd, bool keep)
        : path_(std::move(path)), fd_(std::move(fd)), keep_(keep) {}
    Result<void> hash_existing();

    std::string path_;  // empty once adopted or removed
    Fd fd_;
    bool keep_;
    std::uint64_t size_ = 0;
    Hasher hasher_{};
};

}  // namespace tarn::upstream
