// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "inspect/verify.hh"
#include "selinux/selinux.hh"

#include <algorithm>

namespace tarn::inspect {
namespace {

// The policy /etc/selinux/config asks for; empty when SELinux is off.
std::string policy_name(const Store& store, const Tree& tree) {
    std::string mode;
    std::string name;
    const std::string text = read(store, tree, "etc/selinux/config").value_or("");
    for (const std::string_view line : split_lines(text)) {
        const std::size_t equal = line.find('=');
        if (equal == std::string_view::npos) {
            continue;
        }
        const std::string_view key = trim(line.substr(0, equal));
        if (key == "SELINUX") {
            mode = trim(line.substr(equal + 1));
        } else if (key == "SELINUXTYPE") {
            name = trim(line.substr(equal + 1));
        }
    }
    return mode == "enforcing" || mode == "permissive" ? name : std::string();
}

bool is_labelled(const TreeEntry& entry) {
    return entry.xattrs.contains(std::string(kSelinuxXattr));
}

std::string label_of(const TreeEntry* entry) {
    if (entry == nullptr) {
        return "none";
    }
    const auto found = entry->xattrs.find(std::string(kSelinuxXattr));
    return found == entry->xattrs.end() ? "none"
                                        : found->second.substr(0, found->second.find('\0'));
}

}  // namespace

Result<std::vector<VerifyProblem>> verify_labels(const Store& store, const System& system) {
    const Tree& tree = system.artifact.tree;
    Tree wanted;
    if (const std::string name = policy_name(store, tree); !name.empty()) {
        const SelinuxPolicy policy = TARN_TRY(read_policy(store, tree, name));
        LabelledTree labelled = TARN_TRY(label_tree(policy.contexts, tree, 0));
        wanted = std::move(labelled.tree);
    }
    std::vector<VerifyProblem> out;
    if (!wanted.empty() && std::ranges::none_of(tree.entries(), is_labelled)) {
        out.push_back({"/etc/selinux/config", "asks for a policy, but no file has a label"});
        return out;
    }
    for (const TreeEntry& entry : tree.entries()) {
        const std::string is = label_of(&entry);
        const std::string should = label_of(wanted.find(entry.path));
        if (is != should) {
            out.push_back(
                {"/" + entry.path, fmt::format("the label is {}, the policy says {}", is, should)});
        }
    }
    return out;
}

}  // namespace tarn::inspect
