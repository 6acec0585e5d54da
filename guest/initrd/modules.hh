// SPDX-License-Identifier: MIT
// Which of the initrd's kernel modules a machine needs. The lists come from the image builder:
//   modules.list   "<name> <dependency>..." a line; dependencies are listed on earlier lines
//   modules.alias  "<pattern> <name>" a line, only of the listed modules
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tarn::initrd {

struct Module {
    std::string name;
    std::vector<std::size_t> needs;  // indices of earlier modules
    bool tried = false;
};

class ModuleTable {
  public:
    ModuleTable(std::string_view list, std::string_view aliases);

    // Remembers what a device says of itself; already matched modules are wanted from now on.
    void device(std::string_view modalias);
    void want(std::string_view name_or_alias);
    // The modules to load next, in order: dependencies and then the first wanted one not tried yet.
    // Marks them as tried. Empty when nothing is left to load.
    std::vector<std::string> next();
    std::size_t size() const { return modules_.size(); }

  private:
    struct Alias {
        std::string pattern;
        std::size_t module;
    };
    std::size_t find(std::string_view name) const;
    void collect(std::size_t module, std::vector<std::string>& out);
    std::vector<Module> modules_;
    std::vector<Alias> aliases_;
    std::vector<bool> wanted_;
};

}  // namespace tarn::initrd
