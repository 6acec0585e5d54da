// SPDX-License-Identifier: MIT
#include "image/detail/kernel_modules.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>

namespace tarn::image {
namespace {

std::string canonical(std::string_view name) {
    std::string out(name);
    std::ranges::replace(out, '-', '_');
    return out;
}

Failure malformed(std::string_view file, std::string_view line) {
    return fail(ErrorKind::kCorrupt, "{}: not a line of depmod's: {}", file, line.substr(0, 200));
}

}  // namespace

std::string module_name_of_path(std::string_view path) {
    std::string name = file_name(path);
    return canonical(name.substr(0, name.find(".ko")));
}

Result<KernelModules> KernelModules::parse(const ModuleTables& tables) {
    KernelModules out;
    for (const std::string_view line : split_lines(tables.dependencies)) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos ||
            !safe_relative_path(line.substr(0, colon), Absolute::kRefuse)) {
            return malformed("modules.dep", line);
        }
        Known known;
        known.path = line.substr(0, colon);
        for (const std::string_view need : split_words(line.substr(colon + 1))) {
            known.needs.push_back(module_name_of_path(need));
        }
        out.modules_.emplace(module_name_of_path(known.path), std::move(known));
    }
    for (const std::string_view line : split_lines(tables.builtin)) {
        out.builtin_.insert(module_name_of_path(line));
    }
    for (const std::string_view line : split_lines(tables.aliases)) {
        const auto words = split_words(line);
        if (words.empty() || words[0].starts_with('#')) {
            continue;
        }
        if (words.size() != 3 || words[0] != "alias") {
            return malformed("modules.alias", line);
        }
        out.aliases_.emplace_back(words[1], canonical(words[2]));
    }
    for (const std::string_view line : split_lines(tables.soft)) {
        const auto words = split_words(line);
        if (words.size() < 3 || words[0] != "softdep") {
            continue;  // a comment, or a form that says nothing of loading
        }
        const auto known = out.modules_.find(canonical(words[1]));
        bool before = false;
        for (std::size_t i = 2; known != out.modules_.end() && i < words.size(); ++i) {
            if (words[i].ends_with(':')) {
                before = words[i] == "pre:";
            } else if (before) {
                known->second.soft.push_back(canonical(words[i]));
            }
        }
    }
    return out;
}

void KernelModules::choose(const std::string& name,
                           std::set<std::string>& seen,
                           std::vector<ModuleChoice>& out) const {
    const auto known = modules_.find(name);
    if (known == modules_.end() || !seen.insert(name).second) {
        return;
    }
    ModuleChoice choice;
    choice.name = name;
    choice.path = known->second.path;
    for (const auto* list : {&known->second.soft, &known->second.needs}) {
        for (const std::string& need : *list) {
            choose(need, seen, out);
            if (modules_.contains(need) && need != name) {
                choice.needs.push_back(need);
            }
        }
    }
    out.push_back(std::move(choice));
}

Result<std::vector<ModuleChoice>> KernelModules::closure(
    const std::vector<std::string>& names) const {
    std::vector<ModuleChoice> out;
    std::set<std::string> seen;
    std::vector<std::string> missing;
    for (const std::string& written : names) {
        const std::string name = canonical(written);
        if (modules_.contains(name)) {
            choose(name, seen, out);
        } else if (!builtin_.contains(name)) {
            missing.push_back(written);
        }
    }
    if (missing.empty()) {
        return out;
    }
    std::vector<std::string> candidates(builtin_.begin(), builtin_.end());
    for (const auto& [name, known] : modules_) {
        candidates.push_back(name);
    }
    Error problem =
        error(ErrorKind::kNotFound, "the kernel has no module `{}`", join(missing, "`, `"));
    for (const std::string& name : missing) {
        if (std::string help = did_you_mean(canonical(name), candidates); !help.empty()) {
            problem.help.push_back(fmt::format("{}: {}", name, help));
        }
    }
    return fail(std::move(problem));
}

std::string KernelModules::aliases_of(const std::vector<ModuleChoice>& chosen) const {
    std::set<std::string, std::less<>> names;
    for (const ModuleChoice& choice : chosen) {
        names.insert(choice.name);
    }
    std::string out;
    for (const auto& [pattern, name] : aliases_) {
        if (names.contains(name)) {
            out.append(pattern).append(" ").append(name).append("\n");
        }
    }
    return out;
}

}  // namespace tarn::image
