// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "selinux/selinux.hh"

#include <algorithm>
#include <array>
#include <set>

namespace tarn {
namespace {

constexpr std::string_view kDirectory = "etc/selinux";
constexpr std::array<std::string_view, 3> kModes = {"disabled", "permissive", "enforcing"};

std::vector<std::string> policies_of(const Tree& tree) {
    std::set<std::string> out;
    for (const TreeEntry* entry : tree.below(kDirectory)) {
        const std::string_view rest = std::string_view(entry->path).substr(kDirectory.size());
        const std::vector<std::string_view> parts = split(rest, '/');
        if (parts.size() == 4 && parts[2] == "policy" && parts[3].starts_with("policy.")) {
            out.emplace(parts[1]);
        }
    }
    return {out.begin(), out.end()};
}

Error no_policy(const Tree& tree, std::string_view name, const std::string& path) {
    Error out =
        error(ErrorKind::kNotFound, "the image has no SELinux policy `{}`: no /{}", name, path);
    const std::vector<std::string> there = policies_of(tree);
    out.help.push_back(there.empty() ? fmt::format("add a package with the policy, such as "
                                                   "`selinux-policy-{}`, or set `selinux.mode` to "
                                                   "\"disabled\"",
                                                   name)
                                     : "policies in the image: " + join(there, ", "));
    return out;
}

// nullopt when there is none; something else than a file is none either.
Result<std::optional<FileContextsFile>> read_optional(const Store& store,
                                                      const Tree& tree,
                                                      const std::string& path) {
    const TreeEntry* const entry = tree.find(path);
    if (entry == nullptr || entry->kind != EntryKind::kFile) {
        return std::optional<FileContextsFile>();
    }
    return std::optional<FileContextsFile>({"/" + path, TARN_TRY(store.read(entry->content))});
}

std::string_view setting(std::string_view config, std::string_view name) {
    for (const std::string_view line : split_lines(config)) {
        if (line.starts_with(name) && line.substr(name.size()).starts_with('=')) {
            std::string_view value = trim(line.substr(name.size() + 1));
            if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
                value = value.substr(1, value.size() - 2);
            }
            return value;
        }
    }
    return {};
}

// Of the modules that exclude each other the kernel starts the first of its list.
bool starts_selinux(std::string_view modules) {
    for (const std::string_view module : split(modules, ',')) {
        if (module == "selinux") {
            return true;
        }
        if (module == "apparmor" || module == "smack" || module == "tomoyo") {
            return false;
        }
    }
    return false;
}

}  // namespace

Result<SelinuxPolicy> read_policy(const Store& store, const Tree& tree, std::string_view name) {
    if (name.empty() || name.find('/') != std::string_view::npos || name.starts_with('.')) {
        return fail(error(ErrorKind::kUsage, "`{}` is no name of an SELinux policy", name)
                        .advise("it is a directory of /etc/selinux, such as \"targeted\""));
    }
    const std::string base = fmt::format("{}/{}", kDirectory, name);
    std::string path;
    unsigned version = 0;
    for (const TreeEntry* entry : tree.below(base + "/policy")) {
        const std::string prefix = base + "/policy/policy.";
        const auto number = entry->path.starts_with(prefix)
                                ? parse_u64(std::string_view(entry->path).substr(prefix.size()))
                                : std::nullopt;
        if (entry->kind == EntryKind::kFile && number && *number > version && *number < 1000) {
            version = static_cast<unsigned>(*number);
            path = entry->path;
        }
    }
    if (path.empty()) {
        return fail(no_policy(tree, name, base + "/policy/policy.*"));
    }
    const std::string files = base + "/contexts/files/file_contexts";
    FileContextsSources sources;
    const std::pair<const char*, FileContextsFile*> parts[] = {{"", &sources.main},
                                                               {".homedirs", &sources.homedirs},
                                                               {".local", &sources.local},
                                                               {".subs_dist", &sources.subs_dist},
                                                               {".subs", &sources.subs}};
    for (const auto& [suffix, file] : parts) {
        auto text = TARN_TRY(read_optional(store, tree, files + suffix));
        if (text) {
            *file = std::move(*text);
        } else if (*suffix == '\0') {
            return fail(no_policy(tree, name, files));
        }
    }
    FileContexts contexts = TARN_TRY(FileContexts::parse(std::move(sources)));
    return SelinuxPolicy{std::string(name), std::move(path), version, std::move(contexts)};
}

Result<SelinuxMode> parse_selinux_mode(std::string_view text) {
    for (std::size_t i = 0; i < kModes.size(); ++i) {
        if (text == kModes[i]) {
            return static_cast<SelinuxMode>(i);
        }
    }
    std::string help = did_you_mean(text, {kModes.begin(), kModes.end()});
    return fail(error(ErrorKind::kUsage, "`{}` is no mode of SELinux", text)
                    .advise(help.empty() ? "modes are `enforcing`, `permissive` and `disabled`"
                                         : std::move(help)));
}

std::string_view to_string(SelinuxMode mode) {
    return kModes[static_cast<std::size_t>(mode)];
}

std::string selinux_config(SelinuxMode mode, std::string_view policy) {
    return fmt::format("SELINUX={}\nSELINUXTYPE={}\n", to_string(mode), policy);
}

Result<std::vector<std::string>> selinux_command_line(SelinuxMode mode,
                                                      std::string_view kernel_config) {
    if (mode == SelinuxMode::kDisabled) {
        return std::vector<std::string>();
    }
    if (!kernel_config.empty() && setting(kernel_config, "CONFIG_SECURITY_SELINUX") != "y") {
        return fail(error(ErrorKind::kFailed, "the image's kernel was built without SELinux")
                        .advise("choose a kernel with CONFIG_SECURITY_SELINUX=y, or set "
                                "`selinux.mode` to \"disabled\""));
    }
    if (starts_selinux(setting(kernel_config, "CONFIG_LSM"))) {
        return std::vector<std::string>();
    }
    std::vector<std::string> out = {"security=selinux"};
    // Built so that it starts only when it is told to.
    if (setting(kernel_config, "CONFIG_SECURITY_SELINUX_BOOTPARAM") == "y") {
        out.emplace_back("selinux=1");
    }
    return out;
}

}  // namespace tarn
