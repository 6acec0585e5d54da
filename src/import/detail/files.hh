// SPDX-License-Identifier: MIT
// The file list of an imported package: /usr-merged, thinned by the policy, mended by the rule.
#pragma once

#include "import/detail/problems.hh"
#include "project/model.hh"
#include "store/store.hh"
#include "upstream/debian/deb.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::import {

struct Files {
    Tree tree;
    std::vector<std::pair<std::string, std::uint32_t>> flags;  // sorted by path
};

// "lib/x" and "/lib/x" -> "usr/lib/x" and "/usr/lib/x"; the same for bin, sbin, lib32, lib64,
// libx32. Other paths come back as they are.
std::string usr_merged(std::string_view path);

// Entries with merged paths and link targets, hard links pointing at the first name of their file.
// Fails (into `problems`) when two different files come to lie on one path.
std::vector<TreeEntry> merge_usr(const Tree& data, Problems& problems);

struct PathPolicy {
    std::vector<std::string> exclude, keep;  // globs over absolute paths
};
// Without excluded entries and without directories that this made empty.
std::vector<TreeEntry> exclude_paths(std::vector<TreeEntry> entries, const PathPolicy& policy);

// A directory of the file system hierarchy (FHS 3.0) with the owner and mode everybody gives it: one
// package of the distribution owns those, not each that puts something there.
bool is_standard_directory(const TreeEntry& entry);

// Raw "security.capability" of "cap_net_raw,cap_net_admin+ep"; nullopt when it is not one.
std::optional<std::string> capability_bytes(std::string_view text);

// All of the above, then links, files and attributes of the rule, the check for setuid and setgid
// files nobody acknowledged, and the flags. Times later than `epoch` become `epoch` (0: no limit).
Files make_files(const Store& store,
                 const debian::DebPackage& deb,
                 const std::string& package,
                 const ImportPolicy& policy,
                 const ImportRule& rule,
                 std::int64_t epoch,
                 Problems& problems);

}  // namespace tarn::import
