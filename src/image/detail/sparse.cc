// SPDX-License-Identifier: MIT
#include "image/detail/sparse.hh"

#include "base/fd.hh"
#include "base/hash.hh"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tarn::image {
namespace {

constexpr std::size_t kChunk = 1 << 20;

struct Extent {
    std::uint64_t begin = 0, end = 0;
};

// The next piece of data at or after `from`; begin == size when only a hole is left.
Result<Extent> next_data(int fd, std::uint64_t from, std::uint64_t size, const std::string& path) {
    const off_t begin = lseek(fd, static_cast<off_t>(from), SEEK_DATA);
    if (begin < 0) {
        if (errno == ENXIO) {
            return Extent{size, size};
        }
        if (errno == EINVAL) {
            return Extent{from, size};  // a file system without holes
        }
        return fail(sys_error("read", path));
    }
    const off_t end = lseek(fd, begin, SEEK_HOLE);
    if (end < 0) {
        return fail(sys_error("read", path));
    }
    return Extent{std::min(static_cast<std::uint64_t>(begin), size),
                  std::min(static_cast<std::uint64_t>(end), size)};
}

Result<void> copy_range(
    int from, int to, Extent extent, std::uint64_t offset, const std::string& path) {
    off_t in = static_cast<off_t>(extent.begin);
    off_t out = static_cast<off_t>(extent.begin + offset);
    std::uint64_t left = extent.end - extent.begin;
    while (left > 0) {
        const ssize_t done = copy_file_range(from, &in, to, &out, left, 0);
        if (done > 0) {
            left -= static_cast<std::uint64_t>(done);
            continue;
        }
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0 && errno != EXDEV && errno != ENOSYS && errno != EINVAL &&
            errno != EOPNOTSUPP) {
            return fail(sys_error("copy", path));
        }
        const std::size_t piece = std::min<std::uint64_t>(left, kChunk);
        const auto at = static_cast<std::uint64_t>(in);
        const std::string bytes = TARN_TRY(pread_exact(from, at, piece, path));
        TARN_TRY(pwrite_all(to, bytes, at + offset, path));
        in += static_cast<off_t>(piece);
        out += static_cast<off_t>(piece);
        left -= piece;
    }
    return {};
}

std::string finish_hex(EVP_MD_CTX* context) {
    std::string raw(32, '\0');
    TARN_CHECK(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(raw.data()), nullptr) ==
               1);
    return to_hex(raw);
}

}  // namespace

Result<void> copy_sparse(int from, int to, std::uint64_t size, const std::string& path) {
    if (ioctl(to, FICLONE, from) == 0) {
        return {};
    }
    if (ftruncate(to, static_cast<off_t>(size)) != 0) {
        return fail(sys_error("write", path));
    }
    return copy_sparse_at(from, to, size, 0, path);
}

Result<void> copy_sparse_at(
    int from, int to, std::uint64_t size, std::uint64_t offset, const std::string& path) {
    for (std::uint64_t at = 0; at < size;) {
        const Extent extent = TARN_TRY(next_data(from, at, size, path));
        if (extent.begin >= size) {
            break;
        }
        TARN_TRY(copy_range(from, to, extent, offset, path));
        at = extent.end;
    }
    return {};
}

void start_writing(int fd) {
    static_cast<void>(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
}

SparseHash::SparseHash(int fd, std::string path, std::stop_token stop)
    : fd_(fd), path_(std::move(path)), stop_(std::move(stop)), context_(EVP_MD_CTX_new()) {
    TARN_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

Result<void> SparseHash::advance(std::uint64_t end) {
    const std::string zeros(kChunk, '\0');
    std::string buffer;
    Extent data{at_, at_};
    while (at_ < end) {
        if (stop_.stop_requested()) {
            return fail(ErrorKind::kInterrupted, "interrupted");
        }
        if (at_ >= data.end) {
            data = TARN_TRY(next_data(fd_, at_, end, path_));
        }
        const bool hole = at_ < data.begin;
        const std::uint64_t until = hole ? data.begin : std::max(data.end, at_ + 1);
        const std::size_t piece = std::min<std::uint64_t>(until - at_, kChunk);
        if (!hole) {
            buffer = TARN_TRY(pread_exact(fd_, at_, piece, path_));
        }
        const char* bytes = hole ? zeros.data() : buffer.data();
        TARN_CHECK(EVP_DigestUpdate(context_.get(), bytes, piece) == 1);
        at_ += piece;
    }
    return {};
}

Result<FileSums> SparseHash::finish(std::uint64_t size, std::string_view extension) {
    TARN_TRY(advance(size));
    const std::unique_ptr<EVP_MD_CTX, Free> extended(EVP_MD_CTX_new());
    TARN_CHECK(extended && EVP_MD_CTX_copy_ex(extended.get(), context_.get()) == 1);
    TARN_CHECK(EVP_DigestUpdate(extended.get(), extension.data(), extension.size()) == 1);
    FileSums sums;
    sums.sha256 = finish_hex(context_.get());
    sums.sha256_extended = finish_hex(extended.get());
    return sums;
}

}  // namespace tarn::image
