// SPDX-License-Identifier: MIT
// What differs between two trees, read straight from git's tree objects: for directories of
// thousands of files that change by a few a commit.
#pragma once

#include "git/detail/impl.hh"

#include <functional>
#include <map>

namespace tarn::git::detail {

struct TreeEntry {
    unsigned mode = 0;
    std::string_view name;
    git_oid id{};
    bool directory() const { return mode == 040000; }
};

// Takes the first entry off `bytes`; false when they are no tree.
bool next_entry(std::string_view& bytes, TreeEntry& entry);

struct BlobChange {
    ObjectId before, after;  // empty: not there
};
// By path; of `only` these, when given. nullopt is the tree of nothing. `read` gives a tree's bytes,
// alive until it is destroyed.
using Changes = std::map<std::string, BlobChange>;
using TreeBytes = std::shared_ptr<const std::string_view>;
using ReadTree = std::function<Result<TreeBytes>(const git_oid&)>;
Result<Changes> diff_trees(const std::optional<git_oid>& before,
                           const std::optional<git_oid>& after,
                           const ReadTree& read,
                           const Paths* only = nullptr);

}  // namespace tarn::git::detail
