// SPDX-License-Identifier: MIT
#include "image/detail/selinux.hh"

#include "selinux/selinux.hh"

namespace tarn::image {
namespace {

Result<SelinuxMode> mode_of(const Image& image) {
    if (image.selinux.mode.empty()) {
        return SelinuxMode::kDisabled;
    }
    auto mode = parse_selinux_mode(image.selinux.mode);
    if (!mode) {
        return fail(std::move(mode.error()).context(fmt::format("the image `{}`", image.name)));
    }
    return mode;
}

std::string_view policy_of(const Image& image) {
    return image.selinux.policy.empty() ? kDefaultPolicy : std::string_view(image.selinux.policy);
}

// Empty when the tree has none, or of several kernels.
Result<std::string> kernel_config(const Store& store, const Tree& tree) {
    std::string found;
    for (const TreeEntry& entry : tree.entries()) {
        const bool config =
            entry.path.starts_with("boot/config-") ||
            (entry.path.starts_with("usr/lib/modules/") && entry.path.ends_with("/config") &&
             entry.path.find('/', 16) == entry.path.size() - 7);
        if (config && entry.kind == EntryKind::kFile) {
            if (!found.empty()) {
                return std::string();
            }
            found = TARN_TRY(store.read(entry.content));
        }
    }
    return found;
}

}  // namespace

bool labels_files(const Image& image) {
    const auto mode = mode_of(image);
    return mode && *mode != SelinuxMode::kDisabled;
}

Result<void> add_selinux_configuration(const Image& image, const Tree& tree, Overlay& overlay) {
    constexpr std::string_view kPath = "etc/selinux/config";
    if (image.selinux.mode.empty()) {
        return {};
    }
    const SelinuxMode mode = TARN_TRY(mode_of(image));
    const std::string text = selinux_config(mode, policy_of(image));
    // A file as its package has it is one `rpm --verify` finds nothing to say of.
    const TreeEntry* const there = tree.find(kPath);
    if (there != nullptr && there->kind == EntryKind::kFile && there->content == Digest::of(text)) {
        return {};
    }
    return overlay.file(kPath, text);
}

Result<Tree> label_system(const Store& store,
                          const Image& image,
                          const Tree& tree,
                          std::int64_t time,
                          Reporter& reporter) {
    if (!labels_files(image)) {
        return tree;
    }
    Overlay made(store, time);
    // mke2fs makes this directory by itself, without a label.
    if (image.filesystem.empty() || image.filesystem == "ext4") {
        made.directory("lost+found", 0700);
    }
    const Tree complete = TARN_TRY(made.over(tree));
    auto policy = read_policy(store, complete, policy_of(image));
    if (!policy) {
        return fail(std::move(policy.error()).context(fmt::format("the image `{}`", image.name)));
    }
    auto labelled = label_tree(policy->contexts, complete, time);
    if (!labelled) {
        return fail(std::move(labelled.error()).context(fmt::format("the image `{}`", image.name)));
    }
    for (const std::string& conflict : labelled->report.conflicts) {
        reporter.warn(conflict);
    }
    return std::move(labelled->tree);
}

Result<std::vector<std::string>> selinux_options(const Store& store,
                                                 const Image& image,
                                                 const Tree& tree) {
    const SelinuxMode mode = TARN_TRY(mode_of(image));
    if (mode == SelinuxMode::kDisabled) {
        return std::vector<std::string>();
    }
    return selinux_command_line(mode, TARN_TRY(kernel_config(store, tree)));
}

}  // namespace tarn::image
