// SPDX-License-Identifier: MIT
// libgit2's objects as owners, and its errors as Error.
#pragma once

#include "base/result.hh"

#include <git2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::git::detail {

template <class T, void (*Free)(T*)>
struct Deleter {
    void operator()(T* object) const { Free(object); }
};
template <class T, void (*Free)(T*)>
using Handle = std::unique_ptr<T, Deleter<T, Free>>;

using RepositoryHandle = Handle<git_repository, git_repository_free>;
using CommitHandle = Handle<git_commit, git_commit_free>;
using TreeHandle = Handle<git_tree, git_tree_free>;
using ObjectHandle = Handle<git_object, git_object_free>;
using ReferenceHandle = Handle<git_reference, git_reference_free>;
using ReferenceIteratorHandle = Handle<git_reference_iterator, git_reference_iterator_free>;
using OdbHandle = Handle<git_odb, git_odb_free>;
using OdbObjectHandle = Handle<git_odb_object, git_odb_object_free>;
using StatusHandle = Handle<git_status_list, git_status_list_free>;
using TreeEntryHandle = Handle<git_tree_entry, git_tree_entry_free>;

// Limits on the trees of a commit.
constexpr std::size_t kDeepest = 256;  // directories inside each other
constexpr std::size_t kMostEntries = 500'000;

// Starts libgit2 once a process and names the repository extensions that reading can live with.
void start_library();

// What libgit2 said last in this thread; `what` is the work that failed, `code` its return value.
Error git_error(int code, std::string_view what);

std::string hex(const git_oid& id);
Result<git_oid> parse_id(std::string_view id);

}  // namespace tarn::git::detail
