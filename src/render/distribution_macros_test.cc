// SPDX-License-Identifier: MIT
#include "render/rendered_tree.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;

constexpr std::string_view kSpec =
    "%{load:%{_sourcedir}/x.macros}\n"
    "Name: x\n"
    "Source0: always.txt\n"
    "%if 0%{?rhel}\n"
    "Source1: rhel.txt\n"
    "%else\n"
    "Source2: no-rhel.txt\n"
    "%endif\n"
    "%if 0%{?fedora} >= 40 || 0%{?rhel} >= 10\n"
    "Source3: fedora.txt\n"
    "%endif\n"
    "%if %{defined suse_version}\n"
    "Source4: suse.txt\n"
    "%endif\n"
    "%if 0%{?somebody_elses}\n"
    "Source5: somebody.txt\n"
    "%endif\n"
    "%{!?rhel:Source6: short.txt}\n"
    "%{?rhel:Source7: short-rhel.txt}\n";

std::vector<std::string> kept(const Project& project, const std::string& macro_file = "",
                              const std::string& project_macros = "") {
    SourceSet sources;
    sources.add("x.spec", std::string(kSpec), 0);
    sources.add("x.macros", macro_file, 0);
    for (const char* name : {"always", "rhel", "no-rhel", "fedora", "suse", "somebody", "short",
                             "short-rhel"}) {
        sources.add(std::string(name) + ".txt", name, 0);
    }
    MacroTable known = distribution_macros(project);
    known.define_file(project_macros);
    filter_rendered(sources, "x.spec", false, known);
    std::vector<std::string> names;
    for (const std::string& path : sources.paths()) {
        if (path.ends_with(".txt")) {
            names.push_back(path.substr(0, path.size() - 4));
        }
    }
    return names;
}

Project of(const std::string& name, std::vector<std::string> upstreams = {}) {
    Project project;
    project.default_distro.name = name;
    for (const std::string& upstream : upstreams) {
        project.distros[upstream].name = upstream;
    }
    return project;
}

// Which branch holds for %fedora, or for a macro of some package, is not known. Outside of conditions such a
// macro is taken as undefined (spec/macros.hh).
TEST(DistributionMacros, ThoseOfOtherDistributionsAreNotDefined) {
    EXPECT_THAT(kept(of("azurelinux", {"azurelinux", "fedora"})),
                ElementsAre("always", "fedora", "no-rhel", "short", "somebody"));
    EXPECT_THAT(kept(of("own")), ElementsAre("always", "no-rhel", "short", "somebody"));
}

TEST(DistributionMacros, OfADistributionTheProjectNamesNothingIsKnown) {
    EXPECT_THAT(kept(of("CentOS-Stream")),
                ElementsAre("always", "fedora", "no-rhel", "rhel", "short", "somebody"));
    EXPECT_THAT(kept(of("own", {"opensuse"})),
                ElementsAre("always", "no-rhel", "short", "somebody", "suse"));
}

TEST(DistributionMacros, WhatAComponentOrTheProjectDefinesCounts) {
    const Project project = of("azurelinux", {"fedora"});
    EXPECT_THAT(kept(project, "%rhel 10\n"),
                ElementsAre("always", "fedora", "rhel", "short-rhel", "somebody"));
    EXPECT_THAT(kept(project, "", "%rhel 9\n%fedora 0\n%somebody_elses 0\n"),
                ElementsAre("always", "rhel", "short-rhel"));
}

}  // namespace
}  // namespace tarn
