// SPDX-License-Identifier: MIT
// depmod's tables (modules.dep, modules.alias, modules.softdep, modules.builtin of kmod) as a
// value: which files a module needs, in which order they are to be loaded.
#pragma once

#include "base/result.hh"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

struct ModuleTables {
    std::string_view dependencies;  // modules.dep
    std::string_view aliases;       // modules.alias
    std::string_view soft;          // modules.softdep; may be empty
    std::string_view builtin;       // modules.builtin; may be empty
};

struct ModuleChoice {
    std::string name;                // with '_'
    std::string path;                // relative to /usr/lib/modules/<version>
    std::vector<std::string> needs;  // names of earlier choices
};

class KernelModules {
  public:
    // kCorrupt for lines that are not depmod's.
    static Result<KernelModules> parse(const ModuleTables& tables);

    // The modules and all they need, dependencies first, otherwise in the order asked for. Names
    // may be written with '-'. What is built into the kernel is left out. kNotFound names every
    // module the kernel does not have, with suggestions.
    Result<std::vector<ModuleChoice>> closure(const std::vector<std::string>& names) const;
    // "<pattern> <name>" a line for the chosen modules, in depmod's order.
    std::string aliases_of(const std::vector<ModuleChoice>& chosen) const;

  private:
    struct Known {
        std::string path;
        std::vector<std::string> needs;  // direct and indirect, as modules.dep lists them
        std::vector<std::string> soft;   // "pre:" soft dependencies
    };
    void choose(const std::string& name,
                std::set<std::string>& seen,
                std::vector<ModuleChoice>& out) const;
    std::map<std::string, Known> modules_;
    std::set<std::string> builtin_;
    std::vector<std::pair<std::string, std::string>> aliases_;
};

// "kernel/drivers/nvme/host/nvme-core.ko.xz" -> "nvme_core".
std::string module_name_of_path(std::string_view path);

}  // namespace tarn::image
