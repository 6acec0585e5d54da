// SPDX-License-Identifier: MIT
#include "image/detail/output.hh"

#include <fcntl.h>
#include <linux/fs.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace tarn::image {
namespace {

constexpr const char* kStamp = ".stamp.json";

struct FileFacts {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
};

std::optional<FileFacts> facts_of(const std::string& path) {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return std::nullopt;
    }
    return FileFacts{static_cast<std::uint64_t>(info.st_size),
                     info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec};
}

// {"key": ..., "files": {name: [size, mtime]}}; empty when there is none of that shape.
nlohmann::json read_stamp(const std::string& directory) {
    const auto text = read_file(join_path(directory, kStamp), 1 << 20);
    nlohmann::json stamp = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    const bool whole = stamp.is_object() && stamp.contains("key") && stamp.contains("files") &&
                       stamp["files"].is_object() && !stamp["files"].empty();
    return whole ? stamp : nlohmann::json();
}

// A power cut must not leave a file of the right size with holes where data was to come: what a
// stamp vouches for is on the disk before the stamp is.
Result<void> sync_path(const std::string& path) {
    const Fd fd = TARN_TRY(open_file(path, O_RDONLY));
    if (fsync(fd.get()) != 0) {
        return fail(sys_error("write", path));
    }
    return {};
}

// What lies in the image's directory itself: an artifact may be a file of a directory.
std::set<std::string> top_names(const std::vector<std::string>& artifacts) {
    std::set<std::string> out;
    for (const std::string& name : artifacts) {
        out.insert(name.substr(0, name.find('/')));
    }
    return out;
}

std::vector<std::string> stamped_names(const std::string& directory) {
    const nlohmann::json stamp = read_stamp(directory);
    std::vector<std::string> out;
    if (!stamp.empty()) {
        for (const auto& [name, unused] : stamp["files"].items()) {
            out.push_back(name);
        }
    }
    return out;
}

}  // namespace

Result<OutputDirectory> OutputDirectory::open(const std::string& directory) {
    OutputDirectory out;
    out.directory_ = directory;
    const std::string parent = parent_path(directory);
    const std::string hidden = join_path(parent, "." + file_name(directory));
    TARN_TRY(make_directories(parent));
    out.lock_ = TARN_TRY(open_file(hidden + ".lock", O_RDWR | O_CREAT));
    while (flock(out.lock_.get(), LOCK_EX) != 0) {
        if (errno != EINTR) {
            return fail(sys_error("lock", directory));
        }
    }
    out.staging_ = hidden + ".new";
    // Killed between the exchange and the moving of what is not ours, this is the old directory.
    if (is_directory(out.staging_) && is_directory(directory)) {
        std::vector<std::string> ours = stamped_names(out.staging_);
        ours.emplace_back(kStamp);
        if (ours.size() > 1) {
            TARN_TRY(out.keep_foreign(ours));
        }
    }
    TARN_TRY(remove_tree(out.staging_));
    TARN_TRY(make_directories(out.staging_));
    return out;
}

OutputDirectory::~OutputDirectory() {
    if (lock_ && !staging_.empty()) {
        // What is left over is swept by the next build.
        static_cast<void>(remove_tree(staging_));
    }
}

bool OutputDirectory::holds(const Digest& key) const {
    const nlohmann::json stamp = read_stamp(directory_);
    if (stamp.empty() || stamp["key"] != key.hex()) {
        return false;
    }
    return std::ranges::all_of(stamp["files"].items(), [&](const auto& item) {
        const auto facts = facts_of(join_path(directory_, item.key()));
        return facts && item.value() == nlohmann::json::array({facts->size, facts->mtime_ns});
    });
}

Result<void> OutputDirectory::write_stamp(const Digest& key,
                                          const std::vector<std::string>& artifacts) const {
    nlohmann::json files = nlohmann::json::object();
    std::set<std::string> directories;
    for (const std::string& name : artifacts) {
        const auto facts = facts_of(join_path(staging_, name));
        if (!facts) {
            return fail(sys_error("read", join_path(staging_, name)));
        }
        files[name] = {facts->size, facts->mtime_ns};
        TARN_TRY(sync_path(join_path(staging_, name)));
        for (std::string above = parent_path(name); !above.empty(); above = parent_path(above)) {
            directories.insert(above);
        }
    }
    for (const std::string& name : directories) {
        TARN_TRY(sync_path(join_path(staging_, name)));
    }
    const nlohmann::json stamp = {{"key", key.hex()}, {"files", files}};
    TARN_TRY(write_file_atomic(join_path(staging_, kStamp), stamp.dump() + "\n"));
    TARN_TRY(sync_path(join_path(staging_, kStamp)));
    return sync_path(staging_);
}

// Boot logs and the like go along; a hard link now, or a rename after the exchange.
Result<void> OutputDirectory::keep_foreign(const std::vector<std::string>& artifacts) const {
    const std::set<std::string> ours = top_names(artifacts);
    for (const std::string& name : TARN_TRY(list_directory(staging_))) {
        if (ours.contains(name) || path_exists(join_path(directory_, name))) {
            continue;
        }
        TARN_TRY(rename_path(join_path(staging_, name), join_path(directory_, name)));
    }
    return {};
}

Result<void> OutputDirectory::commit(const Digest& key, const std::vector<std::string>& artifacts) {
    TARN_TRY(write_stamp(key, artifacts));
    if (!is_directory(directory_)) {
        TARN_TRY(rename_path(staging_, directory_));
        staging_.clear();
        return {};
    }
    std::vector<std::string> old = stamped_names(directory_);
    old.emplace_back(kStamp);
    if (syscall(SYS_renameat2,
                AT_FDCWD,
                staging_.c_str(),
                AT_FDCWD,
                directory_.c_str(),
                RENAME_EXCHANGE) == 0) {
        TARN_TRY(sync_path(parent_path(directory_)));
        auto kept = keep_foreign(old);
        if (!kept) {
            staging_.clear();  // what could not be moved is not swept: the next build tries again
        }
        return kept;
    }
    if (errno != EINVAL && errno != ENOSYS && errno != EXDEV) {
        return fail(sys_error("replace", directory_));
    }
    // A file system that cannot exchange: without its stamp the directory counts as not built.
    for (const std::string& name : top_names(old)) {
        TARN_TRY(remove_tree(join_path(directory_, name)));
    }
    for (const std::string& name : top_names(artifacts)) {
        TARN_TRY(rename_path(join_path(staging_, name), join_path(directory_, name)));
    }
    return rename_path(join_path(staging_, kStamp), join_path(directory_, kStamp));
}

}  // namespace tarn::image
