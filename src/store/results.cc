// SPDX-License-Identifier: MIT
#include "store/detail/layout.hh"
#include "store/store.hh"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace tarn {

namespace {

bool is_room(std::string_view room) {
    return !room.empty() && std::all_of(room.begin(), room.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

std::string area_of(std::string_view room) {
    TARN_CHECK(is_room(room));
    return fmt::format("{}/{}", detail::kResults, room);
}

}  // namespace

Result<void> Store::put_result(std::string_view room,
                               const Digest& key,
                               std::string_view json) const {
    TARN_CHECK(nlohmann::json::accept(json));
    detail::BlobWriter writer = TARN_TRY(detail::BlobWriter::create(directory_));
    TARN_TRY(writer.write(json));
    return writer.publish_now(area_of(room), key.hex());
}

std::optional<std::string> Store::result(std::string_view room, const Digest& key) const {
    const std::string hex = key.hex();
    const std::string path = join_path(directory_, detail::shard_of(area_of(room), hex));
    // Reading and writing the use down are one step to gc, which would drop it in between.
    const auto lock =
        detail::DirectoryLock::take(parent_path(path), detail::LockKind::kShared, false);
    if (!lock) {
        return std::nullopt;
    }
    const Fd fd(::openat(lock->fd(), hex.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return std::nullopt;
    }
    detail::touch_mtime(fd.get(), info);
    Result<std::string> text =
        pread_exact(fd.get(), 0, static_cast<std::size_t>(info.st_size), path);
    // A power cut may leave a file without its bytes: that is no result.
    if (!text || !nlohmann::json::accept(*text)) {
        return std::nullopt;
    }
    return std::move(*text);
}

}  // namespace tarn
