// SPDX-License-Identifier: MIT
// Which channel a package is published to (declaration format, "publish channels").
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "project/model.hh"

namespace tarn {

// A segment of the name between hyphens is `debuginfo` or `debugsource`.
bool is_debug_package_name(std::string_view package);

// Looks at a project that outlives it.
class PublishRules {
  public:
    explicit PublishRules(const Project& project);

    // Of a binary package; `component` may be nullptr. Empty: none is said. "none": not published.
    // default-package-config < the component's publish < the package group < the component's own
    // word for this package.
    std::string channel(const Component* component, const std::string& package) const;
    // The groups a package is listed in, by name.
    std::vector<std::string> groups_of(const std::string& package) const;
    // Every package that some group or component names, sorted.
    std::vector<std::string> packages() const;

  private:
    const Project& project_;
    std::unordered_map<std::string_view, std::vector<const PackageGroup*>> groups_;
};

}  // namespace tarn
