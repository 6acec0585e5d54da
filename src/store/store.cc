// SPDX-License-Identifier: MIT
#include "store/store.hh"

#include "base/fd.hh"
#include "base/hash.hh"
#include "store/detail/layout.hh"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace tarn {

namespace {

// Files up to this size are read whole before anything is written: most are there already.
constexpr std::size_t kSmall = 1U << 20U;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string home_directory() {
    std::string home = environment("HOME");
    if (home.starts_with('/')) {
        return home;
    }
    std::string buffer(16384, '\0');
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
        found != nullptr && found->pw_dir != nullptr && found->pw_dir[0] == '/') {
        return found->pw_dir;
    }
    return "/var/tmp";
}

// Reads up to the whole buffer; less only at the end of the file.
Result<std::size_t> read_some(int fd, std::string& buffer, const std::string& path) {
    std::size_t done = 0;
    while (done < buffer.size()) {
        const ssize_t n = ::read(fd, buffer.data() + done, buffer.size() - done);
        if (n == 0) {
            break;
        }
        if (n > 0) {
            done += static_cast<std::size_t>(n);
        } else if (errno != EINTR) {
            return fail(sys_error("read", path));
        }
    }
    return done;
}

Error corrupt_blob(const std::string& path, std::string_view what) {
    return error(ErrorKind::kCorrupt, "{}: {}", path, what)
        .advise("remove this file and run the same command again: it is made or fetched anew");
}

// Opens a blob whose size is right.
Result<Fd> open_blob(const Store& store, const Digest& digest) {
    const std::string path = store.blob_path(digest);
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return fail(ErrorKind::kNotFound, "{} is not in the store", digest.to_string());
        }
        return fail(sys_error("open", path));
    }
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) {
        return fail(sys_error("look at", path));
    }
    if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != digest.size) {
        return fail(corrupt_blob(
            path, fmt::format("has {} bytes instead of {}", info.st_size, digest.size)));
    }
    detail::touch_blob(fd.get(), info);
    return fd;
}

}  // namespace

std::string Store::default_directory() {
    std::string named = environment("TARN_STORE");
    if (!named.empty()) {
        return absolute_path(named, current_directory());
    }
    const std::string cache = environment("XDG_CACHE_HOME");
    return join_path(cache.starts_with('/') ? cache : join_path(home_directory(), ".cache"),
                     "tarn/store");
}

Result<Store> Store::open(const std::string& directory) {
    Store store(absolute_path(directory, current_directory()));
    for (const std::string_view area :
         {detail::kBlobs, detail::kExecutables, detail::kResults, detail::kRoots}) {
        TARN_TRY(make_directories(join_path(store.directory_, area)));
    }
    // Private: working copies with special modes lie in them for a while.
    for (const std::string_view area : {detail::kTemporary, detail::kFailed}) {
        TARN_TRY(make_directories(join_path(store.directory_, area), 0700));
    }
    return store;
}

std::string Store::temporary_directory() const {
    return join_path(directory_, detail::kTemporary);
}

std::string Store::blob_path(const Digest& digest) const {
    return join_path(directory_, detail::shard_of(detail::kBlobs, digest.hex()));
}

bool Store::has(const Digest& digest) const {
    return detail::refresh_blob(directory_, detail::kBlobs, digest);
}

Result<Digest> Store::put(std::string_view bytes) const {
    const Digest digest = Digest::of(bytes);
    if (has(digest)) {
        return digest;
    }
    detail::BlobWriter writer = TARN_TRY(detail::BlobWriter::create(directory_));
    TARN_TRY(writer.write(bytes));
    TARN_TRY(writer.publish(detail::kBlobs, digest.hex(), detail::kBlobMode));
    return digest;
}

Result<Digest> Store::put_file(const std::string& path) const {
    const Fd fd = TARN_TRY(open_file(path, O_RDONLY));
    return put_open_file(fd.get(), path);
}

Result<Digest> Store::put_open_file(int fd, const std::string& path) const {
    struct stat info{};
    if (::fstat(fd, &info) != 0) {
        return fail(sys_error("look at", path));
    }
    if (S_ISDIR(info.st_mode)) {
        return fail(ErrorKind::kFailed, "cannot read {}: it is a directory", path);
    }
    const bool small = S_ISREG(info.st_mode) && static_cast<std::size_t>(info.st_size) < kSmall;
    std::string buffer(small ? static_cast<std::size_t>(info.st_size) + 1 : kSmall, '\0');
    std::size_t size = TARN_TRY(read_some(fd, buffer, path));
    if (size < buffer.size()) {
        return put(std::string_view(buffer).substr(0, size));
    }
    detail::BlobWriter writer = TARN_TRY(detail::BlobWriter::create(directory_));
    Hasher hasher;
    Digest digest;
    while (size != 0) {
        const std::string_view piece = std::string_view(buffer).substr(0, size);
        hasher.update(piece);
        digest.size += size;
        TARN_TRY(writer.write(piece));
        size = TARN_TRY(read_some(fd, buffer, path));
    }
    digest.sha256 = hasher.finish();
    if (!has(digest)) {
        TARN_TRY(writer.publish(detail::kBlobs, digest.hex(), detail::kBlobMode));
    }
    return digest;
}

Result<void> Store::adopt(const std::string& temporary_path, const Digest& digest) const {
    {
        const Fd fd = TARN_TRY(open_file(temporary_path, O_RDONLY | O_NOFOLLOW));
        struct stat info{};
        if (::fstat(fd.get(), &info) != 0) {
            return fail(sys_error("look at", temporary_path));
        }
        if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != digest.size) {
            return fail(ErrorKind::kCorrupt,
                        "{}: has {} bytes instead of {}",
                        temporary_path,
                        info.st_size,
                        digest.size);
        }
        if (has(digest)) {
            ::unlink(temporary_path.c_str());
            return {};
        }
        TARN_TRY(detail::settle_blob(fd.get(), detail::kBlobMode, temporary_path));
    }
    return detail::publish_file(directory_, temporary_path, detail::kBlobs, digest.hex());
}

Result<std::string> Store::read(const Digest& digest) const {
    const Fd fd = TARN_TRY(open_blob(*this, digest));
    const std::string path = blob_path(digest);
    std::string bytes =
        TARN_TRY(pread_exact(fd.get(), 0, static_cast<std::size_t>(digest.size), path));
    if (sha256(bytes) != digest.sha256) {
        return fail(corrupt_blob(path, "its bytes are not what its name says"));
    }
    return bytes;
}

Result<MemoryMap> Store::map(const Digest& digest) const {
    TARN_TRY(open_blob(*this, digest));
    const std::string path = blob_path(digest);
    MemoryMap map = TARN_TRY(MemoryMap::open(path));
    if (map.bytes().size() != digest.size) {
        return fail(corrupt_blob(path, "its size is not what its name says"));
    }
    return map;
}

Result<Digest> Store::put_tree(const Tree& tree) const {
    return put(tree.serialize());
}

Result<Tree> Store::read_tree(const Digest& digest) const {
    const std::string text = TARN_TRY(read(digest));
    Result<Tree> tree = Tree::parse(text);
    if (!tree) {
        return fail(std::move(tree.error()).context(blob_path(digest)));
    }
    return tree;
}

}  // namespace tarn
