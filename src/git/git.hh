// SPDX-License-Identifier: MIT
// Reading git repositories through libgit2: commits, trees, blobs, and which commits changed a
// path. Nothing here writes to a repository, opens a connection or starts a process. Objects that a
// partial clone does not have are kNotFound with the object's id; distgit fetches them.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::git {

// 40 lower-case hex digits.
using ObjectId = std::string;

struct Commit {
    ObjectId id;
    std::vector<ObjectId> parents;
    ObjectId tree;
    std::string author, author_email;
    std::string committer, committer_email;
    std::int64_t author_time = 0;  // seconds since 1970
    std::int64_t committer_time = 0;
    int author_offset = 0;  // minutes east of UTC
    // Text is UTF-8 when the commit names its encoding, else as stored.
    std::string message;          // whole, without leading newlines
    std::string subject() const;  // lines of the first paragraph joined by a blank, as git's %s
};

enum class EntryType { kFile, kExecutable, kSymlink, kDirectory, kSubmodule };

struct Entry {
    std::string path;  // relative to the tree that was listed
    EntryType type = EntryType::kFile;
    ObjectId id;
};

using Paths = std::set<std::string, std::less<>>;

// A change of one path by one commit, against its first parent (the empty tree for a root commit).
struct PathChange {
    ObjectId commit;
    ObjectId before, after;  // blob ids; empty: not there; equal when only the mode changed
};

// Not for use by several threads at once; opening twice is cheap.
class Repository {
  public:
    // A bare repository or a work tree's top directory.
    static Result<Repository> open(const std::string& path);
    // The repository that `path` lies in; kNotFound when it lies in none.
    static Result<Repository> discover(const std::string& path);
    Repository(Repository&&) noexcept;
    Repository& operator=(Repository&&) noexcept;
    ~Repository();

    const std::string& git_directory() const;
    const std::string& work_tree() const;  // without trailing slash; empty when bare
    // Some parents of commits are missing on purpose: walks end there, Commit still names them.
    bool shallow() const;

    // A branch, tag, HEAD, or 7 to 40 hex digits, each with ~N or ^N behind it if wanted, as a
    // commit. kNotFound with "did you mean".
    Result<ObjectId> resolve(std::string_view name) const;
    Result<Commit> commit(const ObjectId& id) const;
    // `tip` and its first parents, newest first, at most until (and with) `last`; all when empty.
    // kNotFound when `last` is not among them.
    Result<std::vector<Commit>> first_parents(const ObjectId& tip, const ObjectId& last = {}) const;
    // Everything reachable, newest first, parents after children (topological, then by committer
    // time).
    Result<std::vector<Commit>> ancestors(const ObjectId& tip) const;

    // What lies at `path` of a commit's tree; nullopt when nothing does.
    Result<std::optional<Entry>> find(const ObjectId& commit, std::string_view path) const;
    // All files below a directory ("" is the top), recursively, sorted by path; submodules
    // included.
    Result<std::vector<Entry>> list(const ObjectId& commit, std::string_view directory = {}) const;
    Result<std::string> blob(const ObjectId& id, std::uint64_t limit = 1ULL << 30) const;
    bool has(const ObjectId& id) const;

    // The commits `git log -- <path>` shows from `tip`, newest first, for every path below
    // `directory` at once: one walk, whatever the number of paths. History simplification as git's
    // default: a merge that has the same content as one of its parents follows that parent alone.
    // kFailed when a shallow clone hides the history of something below `directory`. With `only`
    // (paths below `directory`), of those; directories without any of them are not opened.
    Result<std::map<std::string, std::vector<PathChange>>> changes_below(
        const ObjectId& tip, std::string_view directory, const Paths* only = nullptr) const;

    // Paths (relative to the work tree) whose content differs from HEAD or that are untracked.
    Result<std::vector<std::string>> dirty_paths(std::string_view below = {}) const;

  private:
    struct Impl;
    explicit Repository(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::git
