// SPDX-License-Identifier: MIT
#pragma once

#include "git/detail/handle.hh"
#include "git/git.hh"

#include <set>

namespace tarn::git {

struct Repository::Impl {
    detail::RepositoryHandle repository;
    detail::OdbHandle odb;
    std::string directory;  // the git directory, without trailing slash
    std::string work_tree;
    std::set<std::string> boundary;  // commits whose parents a shallow clone leaves out

    // `flags` of git_repository_open_ext.
    static Result<std::unique_ptr<Impl>> open(const std::string& path, unsigned flags);
    Result<detail::CommitHandle> lookup_commit(const ObjectId& id) const;
    Result<detail::TreeHandle> lookup_tree(const ObjectId& id) const;
    // The tree's own files into `files`, its directories into `directories`, with `prefix` in
    // front.
    Result<void> read_tree(const std::string& prefix,
                           const ObjectId& tree,
                           std::vector<Entry>& files,
                           std::vector<Entry>& directories) const;
    // A commit's tree, or what lies at `path` in it; nullopt when nothing does.
    Result<std::optional<Entry>> find(const ObjectId& commit, std::string_view path) const;
    // The bytes of an object, checked against its id.
    Result<detail::OdbObjectHandle> read(const git_oid& id, git_object_t type) const;
    Result<Commit> commit(const ObjectId& id) const;
    // The parents a walk can go to.
    std::vector<ObjectId> known_parents(const Commit& commit) const;
    // Everything reachable, newest first, children before their parents.
    Result<std::vector<Commit>> walk(const ObjectId& tip) const;
};

}  // namespace tarn::git
