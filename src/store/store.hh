// SPDX-License-Identifier: MIT
// The store: blobs by digest, and results of actions by the digest of the action. Crash-only: a
// blob appears under its name by rename, complete, or not at all. Safe for many processes at once.
//
//   <dir>/blobs/<first 2 hex>/<64 hex>     mode 0444, or 0555 in blobs-x/ (a hard link farm for
//   <dir>/blobs-x/<first 2 hex>/<64 hex>   executables; made when a root needs it)
//   <dir>/results/<room>/<2 hex>/<64 hex>  one JSON document per action key
//   <dir>/roots/<64 hex>/                  trees written out for sandboxes, by tree digest
//   <dir>/tmp/                             being written; swept by gc
#pragma once

#include "base/fs.hh"
#include "base/result.hh"
#include "store/digest.hh"
#include "store/tree.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

// A key is built from named fields, so that no two different inputs give one key; the text is kept
// beside the result to explain a miss.
class KeyBuilder {
  public:
    explicit KeyBuilder(std::string_view kind, int version);
    KeyBuilder& field(std::string_view name, std::string_view value);
    KeyBuilder& field(std::string_view name, const Digest& value);
    KeyBuilder& field(std::string_view name, const std::vector<std::string>& values);
    const std::string& text() const { return text_; }  // one field a line
    Digest key() const;

  private:
    std::string text_;
};

class Store {
  public:
    // Makes the directories when missing.
    static Result<Store> open(const std::string& directory);
    // $TARN_STORE, else $XDG_CACHE_HOME/tarn/store, else ~/.cache/tarn/store.
    static std::string default_directory();
    const std::string& directory() const { return directory_; }

    Result<Digest> put(std::string_view bytes) const;
    Result<Digest> put_file(const std::string& path) const;  // copies; reads once
    // The same from an open descriptor, from where it stands; `path` is only for errors.
    Result<Digest> put_open_file(int fd, const std::string& path) const;
    // Takes over a temporary file that lies in temporary_directory(), whose digest was computed
    // while it was written.
    Result<void> adopt(const std::string& temporary_path, const Digest& digest) const;
    std::string temporary_directory() const;

    bool has(const Digest& digest) const;
    std::string blob_path(const Digest& digest) const;  // whether it is there or not
    // kNotFound, or kCorrupt when the size differs or (for read) the hash.
    Result<std::string> read(const Digest& digest) const;
    Result<MemoryMap> map(const Digest& digest) const;

    Result<Digest> put_tree(const Tree& tree) const;
    Result<Tree> read_tree(const Digest& digest) const;

    // Results: a small JSON document kept under a key. `room` is a lower-case word.
    Result<void> put_result(std::string_view room, const Digest& key, std::string_view json) const;
    // nullopt when there is none or it is unreadable (then it is as if there were none).
    std::optional<std::string> result(std::string_view room, const Digest& key) const;

    // The tree as a directory for read-only use in a sandbox: hard links into the store, so files
    // are 0444 or 0555 by executability and carry one fixed time; directories 0755; owners, setuid
    // bits, xattrs and device nodes are left out. Kept; the path is stable for the tree.
    Result<std::string> root_of(const Tree& tree) const;

  private:
    explicit Store(std::string directory) : directory_(std::move(directory)) {}
    std::string directory_;
};

// Writes a tree out as a directory of its own (copies, modes, mtimes, links), refusing to leave it.
// Owners (by number) are applied only with `kApply` and as root; xattrs and device nodes likewise.
// A directory that is not there yet appears complete or not at all.
enum class Owners { kIgnore, kApply };
Result<void> write_tree(const Store& store,
                        const Tree& tree,
                        const std::string& directory,
                        Owners owners = Owners::kIgnore);

// Reads a directory into blobs and a Tree; owners are given as 0:0. mtimes become `mtime` when set.
// Sockets are left out, and of xattrs all but user.* and security.capability.
Result<Tree> capture_directory(const Store& store,
                               const std::string& directory,
                               std::optional<std::int64_t> mtime = {});
// The same for some relative paths of it (files or directories, none inside another); paths in the
// tree stay relative to `directory`. Missing ones are left out; a link on the way is an error.
Result<Tree> capture_paths(const Store& store,
                           const std::string& directory,
                           const std::vector<std::string>& paths,
                           std::optional<std::int64_t> mtime = {});

struct StoreStats {
    std::uint64_t blobs = 0, blob_bytes = 0, results = 0, roots = 0, temporary = 0;
    std::uint64_t allocated_bytes = 0;  // on disk, hard links once
};
Result<StoreStats> store_stats(const Store& store);

// Every blob's bytes against its name, every result's references against the blobs.
struct StoreProblem {
    std::string path;
    std::string what;
};
Result<std::vector<StoreProblem>> verify_store(const Store& store,
                                               unsigned jobs,
                                               std::stop_token stop);

// Drops results (and the blobs and roots only they reach) not used for `max_age_seconds`, and what
// a crash left in tmp/. Dry run counts only.
struct GcResult {
    std::uint64_t removed_files = 0, removed_bytes = 0, kept_files = 0;
};
enum class DryRun { kNo, kYes };
Result<GcResult> collect_garbage(const Store& store, std::int64_t max_age_seconds, DryRun dry_run);

}  // namespace tarn
