// SPDX-License-Identifier: MIT
// Walking over a store, and finding what its documents mention.
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <sys/stat.h>

#include <functional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace tarn::detail {

struct StoredFile {
    std::string path;
    std::string name;  // the last part of it
    struct stat info{};
};

// Files two levels below `directory`, in order of their names; what vanishes meanwhile is left out.
Result<std::vector<StoredFile>> sharded_files(const std::string& directory);
// What lies right in `directory`.
Result<std::vector<StoredFile>> direct_files(const std::string& directory);
// Of all rooms.
Result<std::vector<StoredFile>> result_files(const Store& store);

struct TreeTotals {
    std::uint64_t files = 0;
    std::uint64_t own_bytes = 0;  // that go away with it: not shared by another hard link
    std::uint64_t allocated = 0;  // on disk, of inodes not in `seen` yet
    std::int64_t newest = 0;      // latest change anywhere in it
};
using SeenInodes = std::set<std::pair<dev_t, ino_t>>;
// Sums up a file or a directory with all in it, not following links.
TreeTotals totals_of(const std::string& path, SeenInodes& seen);

using DigestSet = std::unordered_set<Digest, DigestHash>;
// Every "<64 hex>/<size>" in a text.
void mentioned(std::string_view text, DigestSet& out);
// The blobs that the tree `digest` names, if it is a tree; nothing otherwise.
void reach(const Store& store, const Digest& digest, DigestSet& out);
// The trees kept beside failed runs.
Result<void> reach_failed(const Store& store, DigestSet& out);

}  // namespace tarn::detail
