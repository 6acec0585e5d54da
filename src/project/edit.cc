// SPDX-License-Identifier: MIT
#include "project/detail/dump_node.hh"
#include "project/dump.hh"

namespace tarn {

std::string append_components(std::string_view text, const std::vector<std::string>& names) {
    std::string result(text);
    if (names.empty()) {
        return result;
    }
    if (!result.empty() && !result.ends_with('\n')) {
        result += '\n';
    }
    // A blank line between what was there and what comes, unless tables of this kind end it.
    const std::size_t last = result.size() < 2 ? 0 : result.rfind('\n', result.size() - 2) + 1;
    const std::string_view last_line = std::string_view(result).substr(last);
    if (!result.empty() && last_line != "\n" && !last_line.starts_with("[components.")) {
        result += '\n';
    }
    for (const std::string& name : names) {
        result += fmt::format("[components.{}]\n", declaration::toml_key(name));
    }
    return result;
}

std::string project_skeleton(const std::string& name) {
    return fmt::format(R"([project]
description = {0}
default-distro = {{ name = {0} }}

[distros.{1}]
default-version = "1.0"

[distros.{1}.versions."1.0"]
release-ver = "1.0"

# What every component inherits:
[default-component-config]
spec = {{ type = "upstream", upstream-distro = {{ name = "fedora" }} }}

[distros.fedora]
default-version = "43"
dist-git-base-uri = "https://src.fedoraproject.org/rpms/$pkg.git"
lookaside-base-uri = "https://src.fedoraproject.org/repo/pkgs/rpms/$pkg/$filename/$hashtype/$hash/$filename"

[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"

# Components: tarn component add NAME
)",
                       declaration::toml_text(name),
                       declaration::toml_key(name));
}

std::string gitignore_skeleton() {
    return "/build/\n/out/\n";
}

}  // namespace tarn
