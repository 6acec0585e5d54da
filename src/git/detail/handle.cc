// SPDX-License-Identifier: MIT
#include "git/detail/handle.hh"

#include "base/strings.hh"

#include <array>

namespace tarn::git::detail {
namespace {

bool initialise() {
    git_libgit2_init();
    // What `git clone --filter` and `git sparse-checkout` switch on changes nothing for a reader.
    std::array<const char*, 3> extensions = {"partialclone", "worktreeconfig", "preciousobjects"};
    git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions.data(), extensions.size());
    return true;
}

ErrorKind kind_of(int code, int klass) {
    switch (code) {
        case GIT_ENOTFOUND:
        case GIT_EUNBORNBRANCH:
            return ErrorKind::kNotFound;
        case GIT_EINVALIDSPEC:
        case GIT_EAMBIGUOUS:
        case GIT_EBAREREPO:
            return ErrorKind::kUsage;
        default:
            break;
    }
    switch (klass) {
        case GIT_ERROR_ODB:
        case GIT_ERROR_ZLIB:
        case GIT_ERROR_OBJECT:
        case GIT_ERROR_INVALID:
        case GIT_ERROR_TREE:
            return ErrorKind::kCorrupt;
        default:
            return ErrorKind::kFailed;
    }
}

}  // namespace

void start_library() {
    static const bool started = initialise();
    static_cast<void>(started);
}

Error git_error(int code, std::string_view what) {
    const ::git_error* last = git_error_last();
    Error result =
        error(kind_of(code, last != nullptr ? last->klass : GIT_ERROR_NONE),
              "{}: {}",
              what,
              last != nullptr && last->message != nullptr ? last->message : "unknown error");
    if (code == GIT_EOWNER) {
        result.help.emplace_back(
            "if you trust it: git config --global --add safe.directory <path>");
    } else if (result.kind == ErrorKind::kCorrupt) {
        result.help.emplace_back("`git fsck` in it says more; a fresh clone repairs it");
    }
    return result;
}

std::string hex(const git_oid& id) {
    std::string text(GIT_OID_HEXSZ, '0');
    git_oid_fmt(text.data(), &id);
    return text;
}

Result<git_oid> parse_id(std::string_view id) {
    git_oid result;
    if (id.size() != GIT_OID_HEXSZ || git_oid_fromstrn(&result, id.data(), id.size()) < 0) {
        return fail(ErrorKind::kUsage,
                    "`{}` is not a full git object id (40 hex digits)",
                    id.substr(0, 80));
    }
    return result;
}

}  // namespace tarn::git::detail
