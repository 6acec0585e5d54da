// SPDX-License-Identifier: MIT
// SELinux without SELinux: the labels of a tree's files computed in user space from the policy that
// lies in the tree, and what has to be there for a kernel to enforce it. Nothing here asks the
// machine it runs on.
#pragma once

#include "base/result.hh"
#include "selinux/file_contexts.hh"
#include "store/store.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn {

// As the kernel keeps it: the context and a NUL.
inline constexpr std::string_view kSelinuxXattr = "security.selinux";

struct SelinuxPolicy {
    std::string name;      // "targeted"
    std::string path;      // "etc/selinux/targeted/policy/policy.33": that of the highest number
    unsigned version = 0;  // 33
    FileContexts contexts;
};
// The policy below /etc/selinux/<name> of a tree. kNotFound says what is missing and which policies
// there are; kUsage for a name that is no file name.
Result<SelinuxPolicy> read_policy(const Store& store, const Tree& tree, std::string_view name);

struct LabelReport {
    std::size_t labelled = 0;
    std::vector<std::string> none;       // "/tmp/x": the policy says <<none>>; left without a label
    std::vector<std::string> conflicts;  // hard links the policy labels differently: one a line
};
struct LabelledTree {
    Tree tree;
    LabelReport report;
};
// Every entry with its label; labels that were there are replaced. Directories the tree implies
// (parents without an entry, the root itself) get an entry: root's, 0755, `mtime`. The names of one
// inode share the label of the first of them by path.
// kFailed lists paths no specification speaks of.
Result<LabelledTree> label_tree(const FileContexts& contexts, const Tree& tree, std::int64_t mtime);

enum class SelinuxMode : std::uint8_t { kDisabled, kPermissive, kEnforcing };
Result<SelinuxMode> parse_selinux_mode(std::string_view text);  // kUsage, with a suggestion
std::string_view to_string(SelinuxMode mode);
// /etc/selinux/config
std::string selinux_config(SelinuxMode mode, std::string_view policy);
// What the kernel command line has to say so that SELinux is the security module of a kernel with
// this configuration ("CONFIG_..." lines; "" when it is not known). Nothing when it is anyway.
// kFailed when the kernel was built without it.
Result<std::vector<std::string>> selinux_command_line(SelinuxMode mode,
                                                      std::string_view kernel_config);

}  // namespace tarn
