// SPDX-License-Identifier: MIT
#include "upstream/detail/partial_file.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

namespace tarn::upstream {
namespace {

constexpr std::size_t kChunk = 1 << 20;

// The lock is on the inode: another process may have renamed it into the store meanwhile.
bool still_named(const Fd& fd, const std::string& path) {
    struct stat open_file{};
    struct stat named{};
    return fstat(fd.get(), &open_file) == 0 && stat(path.c_str(), &named) == 0 &&
           open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

}  // namespace

Result<PartialFile> PartialFile::open(const Store& store, const std::optional<Digest>& expected) {
    const std::string directory = store.temporary_directory();
    if (expected) {
        const std::string path = join_path(directory, "partial-" + expected->hex());
        Fd fd = TARN_TRY(open_file(path, O_RDWR | O_CREAT, 0600));
        if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0 && still_named(fd, path)) {
            PartialFile file(path, std::move(fd), true);
            TARN_TRY(file.hash_existing());
            if (file.size_ > expected->size) {
                TARN_TRY(file.restart());
            }
            return file;
        }
    }
    std::string name = join_path(directory, "fetch-XXXXXX");
    Fd fd(mkostemp(name.data(), O_CLOEXEC));
    if (!fd) {
        return fail(sys_error("create", name));
    }
    return PartialFile(std::move(name), std::move(fd), false);
}

PartialFile::~PartialFile() {
    if (!keep_ || size_ == 0) {
        remove();
    }
}

Result<void> PartialFile::hash_existing() {
    std::vector<char> buffer(kChunk);
    for (;;) {
        const ssize_t got = read(fd_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(sys_error("read", path_));
        }
        if (got == 0) {
            return {};
        }
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
        hasher_.update(bytes);
        size_ += bytes.size();
    }
}

Result<void> PartialFile::append(std::string_view bytes) {
    TARN_TRY(write_all(fd_.get(), bytes, path_));
    hasher_.update(bytes);
    size_ += bytes.size();
    return {};
}

Result<void> PartialFile::restart() {
    if (ftruncate(fd_.get(), 0) != 0 || lseek(fd_.get(), 0, SEEK_SET) != 0) {
        return fail(sys_error("truncate", path_));
    }
    hasher_ = Hasher();
    size_ = 0;
    return {};
}

Digest PartialFile::finish() {
    return Digest{hasher_.finish(), size_};
}

Result<void> PartialFile::adopt(const Store& store, const Digest& digest) {
    TARN_TRY(store.adopt(path_, digest));
    path_.clear();
    return {};
}

void PartialFile::remove() {
    if (!path_.empty()) {
        unlink(path_.c_str());
        path_.clear();
    }
}

}  // namespace tarn::upstream
