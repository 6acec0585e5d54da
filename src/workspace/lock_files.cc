// SPDX-License-Identifier: MIT
#include "workspace/detail/lock_files.hh"

#include "base/fs.hh"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace tarn {

namespace {

constexpr auto kPoll = std::chrono::milliseconds(10);
constexpr int kPollsUntilSaid = 100;

bool is_there(const std::string& path) {
    struct stat info{};
    return ::lstat(path.c_str(), &info) == 0;
}

// Old and new change places when something is there, so that it can be undone.
Result<void> put_in_place(const std::string& made, const std::string& place) {
    struct stat info{};
    if (::lstat(place.c_str(), &info) != 0) {
        return rename_path(made, place);
    }
    if (S_ISDIR(info.st_mode)) {
        return fail(error(ErrorKind::kFailed, "cannot write {}: a directory is there", place)
                        .advise("move it away, then run the command again"));
    }
    if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) {
        return {};
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return fail(sys_error("write", place));
    }
    return rename_path(made, place);  // a file system that cannot exchange
}

}  // namespace

LockFiles::~LockFiles() {
    if (held_) {
        static_cast<void>(remove_tree(aside()));
    }
}

std::string LockFiles::aside() const {
    return join_path(directory_, ".tarn-update");
}

Result<LockFiles> LockFiles::open(const std::string& directory, std::stop_token stop,
                                  Reporter& reporter) {
    if (auto made = make_directories(directory); !made) {
        return fail(std::move(made.error()).advise("`lock-dir` of [project] says where locks lie"));
    }
    Fd held = TARN_TRY(open_file(directory, O_RDONLY | O_DIRECTORY));
    for (int polls = 0; ::flock(held.get(), LOCK_EX | LOCK_NB) != 0; ++polls) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fail(sys_error("lock", directory));
        }
        if (stop.stop_requested()) {
            return fail(ErrorKind::kInterrupted, "interrupted");
        }
        if (polls == kPollsUntilSaid) {
            reporter.info("waiting for another update of " + directory);
        }
        std::this_thread::sleep_for(kPoll);
    }
    LockFiles files(directory, std::move(held));
    TARN_TRY(remove_tree(files.aside()));
    return files;
}

Result<void> LockFiles::write(const std::string& name, std::string_view text) {
    if (names_.empty()) {
        TARN_TRY(make_directories(aside()));
    }
    names_.push_back(name);
    return write_file_atomic(join_path(aside(), name), text);
}

Result<void> LockFiles::commit() {
    std::vector<bool> was_there;
    for (const std::string& name : names_) {
        const std::string place = join_path(directory_, name);
        was_there.push_back(is_there(place));
        auto done = put_in_place(join_path(aside(), name), place);
        if (done) {
            continue;
        }
        was_there.pop_back();
        for (std::size_t i = was_there.size(); i-- > 0;) {
            const std::string changed = join_path(directory_, names_[i]);
            const std::string before = join_path(aside(), names_[i]);
            static_cast<void>(was_there[i] ? rename_path(before, changed)
                                           : rename_path(changed, before));
        }
        return done;
    }
    return {};
}

}  // namespace tarn
