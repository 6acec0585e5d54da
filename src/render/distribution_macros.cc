// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "render/rendered_tree.hh"

#include <algorithm>
#include <array>

namespace tarn {

namespace {

// Macros that a distribution's own packages define to say which one it is, and by what name's beginning a
// project would call a distribution that has them.
struct Family {
    std::string_view macro;
    std::array<std::string_view, 6> names;
};
constexpr Family kFamilies[] = {
    {"fedora", {"fedora", "eln"}},
    {"eln", {"eln"}},
    {"flatpak", {"flatpak"}},
    {"rhel", {"rhel", "centos", "alma", "rocky", "oracle", "eln"}},
    {"centos", {"centos"}},
    {"centos_version", {"centos"}},
    {"rhel_version", {"rhel", "centos"}},
    {"epel", {"epel"}},
    {"amzn", {"amzn", "amazon"}},
    {"openEuler", {"openeuler"}},
    {"suse_version", {"suse", "opensuse", "sle"}},
    {"sle_version", {"suse", "opensuse", "sle"}},
    {"is_opensuse", {"suse", "opensuse", "sle"}},
    {"leap_version", {"suse", "opensuse", "leap"}},
    {"sles_version", {"suse", "sle"}},
    {"mageia", {"mageia"}},
    {"mgaversion", {"mageia"}},
    {"mandriva_version", {"mandriva", "openmandriva"}},
    {"mdkversion", {"mandriva", "openmandriva", "mageia"}},
    {"mdvver", {"openmandriva"}},
    {"pld_release", {"pld"}},
};

bool has_name(const Family& family, const std::string& distro) {
    const std::string name = to_lower(distro);
    return std::any_of(family.names.begin(), family.names.end(), [&](std::string_view start) {
        return !start.empty() && name.starts_with(start);
    });
}

}  // namespace

MacroTable distribution_macros(const Project& project) {
    MacroTable macros;
    for (const Family& family : kFamilies) {
        const bool own = has_name(family, project.default_distro.name);
        const bool declared =
            std::any_of(project.distros.begin(), project.distros.end(), [&](const auto& distro) {
                return has_name(family, distro.first);
            });
        if (!own && !declared) {
            macros.undefine(std::string(family.macro));
        }
    }
    return macros;
}

}  // namespace tarn
