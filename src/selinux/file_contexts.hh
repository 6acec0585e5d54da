// SPDX-License-Identifier: MIT
// file_contexts(5): which SELinux label belongs on which path. Answers are those of libselinux
// (setfiles, restorecon): a specification without meta characters wins over a regular expression;
// among expressions, and among literals of one path, the last one counts, where `homedirs` comes
// after the main file and `local` after that.
#pragma once

#include "base/result.hh"
#include "store/tree.hh"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

// One of the files, as text; `name` is for errors. A missing optional file has no text.
struct FileContextsFile {
    std::string name;
    std::string text;
};

struct FileContextsSources {
    FileContextsFile main;
    FileContextsFile homedirs;   // file_contexts.homedirs
    FileContextsFile local;      // file_contexts.local
    FileContextsFile subs_dist;  // file_contexts.subs_dist: "<path> <path looked up instead>"
    FileContextsFile subs;       // file_contexts.subs: applied before those of subs_dist
};

struct FileLabel {
    enum class Kind : std::uint8_t {
        kContext,  // `context` is the label
        kNone,     // "<<none>>": the policy leaves the path alone
        kNoMatch,  // no specification speaks of the path
    };
    Kind kind = Kind::kNoMatch;
    std::string_view context{};  // "system_u:object_r:etc_t:s0"; lives as long as the FileContexts
    std::string_view file{};     // where the specification stands
    std::uint32_t line = 0;
    bool operator==(const FileLabel&) const = default;
};

// Looking up keeps state (expressions that are used often are compiled to machine code): one
// thread at a time.
class FileContexts {
  public:
    // kCorrupt names every bad line: an expression, file type or context that is none, two labels
    // for one specification, more than 64 MiB of text or 200,000 specifications.
    static Result<FileContexts> parse(FileContextsSources sources);
    FileContexts(FileContexts&&) noexcept;
    FileContexts& operator=(FileContexts&&) noexcept;
    ~FileContexts();

    // `path` is absolute and in no need of folding. kFailed when an expression takes too long.
    Result<FileLabel> lookup(std::string_view path, EntryKind kind) const;
    std::size_t size() const;  // specifications

  private:
    struct State;
    explicit FileContexts(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace tarn
