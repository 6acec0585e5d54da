// SPDX-License-Identifier: MIT
// A blob being made: lies in the store's temporary directory until it is taken over, or is removed.
#pragma once

#include "base/fd.hh"
#include "store/store.hh"

#include <string>

namespace tarn::rpm {

class TemporaryFile {
  public:
    static Result<TemporaryFile> make(const Store& store);
    TemporaryFile(TemporaryFile&& other) noexcept
        : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}
    TemporaryFile& operator=(TemporaryFile&&) = delete;
    ~TemporaryFile();

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    // Hashes the whole file and gives it to the store.
    Result<Digest> adopt(const Store& store);

  private:
    TemporaryFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    std::string path_;
    Fd fd_;
};

}  // namespace tarn::rpm
