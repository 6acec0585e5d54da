// SPDX-License-Identifier: MIT
#include "project/detail/patterns.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>
#include <filesystem>

namespace tarn::declaration {
namespace {

constexpr std::string_view kMeta = "*?[{\\";

// The part of a pattern that names a directory plainly, and the rest.
struct SplitPattern {
    std::string directory;
    std::string rest;
};

SplitPattern split_pattern(const std::string& pattern) {
    const std::size_t meta = pattern.find_first_of(kMeta);
    const std::size_t slash = pattern.rfind('/', meta);
    if (slash == std::string::npos) {
        return {"", pattern};
    }
    return {slash == 0 ? "/" : pattern.substr(0, slash), pattern.substr(slash + 1)};
}

// How deep below its directory a pattern can match; braces may hide slashes.
std::size_t depth_of(std::string_view rest) {
    if (contains(rest, "**") || contains(rest, "{")) {
        return 64;
    }
    return static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '/'));
}

class Walk {
  public:
    Walk(std::string pattern, std::size_t limit, Unreadable unreadable)
        : pattern_(std::move(pattern)), limit_(limit), unreadable_(unreadable) {}

    Result<void> directory(const std::string& path, const std::string& below, std::size_t depth) {
        namespace fs = std::filesystem;
        std::error_code error;
        std::vector<fs::directory_entry> entries;
        for (fs::directory_iterator at(path, error), end; !error && at != end;
             at.increment(error)) {
            entries.push_back(*at);
            if (++looked_at_ > limit_) {
                return fail(
                    ErrorKind::kUsage, "pattern {} looks at more than {} files", pattern_, limit_);
            }
        }
        if (error && error != std::errc::no_such_file_or_directory &&
            unreadable_ == Unreadable::kFail) {
            return fail(ErrorKind::kSystem, "cannot read {}: {}", path, error.message());
        }
        std::sort(entries.begin(), entries.end());
        for (const fs::directory_entry& entry : entries) {
            TARN_TRY(one(entry, below, depth));
        }
        return {};
    }

    std::vector<std::string> found() && { return std::move(found_); }

  private:
    Result<void> one(const std::filesystem::directory_entry& entry,
                     const std::string& below,
                     std::size_t depth) {
        std::error_code error;
        const std::string relative = below + entry.path().filename().string();
        const bool link = entry.is_symlink(error);
        if (entry.is_directory(error)) {
            if (depth > 0 && !link) {
                return directory(entry.path().string(), relative + "/", depth - 1);
            }
        } else if (entry.is_regular_file(error) && glob_match(pattern_, relative)) {
            found_.push_back(entry.path().string());
        }
        return {};
    }

    std::string pattern_;
    std::size_t limit_;
    Unreadable unreadable_;
    std::size_t looked_at_ = 0;
    std::vector<std::string> found_;
};

}  // namespace

bool may_match_nothing(std::string_view pattern) {
    return pattern.find_first_of("*?[") != std::string_view::npos;
}

std::string_view pattern_fault(std::string_view pattern) {
    if (pattern.find_first_of("*?[{") == std::string_view::npos) {
        return {};  // a literal name, in which a backslash is a backslash
    }
    std::size_t braces = 0;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] == '\\') {
            if (++at == pattern.size()) {
                return "the \\ at its end escapes nothing";
            }
        } else if (pattern[at] == '[') {
            // The first character of a class may be the closing bracket itself.
            const std::size_t close = pattern.find(']', at + 2);
            if (close == std::string_view::npos) {
                return "a [ is not closed";
            }
            at = close;
        } else if (pattern[at] == '{') {
            ++braces;
        } else if (pattern[at] == '}') {
            if (braces == 0) {
                return "a } was not opened";
            }
            --braces;
        }
    }
    return braces == 0 ? "" : "a { is not closed";
}

Result<std::vector<std::string>> matching_files(const std::string& pattern,
                                                const std::string& directory,
                                                std::size_t limit,
                                                Unreadable unreadable) {
    if (pattern.find_first_of(kMeta) == std::string::npos) {
        const std::string path = absolute_path(pattern, directory);
        std::error_code error;
        if (std::filesystem::is_regular_file(path, error)) {
            return std::vector<std::string>{path};
        }
        return std::vector<std::string>{};
    }
    const SplitPattern parts = split_pattern(pattern);
    Walk walk(parts.rest, limit, unreadable);
    const std::string start = absolute_path(parts.directory, directory);
    TARN_TRY(walk.directory(start, "", depth_of(parts.rest)));
    return std::move(walk).found();
}

}  // namespace tarn::declaration
