// SPDX-License-Identifier: MIT
#include "import/detail/script.hh"

#include "import/import.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ImportPolicy policy_with(std::vector<std::string> generators) {
    ImportPolicy policy;
    for (std::string& each : generators) {
        policy.script_snippets.push_back({std::move(each), "presets", "declared"});
    }
    return policy;
}

std::string left(const std::string& script, const ImportPolicy& policy = {}) {
    std::vector<std::string> generators;
    return uncovered_script(script, policy, generators);
}

constexpr const char* kSystemd =
    "#!/bin/sh\n"
    "set -e\n"
    "# Automatically added by dh_installsystemd/13.24\n"
    "if [ \"$1\" = \"configure\" ]; then\n"
    "\tdeb-systemd-helper unmask 'a.service' >/dev/null || true\n"
    "fi\n"
    "# End automatically added section\n"
    "exit 0\n";

TEST(Script, BlockOfACoveredGeneratorIsCovered) {
    std::vector<std::string> generators;
    EXPECT_EQ(uncovered_script(kSystemd, policy_with({"dh_installsystemd"}), generators), "");
    EXPECT_THAT(generators, ElementsAre("dh_installsystemd"));
}

TEST(Script, BlockOfAnUnknownGeneratorIsLeftAndNamed) {
    std::vector<std::string> generators;
    const std::string rest = uncovered_script(kSystemd, policy_with({"dh_other"}), generators);
    EXPECT_NE(rest.find("deb-systemd-helper unmask"), std::string::npos);
    EXPECT_THAT(generators, ElementsAre("dh_installsystemd"));
}

TEST(Script, BlockWithoutEndHidesNothing) {
    EXPECT_NE(
        left("#!/bin/sh\n# Automatically added by dh_x\nrm -rf /srv\n", policy_with({"dh_x"})), "");
}

TEST(Script, LinesAfterABlockAreSeen) {
    EXPECT_EQ(
        left(std::string(kSystemd) + "update-something\n", policy_with({"dh_installsystemd"})),
        "update-something\n");
}

TEST(Script, EmptyCaseSkeletonIsBoilerplate) {
    EXPECT_EQ(left("#!/bin/sh -e\n"
                   "case \"$1\" in\n"
                   "    configure)\n"
                   "    ;;\n"
                   "    abort-upgrade|abort-remove|\\\n"
                   "    abort-deconfigure) ;;\n"
                   "    *)\n"
                   "        echo \"postinst called with unknown argument \\`$1'\" >&2\n"
                   "        exit 1\n"
                   "    ;;\n"
                   "esac\n"
                   "\n"
                   "#DEBHELPER#\n"
                   "exit 0\n"),
              "");
}

TEST(Script, EmptyBranchesFoldFromTheInsideOut) {
    EXPECT_EQ(left("#!/bin/sh\n"
                   "if [ \"$1\" = configure ] && [ -n \"$2\" ]\n"
                   "then\n"
                   "  if ! [ -e /x ]; then\n"
                   "    :\n"
                   "  else\n"
                   "    true\n"
                   "  fi\n"
                   "fi\n"),
              "");
}

TEST(Script, ConditionThatRunsSomethingIsLeft) {
    EXPECT_NE(left("#!/bin/sh\nif update-thing --now; then\n:\nfi\n"), "");
    EXPECT_NE(left("#!/bin/sh\nif [ \"$(rm -f /x)\" ]; then\n:\nfi\n"), "");
    EXPECT_NE(left("#!/bin/sh\nif [ -e /x ] || touch /x; then\n:\nfi\n"), "");
    EXPECT_NE(left("#!/bin/sh\ncase `touch /x` in\nesac\n"), "");
}

TEST(Script, CommandInAnArmIsLeftWithItsNumber) {
    std::vector<std::string> generators;
    const auto lines = import::uncovered_lines(
        "#!/bin/sh\nset -e\ncase \"$1\" in\nconfigure) ldconfig ;;\nremove) ;;\nesac\n",
        {},
        generators);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[1].number, 4u);
    EXPECT_EQ(lines[1].text, "configure) ldconfig ;;");
}

TEST(Script, ComplaintThatDoesMoreIsLeft) {
    EXPECT_NE(left("#!/bin/sh\necho 'called with' > /etc/motd\n"), "");
    EXPECT_NE(left("#!/bin/sh\necho \"called with $(reboot)\" >&2\n"), "");
    EXPECT_NE(left("#!/bin/sh\necho 'called with'; reboot\n"), "");
}

TEST(Script, DebconfIsBoilerplateOnlyWhenItIsNeverImported) {
    const std::string script = "#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_stop\n";
    EXPECT_NE(left(script), "");
    ImportPolicy policy;
    policy.never_import.push_back({"debconf", "no questions"});
    EXPECT_EQ(left(script, policy), "");
}

TEST(Script, OtherLanguagesAreNotReadAsShell) {
    EXPECT_EQ(left("#!/usr/bin/perl\n# a comment\nexit 0\n"), "exit 0\n");
}

TEST(Script, ProgramsAreNamedAsSuch) {
    EXPECT_NE(left(std::string("\x7f"
                               "ELF\0\0",
                               6))
                  .find("6 bytes"),
              std::string::npos);
}

TEST(Triggers, LdconfigIsTheComposersWork) {
    std::vector<std::string> generators;
    EXPECT_THAT(
        import::uncovered_triggers(
            "# Triggers added by dh_makeshlibs/13.24\nactivate-noawait ldconfig\n", {}, generators),
        IsEmpty());
    EXPECT_THAT(generators, ElementsAre("dh_makeshlibs"));
}

TEST(Triggers, OthersAskForADeclaration) {
    std::vector<std::string> generators;
    const std::string text = "# Triggers added by dh_x/1\ninterest-noawait /usr/share/a\n";
    const auto lines = import::uncovered_triggers(text, {}, generators);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].number, 2u);
    EXPECT_THAT(import::uncovered_triggers(text, policy_with({"dh_x"}), generators), IsEmpty());
}

}  // namespace
}  // namespace tarn
