// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "git/detail/impl.hh"
#include "git/git.hh"

#include <algorithm>

namespace tarn::git {

using detail::git_error;

namespace {

std::string without_slash(const char* path) {
    std::string text = path != nullptr ? path : "";
    while (text.size() > 1 && text.back() == '/') {
        text.pop_back();
    }
    return text;
}

// The commits named in the file `shallow`, one id a line.
Result<std::set<std::string>> read_boundary(git_repository* repository) {
    std::set<std::string> ids;
    const std::string path = join_path(git_repository_commondir(repository), "shallow");
    if (!path_exists(path)) {
        return ids;
    }
    const std::string text = TARN_TRY(read_file(path, 64u << 20));
    for (const std::string_view line : split_lines(text)) {
        if (!line.empty()) {
            ids.insert(to_lower(trim(line)));
        }
    }
    return ids;
}

Result<detail::RepositoryHandle> open_handle(const std::string& path, unsigned flags) {
    detail::start_library();
    git_repository* repository = nullptr;
    const int code = git_repository_open_ext(&repository, path.c_str(), flags, nullptr);
    if (code == GIT_ENOTFOUND) {
        const bool here = (flags & GIT_REPOSITORY_OPEN_NO_SEARCH) != 0;
        return fail(
            error(ErrorKind::kNotFound, "{} {} git repository", path, here ? "is no" : "lies in no")
                .advise("`git init` makes one; `git clone` fetches one"));
    }
    if (code < 0) {
        return fail(git_error(code, "cannot open the git repository of " + path));
    }
    return detail::RepositoryHandle(repository);
}

std::vector<std::string> names_of_references(git_repository* repository) {
    std::vector<std::string> names = {"HEAD"};
    git_reference_iterator* raw = nullptr;
    if (git_reference_iterator_new(&raw, repository) < 0) {
        return names;
    }
    const detail::ReferenceIteratorHandle iterator(raw);
    const char* name = nullptr;
    while (names.size() < 10000 && git_reference_next_name(&name, raw) == 0) {
        std::string_view text = name;
        for (const std::string_view prefix : {"refs/heads/", "refs/tags/", "refs/remotes/"}) {
            if (text.starts_with(prefix)) {
                text.remove_prefix(prefix.size());
                break;
            }
        }
        names.emplace_back(text);
    }
    return names;
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

// 0, or libgit2's code.
int find_object(git_repository* repository, const std::string& name, git_object** out) {
    if (name.find_first_of("~^") != std::string::npos) {
        return git_revparse_single(out, repository, name.c_str());
    }
    git_oid id;
    const bool hexadecimal = name.size() >= 7 && name.size() <= GIT_OID_HEXSZ && is_hex(name);
    if (hexadecimal && name.size() == GIT_OID_HEXSZ) {
        git_oid_fromstr(&id, name.c_str());
        return git_object_lookup(out, repository, &id, GIT_OBJECT_ANY);
    }
    git_reference* raw = nullptr;
    int code = git_reference_dwim(&raw, repository, name.c_str());
    if (code == 0) {
        const detail::ReferenceHandle reference(raw);
        return git_reference_peel(out, raw, GIT_OBJECT_COMMIT);
    }
    if (hexadecimal && (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)) {
        git_oid_fromstrn(&id, name.data(), name.size());
        code = git_object_lookup_prefix(out, repository, &id, name.size(), GIT_OBJECT_ANY);
    }
    return code;
}

}  // namespace

Repository::Repository(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Repository::Repository(Repository&&) noexcept = default;
Repository& Repository::operator=(Repository&&) noexcept = default;
Repository::~Repository() = default;

Result<std::unique_ptr<Repository::Impl>> Repository::Impl::open(const std::string& path,
                                                                 unsigned flags) {
    auto impl = std::make_unique<Impl>();
    impl->repository = TARN_TRY(open_handle(path, flags));
    git_odb* odb = nullptr;
    const int code = git_repository_odb(&odb, impl->repository.get());
    if (code < 0) {
        return fail(git_error(code, "cannot open the objects of " + path));
    }
    impl->odb.reset(odb);
    impl->directory = without_slash(git_repository_path(impl->repository.get()));
    impl->work_tree = without_slash(git_repository_workdir(impl->repository.get()));
    impl->boundary = TARN_TRY(read_boundary(impl->repository.get()));
    return impl;
}

Result<Repository> Repository::open(const std::string& path) {
    return Repository(TARN_TRY(Impl::open(path, GIT_REPOSITORY_OPEN_NO_SEARCH)));
}

Result<Repository> Repository::discover(const std::string& path) {
    return Repository(TARN_TRY(Impl::open(path, 0)));
}

const std::string& Repository::git_directory() const {
    return impl_->directory;
}

const std::string& Repository::work_tree() const {
    return impl_->work_tree;
}

bool Repository::shallow() const {
    return !impl_->boundary.empty();
}

Result<ObjectId> Repository::resolve(std::string_view name) const {
    git_repository* const repository = impl_->repository.get();
    const std::string text(name);
    git_object* raw = nullptr;
    int code = text.empty() || text.find('\0') != std::string::npos
                   ? int{GIT_EINVALIDSPEC}
                   : find_object(repository, text, &raw);
    const detail::ObjectHandle object(raw);
    git_object* commit = nullptr;
    if (code == 0) {
        code = git_object_peel(&commit, raw, GIT_OBJECT_COMMIT);
    }
    const detail::ObjectHandle peeled(commit);
    if (code == 0) {
        return detail::hex(*git_object_id(commit));
    }
    const std::string shown = text.substr(0, 200);
    if (code == GIT_EAMBIGUOUS) {
        return fail(error(ErrorKind::kUsage, "`{}` is the beginning of several objects", shown)
                        .advise("write more digits of the id"));
    }
    if (code != GIT_ENOTFOUND && code != GIT_EUNBORNBRANCH && code != GIT_EINVALIDSPEC &&
        code != GIT_EPEEL) {
        return fail(git_error(code, "cannot resolve `" + shown + "` in " + impl_->directory));
    }
    if (git_repository_head_unborn(repository) == 1) {
        return fail(error(ErrorKind::kNotFound, "{} has no commit yet", impl_->directory)
                        .advise("commit something first"));
    }
    Error result = error(ErrorKind::kNotFound, "{} has no commit `{}`", impl_->directory, shown);
    const std::string guess = did_you_mean(shown, names_of_references(repository));
    result.help.push_back(guess.empty() ? "give a branch, a tag or the id of a commit" : guess);
    return fail(std::move(result));
}

Result<std::vector<std::string>> Repository::dirty_paths(std::string_view below) const {
    if (impl_->work_tree.empty()) {
        return fail(ErrorKind::kUsage, "{} is bare: it has no work tree", impl_->directory);
    }
    git_status_options options = GIT_STATUS_OPTIONS_INIT;
    options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
                    GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
    std::string path(below);
    while (path.ends_with('/')) {
        path.pop_back();
    }
    char* specs[] = {path.data()};
    if (!path.empty()) {
        options.pathspec = {static_cast<char**>(specs), 1};
    }
    git_status_list* raw = nullptr;
    const int code = git_status_list_new(&raw, impl_->repository.get(), &options);
    if (code < 0) {
        return fail(git_error(code, "cannot compare the work tree " + impl_->work_tree));
    }
    const detail::StatusHandle list(raw);
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < git_status_list_entrycount(raw); ++i) {
        const git_status_entry* entry = git_status_byindex(raw, i);
        const git_diff_delta* delta =
            entry->index_to_workdir != nullptr ? entry->index_to_workdir : entry->head_to_index;
        if (delta != nullptr) {
            paths.emplace_back(delta->new_file.path);
        }
    }
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    return paths;
}

}  // namespace tarn::git
