// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "selinux/selinux.hh"

#include <map>
#include <set>

namespace tarn {
namespace {

constexpr std::size_t kShownPaths = 10;

// With an entry for every directory there will be: what has no entry could carry no label.
Result<Tree> with_all_directories(const Tree& tree, std::int64_t mtime) {
    std::set<std::string, std::less<>> missing;
    const auto note = [&](const std::string& path) {
        return tree.find(path) == nullptr && missing.insert(path).second;
    };
    note("");
    for (const TreeEntry& entry : tree.entries()) {
        for (std::string above = parent_path(entry.path); !above.empty() && note(above);
             above = parent_path(above)) {
        }
    }
    std::vector<TreeEntry> entries = tree.entries();
    for (const std::string& path : missing) {
        TreeEntry directory;
        directory.path = path;
        directory.kind = EntryKind::kDirectory;
        directory.mode = 0755;
        directory.mtime = mtime;
        entries.push_back(std::move(directory));
    }
    return Tree::make(std::move(entries));
}

// A path on one line of a terminal: control characters and what is not ASCII as \x and two digits.
std::string shown(std::string_view path) {
    std::string out;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

Error no_match_error(const std::vector<std::string>& paths) {
    Error out = error(ErrorKind::kFailed,
                      "the SELinux policy has no label for {}{}",
                      shown(paths.front()),
                      paths.size() == 1 ? "" : fmt::format(" and {} more", paths.size() - 1));
    for (std::size_t i = 1; i < paths.size() && i <= kShownPaths; ++i) {
        out.notes.push_back(shown(paths[i]));
    }
    out.help.emplace_back(
        "add a file context to a module of the policy, or to file_contexts.local");
    return out;
}

}  // namespace

Result<LabelledTree> label_tree(const FileContexts& contexts,
                                const Tree& tree,
                                std::int64_t mtime) {
    const std::string xattr(kSelinuxXattr);
    const Tree complete = TARN_TRY(with_all_directories(tree, mtime));
    std::vector<TreeEntry> entries = complete.entries();
    std::vector<std::string> unmatched;
    std::map<std::string, std::string_view, std::less<>> inodes;  // first name -> its context
    LabelledTree out;
    for (TreeEntry& entry : entries) {
        const std::string path = "/" + entry.path;
        entry.xattrs.erase(xattr);
        const FileLabel label = TARN_TRY(contexts.lookup(path, entry.kind));
        std::string_view context = label.context;
        if (!entry.hardlink.empty()) {
            const auto first = inodes.find(entry.hardlink);
            const std::string_view shared = first == inodes.end() ? "" : first->second;
            if (shared != context) {
                out.report.conflicts.push_back(
                    fmt::format("{} would be {}, but is one file with /{}, which is {}",
                                shown(path),
                                context.empty() ? "without a label" : context,
                                shown(entry.hardlink),
                                shared.empty() ? "without a label" : shared));
            }
            context = shared;
        } else if (entry.kind == EntryKind::kFile) {
            inodes.emplace(entry.path, context);
        }
        if (label.kind == FileLabel::Kind::kNoMatch && entry.hardlink.empty()) {
            unmatched.push_back(path);
        } else if (context.empty()) {
            out.report.none.push_back(path);
        } else {
            entry.xattrs[xattr] = std::string(context) + '\0';
            ++out.report.labelled;
        }
    }
    if (!unmatched.empty()) {
        return fail(no_match_error(unmatched));
    }
    out.tree = TARN_TRY(Tree::make(std::move(entries)));
    return out;
}

}  // namespace tarn
