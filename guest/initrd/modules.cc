// SPDX-License-Identifier: MIT
#include "modules.hh"

#include "text.hh"

namespace tarn::initrd {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

}  // namespace

ModuleTable::ModuleTable(std::string_view list, std::string_view aliases) {
    for (const std::string_view line : lines(list)) {
        const auto parts = words(line);
        if (parts.empty()) {
            continue;
        }
        Module module;
        module.name = module_name(parts.front());
        for (std::size_t i = 1; i < parts.size(); ++i) {
            if (const std::size_t at = find(parts[i]); at != kNone) {
                module.needs.push_back(at);
            }
        }
        modules_.push_back(std::move(module));
    }
    wanted_.resize(modules_.size());
    for (const std::string_view line : lines(aliases)) {
        const auto parts = words(line);
        if (parts.size() == 2) {
            if (const std::size_t at = find(parts[1]); at != kNone) {
                aliases_.push_back({std::string(parts[0]), at});
            }
        }
    }
}

std::size_t ModuleTable::find(std::string_view name) const {
    const std::string wanted = module_name(name);
    for (std::size_t i = 0; i < modules_.size(); ++i) {
        if (modules_[i].name == wanted) {
            return i;
        }
    }
    return kNone;
}

void ModuleTable::device(std::string_view modalias) {
    for (const Alias& alias : aliases_) {
        if (!wanted_[alias.module] && glob(alias.pattern, modalias)) {
            wanted_[alias.module] = true;
        }
    }
}

void ModuleTable::want(std::string_view name_or_alias) {
    if (const std::size_t at = find(name_or_alias); at != kNone) {
        wanted_[at] = true;
    }
    device(name_or_alias);
}

void ModuleTable::collect(std::size_t module, std::vector<std::string>& out) {
    if (modules_[module].tried) {
        return;
    }
    modules_[module].tried = true;
    for (const std::size_t need : modules_[module].needs) {
        collect(need, out);
    }
    out.push_back(modules_[module].name);
}

std::vector<std::string> ModuleTable::next() {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < modules_.size() && out.empty(); ++i) {
        if (wanted_[i]) {
            collect(i, out);
        }
    }
    return out;
}

}  // namespace tarn::initrd
