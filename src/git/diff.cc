// SPDX-License-Identifier: MIT
#include "git/diff.hh"

#include <git2.h>

#include <memory>

namespace tarn::git {

namespace {

struct PatchDeleter {
    void operator()(git_patch* patch) const { git_patch_free(patch); }
};

class Library {  // libgit2 counts its initialisations
  public:
    Library() { git_libgit2_init(); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() { git_libgit2_shutdown(); }
};

}  // namespace

std::string unified_diff(const DiffSide& before, const DiffSide& after) {
    if (before.there == after.there && before.text == after.text) {
        return {};
    }
    const Library library;
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    options.context_lines = 3;
    git_patch* raw = nullptr;
    const int made = git_patch_from_buffers(&raw,
                                            before.there ? before.text.data() : nullptr,
                                            before.there ? before.text.size() : 0,
                                            before.path.c_str(),
                                            after.there ? after.text.data() : nullptr,
                                            after.there ? after.text.size() : 0,
                                            after.path.c_str(),
                                            &options);
    const std::unique_ptr<git_patch, PatchDeleter> patch(raw);
    git_buf buffer = GIT_BUF_INIT;
    std::string text;
    if (made == 0 && git_patch_to_buf(&buffer, patch.get()) == 0) {
        text.assign(buffer.ptr, buffer.size);
        git_buf_dispose(&buffer);
    }
    return text;
}

}  // namespace tarn::git
