// SPDX-License-Identifier: MIT
// Files and directories. Writing is all-or-nothing: AtomicFile shows nothing until commit().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hh"
#include "base/result.hh"

namespace tarn {

// A read-only mapping of a whole file; empty files map to an empty view.
class MemoryMap {
  public:
    MemoryMap() = default;
    MemoryMap(MemoryMap&& other) noexcept;
    MemoryMap& operator=(MemoryMap&& other) noexcept;
    MemoryMap(const MemoryMap&) = delete;
    MemoryMap& operator=(const MemoryMap&) = delete;
    ~MemoryMap();
    static Result<MemoryMap> open(const std::string& path);

    std::string_view bytes() const { return {data_, size_}; }

  private:
    const char* data_ = nullptr;
    std::size_t size_ = 0;
};

// A directory that is removed, with all in it, when the object dies.
class TempDir {
  public:
    // Made under `parent`, or under $TMPDIR (else /tmp) when empty.
    static Result<TempDir> make(const std::string& parent = {});
    TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TempDir& operator=(TempDir&& other) noexcept;
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir();
    const std::string& path() const { return path_; }
    std::string release() { return std::exchange(path_, {}); }

  private:
    explicit TempDir(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

// A file being written beside its final name. Dropped unless committed.
class AtomicFile {
  public:
    static Result<AtomicFile> create(const std::string& path, unsigned mode = 0644);
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    ~AtomicFile();
    int fd() const { return fd_.get(); }
    const std::string& temporary_path() const { return temporary_; }
    Result<void> write(std::string_view bytes);
    // Renames over the final name.
    Result<void> commit();

  private:
    AtomicFile(std::string path, std::string temporary, Fd fd);
    std::string path_;
    std::string temporary_;
    Fd fd_;
};

// The whole file; kNotFound, or kCorrupt beyond `limit` bytes.
Result<std::string> read_file(const std::string& path, std::uint64_t limit = 1ULL << 30);
Result<void> write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode = 0644);

bool path_exists(const std::string& path);        // follows links
bool is_directory(const std::string& path);       // follows links
Result<void> make_directories(const std::string& path, unsigned mode = 0755);
// Removes a tree without following links; nothing there is no error.
Result<void> remove_tree(const std::string& path);
Result<void> rename_path(const std::string& from, const std::string& to);
// Names in a directory, sorted, without "." and "..".
Result<std::vector<std::string>> list_directory(const std::string& path);
// `made` takes the place of `place`, a directory or nothing, in one step; what was there is removed
// afterwards. On a file system that cannot exchange, nothing is there for a moment. kSystem.
Result<void> replace_directory(const std::string& made, const std::string& place);
Result<void> make_symlink(const std::string& target, const std::string& path);
Result<std::string> read_symlink(const std::string& path);
// Replaces `path` by a link to `target`, atomically.
Result<void> replace_symlink(const std::string& target, const std::string& path);

std::string current_directory();
// `path` against `base` when relative; "." and ".." folded textually.
std::string absolute_path(std::string_view path, std::string_view base);
std::string parent_path(std::string_view path);
std::string file_name(std::string_view path);
std::string join_path(std::string_view a, std::string_view b);
// `path` as seen from `base` when it lies below it, else unchanged.
std::string relative_to(std::string_view path, std::string_view base);

// A path inside a tree or archive, made safe: relative, no empty, "." or ".." part, no NUL.
// A leading "./" or "/" is taken away only when `allow_absolute`. nullopt when it would escape.
enum class Absolute { kRefuse, kStrip };
std::optional<std::string> safe_relative_path(std::string_view path, Absolute absolute);

}  // namespace tarn
