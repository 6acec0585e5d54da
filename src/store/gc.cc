// SPDX-License-Identifier: MIT
// Order matters: results go first, so that when blobs go nobody can learn of them any more. Each
// removal looks at the last use once more under the lock of the directory, which readers and
// writers hold while they write a use down: what was used meanwhile stays.
#include "store/detail/gc.hh"

#include "base/fd.hh"
#include "store/detail/layout.hh"
#include "store/detail/scan.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_set>

namespace tarn {

namespace {

using detail::DigestSet;
using detail::StoredFile;

constexpr int kOpen = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

class Collector {
  public:
    Collector(const Store& store, std::int64_t max_age, DryRun dry_run, std::int64_t now)
        : store_(store),
          // Whatever is asked for: what was used within the hour may be in use.
          before_(now - std::max(max_age, detail::kYoung)),
          young_before_(now - detail::kYoung),
          dry_(dry_run == DryRun::kYes) {}

    Result<GcResult> run() {
        TARN_TRY(sweep_temporary());
        TARN_TRY(sweep_directories(detail::kRoots));
        TARN_TRY(sweep_directories(detail::kFailed));
        TARN_TRY(sweep_results());
        TARN_TRY(detail::reach_failed(store_, live_));
        const DigestSet direct = live_;
        for (const Digest& digest : direct) {
            detail::reach(store_, digest, live_);
        }
        TARN_TRY(sweep_blobs());
        return result_;
    }

  private:
    std::string area(std::string_view name) const { return join_path(store_.directory(), name); }

    // Gone or going: true. In a dry run only counted.
    bool remove(const StoredFile& file, std::int64_t (*last_use)(const struct stat&)) {
        if (!dry_) {
            const auto lock = detail::DirectoryLock::take(
                parent_path(file.path), detail::LockKind::kExclusive, false);
            struct stat now{};
            if (!lock || ::fstatat(lock->fd(), file.name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 ||
                last_use(now) >= before_ || ::unlinkat(lock->fd(), file.name.c_str(), 0) != 0) {
                return false;
            }
        }
        result_.removed_files += 1;
        result_.removed_bytes += static_cast<std::uint64_t>(file.info.st_size);
        return true;
    }

    static std::int64_t by_mtime(const struct stat& info) { return info.st_mtim.tv_sec; }
    static std::int64_t by_atime(const struct stat& info) { return info.st_atim.tv_sec; }

    // Somebody works in it: what a sandbox has mounted is locked, here or one level below.
    static bool is_held(const StoredFile& directory, int fd) {
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            return true;
        }
        const auto inside = detail::direct_files(directory.path);
        return inside && std::any_of(inside->begin(), inside->end(), [](const StoredFile& file) {
                   const Fd child(S_ISDIR(file.info.st_mode) ? ::open(file.path.c_str(), kOpen)
                                                             : -1);
                   return child && ::flock(child.get(), LOCK_EX | LOCK_NB) != 0;
               });
    }

    // Removes a directory that nobody holds. Renamed first: nobody sees half of it.
    void remove_directory(const StoredFile& directory) {
        detail::SeenInodes seen;
        const detail::TreeTotals totals = detail::totals_of(directory.path, seen);
        if (!dry_) {
            const Fd fd(::open(directory.path.c_str(), kOpen));
            struct stat now{};
            if (!fd || is_held(directory, fd.get()) || ::fstat(fd.get(), &now) != 0 ||
                now.st_mtim.tv_sec >= before_) {
                result_.kept_files += 1;
                return;
            }
            const std::string aside =
                join_path(store_.temporary_directory(), detail::unique_name("gc"));
            if (::rename(directory.path.c_str(), aside.c_str()) != 0 || !remove_tree(aside)) {
                result_.kept_files += 1;
                return;
            }
        }
        result_.removed_files += totals.files;
        result_.removed_bytes += totals.own_bytes;
    }

    Result<void> sweep_directories(std::string_view name) {
        for (const StoredFile& file : TARN_TRY(detail::direct_files(area(name)))) {
            if (S_ISDIR(file.info.st_mode) && by_mtime(file.info) < before_) {
                remove_directory(file);
            } else {
                result_.kept_files += 1;
            }
        }
        return {};
    }

    // What a crash left. A running command holds a lock on its directory, or writes in it.
    Result<void> sweep_temporary() {
        for (const StoredFile& file :
             TARN_TRY(detail::direct_files(store_.temporary_directory()))) {
            detail::SeenInodes seen;
            const detail::TreeTotals totals = detail::totals_of(file.path, seen);
            if (totals.newest >= young_before_) {
                continue;
            }
            if (!dry_) {
                const Fd fd(
                    ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
                if ((fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) || !remove_tree(file.path)) {
                    continue;
                }
            }
            result_.removed_files += totals.files;
            result_.removed_bytes += totals.own_bytes;
        }
        return {};
    }

    Result<void> sweep_results() {
        for (const StoredFile& file : TARN_TRY(detail::result_files(store_))) {
            if (by_mtime(file.info) < before_ && remove(file, by_mtime)) {
                continue;
            }
            result_.kept_files += 1;
            if (const Result<std::string> text = read_file(file.path)) {
                detail::mentioned(*text, live_);
            }
        }
        return {};
    }

    Result<void> sweep_blobs() {
        std::unordered_set<std::string> kept;
        for (const StoredFile& file : TARN_TRY(detail::sharded_files(area(detail::kBlobs)))) {
            const auto digest =
                Digest::from_hex(file.name, static_cast<std::uint64_t>(file.info.st_size));
            const bool live = digest && live_.contains(*digest);
            if (!live && by_atime(file.info) < before_ && remove(file, by_atime)) {
                continue;
            }
            result_.kept_files += 1;
            kept.insert(file.name);
        }
        // Copies for executables go with the blob they were made of.
        for (const StoredFile& file : TARN_TRY(detail::sharded_files(area(detail::kExecutables)))) {
            if (kept.contains(file.name) || by_atime(file.info) >= before_ ||
                !remove(file, by_atime)) {
                result_.kept_files += 1;
            }
        }
        return {};
    }

    const Store& store_;
    std::int64_t before_;
    std::int64_t young_before_;
    bool dry_;
    DigestSet live_;
    GcResult result_;
};

}  // namespace

Result<GcResult> detail::collect_garbage_at(const Store& store,
                                            std::int64_t max_age_seconds,
                                            DryRun dry_run,
                                            std::int64_t now) {
    return Collector(store, max_age_seconds, dry_run, now).run();
}

Result<GcResult> collect_garbage(const Store& store, std::int64_t max_age_seconds, DryRun dry_run) {
    return detail::collect_garbage_at(store, max_age_seconds, dry_run, detail::now_seconds());
}

}  // namespace tarn
