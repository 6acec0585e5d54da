// SPDX-License-Identifier: MIT
// Large files that are mostly holes: copied and hashed by their data alone.
#pragma once

#include "base/result.hh"

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

namespace tarn::image {

// Makes `to` (an open, empty file) equal to `from`, sharing blocks where the file system can.
Result<void> copy_sparse(int from, int to, std::uint64_t size, const std::string& path);
// The same into a hole of `to` that begins at `offset`.
Result<void> copy_sparse_at(
    int from, int to, std::uint64_t size, std::uint64_t offset, const std::string& path);

// Tells the kernel to write the file out, and does not wait: what is to be durable later takes less
// time then.
void start_writing(int fd);

struct FileSums {
    std::string sha256;           // of the first `size` bytes
    std::string sha256_extended;  // of those followed by `extension`
};
// Hashes a file from its start as far as it is final; holes are not read.
class SparseHash {
  public:
    SparseHash(int fd, std::string path, std::stop_token stop);
    // Takes in what lies before `end` and has not been taken yet.
    Result<void> advance(std::uint64_t end);
    Result<FileSums> finish(std::uint64_t size, std::string_view extension);

  private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    int fd_;
    std::string path_;
    std::stop_token stop_;
    std::unique_ptr<EVP_MD_CTX, Free> context_;
    std::uint64_t at_ = 0;
};

}  // namespace tarn::image
