// SPDX-License-Identifier: MIT
#include "project/publish.hh"

#include <algorithm>
#include <set>

#include "base/strings.hh"

namespace tarn {

namespace {

const std::string& pick(const Publish& publish, bool debug) {
    return debug ? publish.debuginfo_channel : publish.rpm_channel;
}

}  // namespace

bool is_debug_package_name(std::string_view package) {
    const auto segments = split(package, '-');
    return std::any_of(segments.begin(), segments.end(), [](std::string_view segment) {
        return segment == "debuginfo" || segment == "debugsource";
    });
}

PublishRules::PublishRules(const Project& project) : project_(project) {
    for (const auto& [name, group] : project.package_groups) {
        for (const std::string& package : group.packages) {
            groups_[package].push_back(&group);
        }
    }
}

std::string PublishRules::channel(const Component* component, const std::string& package) const {
    const bool debug = is_debug_package_name(package);
    std::string channel = pick(project_.default_publish, debug);
    const auto take = [&](const std::string& value) {
        if (!value.empty()) {
            channel = value;
        }
    };
    if (component != nullptr) {
        take(pick(component->publish, debug));
    }
    const auto listed = groups_.find(package);
    if (listed != groups_.end()) {
        for (const PackageGroup* group : listed->second) {
            take(pick(group->publish, debug));
        }
    }
    if (component != nullptr) {
        const auto own = component->packages.find(package);
        if (own != component->packages.end()) {
            take(pick(own->second, debug));
        }
    }
    return channel;
}

std::vector<std::string> PublishRules::groups_of(const std::string& package) const {
    std::vector<std::string> names;
    const auto listed = groups_.find(package);
    if (listed != groups_.end()) {
        for (const PackageGroup* group : listed->second) {
            names.push_back(group->name);
        }
    }
    return names;
}

std::vector<std::string> PublishRules::packages() const {
    std::set<std::string> names;
    for (const auto& [package, groups] : groups_) {
        names.emplace(package);
    }
    for (const auto& [name, component] : project_.components) {
        for (const auto& [package, publish] : component.packages) {
            names.insert(package);
        }
    }
    return {names.begin(), names.end()};
}

}  // namespace tarn
