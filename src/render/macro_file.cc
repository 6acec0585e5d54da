// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "render/render.hh"

#include <algorithm>
#include <map>

namespace tarn {

std::string macros_file_text(const Component& component,
                             const RenderWording& wording,
                             const std::vector<std::pair<std::string, std::string>>& provenance) {
    std::map<std::string, std::string> macros;
    for (const std::string& name : component.build.with) {
        macros["_with_" + name] = "1";
    }
    for (const std::string& name : component.build.without) {
        macros["_without_" + name] = "1";
    }
    for (const auto& [name, value] : component.build.defines) {
        macros[name] = value;
    }
    for (const std::string& name : component.build.undefines) {
        macros.erase(name);
    }
    for (const auto& [name, value] : provenance) {
        macros.emplace(name, value);
    }
    if (macros.empty()) {
        return {};
    }
    std::string text;
    for (const std::string& line : wording.macros_header) {
        text += replace_all(line, "{component}", component.name) + "\n";
    }
    for (const auto& [name, value] : macros) {
        // A macro file goes on to the next line behind a backslash.
        text += fmt::format("%{} {}\n", name, replace_all(value, "\n", "\\\n"));
    }
    return text;
}

}  // namespace tarn
