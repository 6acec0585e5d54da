// SPDX-License-Identifier: MIT
// Where things lie in a store and how they age: docs/formats/store.md.
#pragma once

#include "base/fd.hh"
#include "base/result.hh"
#include "store/digest.hh"

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace tarn::detail {

// Every blob carries this time (1980-01-02, the first a zip file can hold everywhere), so that
// what a sandbox sees of a root does not depend on when the store was filled.
inline constexpr std::int64_t kFixedTime = 315619200;
// Last use is written down at most this often ...
inline constexpr std::int64_t kTouchAfter = 30 * 60;
// ... and nothing used within this time is ever collected.
inline constexpr std::int64_t kYoung = 60 * 60;

inline constexpr std::string_view kBlobs = "blobs";
inline constexpr std::string_view kExecutables = "blobs-x";
inline constexpr std::string_view kResults = "results";
inline constexpr std::string_view kRoots = "roots";
inline constexpr std::string_view kTemporary = "tmp";
inline constexpr std::string_view kFailed = "failed";

inline constexpr unsigned kBlobMode = 0444;
inline constexpr unsigned kExecutableMode = 0555;

// "<area>/<2 hex>/<64 hex>" below the store.
std::string shard_of(std::string_view area, std::string_view hex);
// A name nobody else uses.
std::string unique_name(std::string_view prefix);
// The time of "now" for last use and age; the files' own clock.
std::int64_t now_seconds();

// A directory with an advisory lock on it, for the few moments in which last use is looked at and
// acted on. Never blocks for long: holders do a handful of system calls.
enum class LockKind { kShared, kExclusive };
class DirectoryLock {
  public:
    // Makes the directory when missing if `make`.
    static Result<DirectoryLock> take(const std::string& directory, LockKind kind, bool make);
    int fd() const { return fd_.get(); }

  private:
    explicit DirectoryLock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

// A blob being written in tmp/. Removed unless published.
class BlobWriter {
  public:
    static Result<BlobWriter> create(const std::string& store);
    BlobWriter(BlobWriter&& other) noexcept;
    BlobWriter& operator=(BlobWriter&&) = delete;
    ~BlobWriter();
    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    Result<void> write(std::string_view bytes);
    // Gives it mode and fixed time and renames it to `area`'s place for `hex`.
    Result<void> publish(std::string_view area, std::string_view hex, unsigned mode);
    // The same for what is no blob: mode 0644, time of now.
    Result<void> publish_now(std::string_view area, std::string_view hex);

  private:
    Result<void> close_and_rename(std::string_view area, std::string_view hex);
    BlobWriter(std::string store, std::string path, Fd fd)
        : store_(std::move(store)), path_(std::move(path)), fd_(std::move(fd)) {}
    std::string store_;
    std::string path_;
    Fd fd_;
};

// Moves a finished file of tmp/ to its place.
Result<void> publish_file(const std::string& store,
                          const std::string& temporary,
                          std::string_view area,
                          std::string_view hex);
Result<void> settle_blob(int fd, unsigned mode, const std::string& path);

// Whether the file is there with this size; its last use is written down then.
bool refresh_blob(const std::string& store, std::string_view area, const Digest& digest);
// Writes the last use of an open blob down if that was long ago.
void touch_blob(int fd, const struct stat& info);
void touch_mtime(int fd, const struct stat& info);

// Copies `size` bytes between files, by reference where the file system can. kCorrupt when the
// source is shorter or longer.
Result<void> copy_bytes(int from, int to, std::uint64_t size, const std::string& path);

}  // namespace tarn::detail
