// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "import/detail/files.hh"
#include "import/detail/license.hh"
#include "import/import.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Import : public testing::Test {
  protected:
    TempDir directory_ = TempDir::make().value();
    Store store_ = Store::open(directory_.path()).value();
    Project project_;
    SourceMap sources_;
    debian::DebPackage deb_;
    std::vector<TreeEntry> entries_;
    std::vector<std::string> known_{"libc6", "libbar1", "foo", "foo-utils"};

    void SetUp() override {
        project_.name = "tarn";
        project_.description = "Tarn Linux";
        project_.source_date_epoch = 1'700'000'000;
        project_.import_policy.release_suffix = ".tn1";
        project_.imports["libc6"].name = "glibc";
        deb_.control = {{"Package", "foo"},
                        {"Version", "1:2.3-4"},
                        {"Architecture", "amd64"},
                        {"Description", "does foo\n It does it well.\n .\n   verbatim"}};
    }
    ImportRule& rule() { return project_.imports["foo"]; }

    TreeEntry& file(const std::string& path,
                    const std::string& content = "x",
                    std::uint32_t mode = 0644) {
        TreeEntry entry;
        entry.path = path;
        entry.mode = mode;
        entry.user = "root";
        entry.group = "root";
        entry.mtime = 1'600'000'000;
        entry.content = store_.put(content).value();
        entries_.push_back(entry);
        return entries_.back();
    }
    void dir(const std::string& path) {
        TreeEntry entry;
        entry.path = path;
        entry.kind = EntryKind::kDirectory;
        entry.mode = 0755;
        entries_.push_back(entry);
    }
    void link(const std::string& path, const std::string& target) {
        TreeEntry entry;
        entry.path = path;
        entry.kind = EntryKind::kSymlink;
        entry.mode = 0777;
        entry.target = target;
        entries_.push_back(entry);
    }
    Result<Converted> run() {
        deb_.data = Tree::make(entries_).value();
        return convert(store_, deb_, project_, known_, sources_);
    }
    Converted good() {
        auto result = run();
        EXPECT_TRUE(result) << result.error().rendered << result.error().message;
        return result ? std::move(*result) : Converted{};
    }
    std::string bad() {
        const auto result = run();
        EXPECT_FALSE(result);
        return result ? "" : result.error().rendered + result.error().message;
    }
    static std::vector<std::string> paths(const Converted& converted) {
        std::vector<std::string> out;
        for (const TreeEntry& each : converted.tree.entries()) {
            out.push_back(each.path);
        }
        return out;
    }
    static std::vector<std::string> strings(const std::vector<rpm::Dependency>& dependencies) {
        std::vector<std::string> out;
        for (const rpm::Dependency& each : dependencies) {
            out.push_back(each.to_string());
        }
        return out;
    }
    static std::uint32_t flags_of(const Converted& converted, const std::string& path) {
        for (const auto& [each, flags] : converted.flags) {
            if (each == path) {
                return flags;
            }
        }
        return 0;
    }
};

// ---- metadata ----------------------------------------------------------------------------------

TEST_F(Import, MetadataFollowsTheControlFile) {
    deb_.control["Homepage"] = "https://example.org/foo";
    deb_.control["Source"] = "foosrc (2.3-3)";
    file("usr/bin/foo");
    const Converted out = good();
    EXPECT_EQ(out.meta.nevra.to_string(), "foo-1:2.3-4.tn1.x86_64");
    EXPECT_EQ(out.meta.summary, "does foo");
    EXPECT_EQ(out.meta.description, "It does it well.\n\n  verbatim");
    EXPECT_EQ(out.meta.url, "https://example.org/foo");
    EXPECT_EQ(out.meta.source_rpm, "foosrc-2.3-3.tn1.src.rpm");
    EXPECT_EQ(out.meta.vendor, "Tarn Linux");
    EXPECT_EQ(out.meta.license, "LicenseRef-Debian-copyright");
    EXPECT_EQ(out.meta.build_time, 1'600'000'000);
}

TEST_F(Import, ArchitectureAllIsNoarchAndOthersAreRefused) {
    deb_.control["Architecture"] = "all";
    EXPECT_EQ(good().meta.nevra.arch, "noarch");
    deb_.control["Architecture"] = "riscv64";
    EXPECT_THAT(bad(), HasSubstr("riscv64"));
}

TEST_F(Import, TimesAreClampedToTheProjects) {
    file("usr/bin/foo").mtime = 1'800'000'000;
    EXPECT_EQ(good().tree.find("usr/bin/foo")->mtime, 1'700'000'000);
}

TEST(License, MachineReadableCopyrightGivesAnExpression) {
    EXPECT_EQ(import::license_of("Format: https://www.debian.org/doc/packaging-manuals/"
                                 "copyright-format/1.0/\n\n"
                                 "Files: *\nCopyright: A\nLicense: GPL-2+ or Artistic\n text\n\n"
                                 "Files: debian/*\nCopyright: B\nLicense: GPL-3\n\n"
                                 "Files: x\nLicense: Expat, and Foo-with x\n\n"
                                 "License: Expat\n Permission ...\n"),
              "(Artistic-1.0-Perl OR GPL-2.0-or-later) AND LicenseRef-Debian-Foo-with-x AND MIT");
}

TEST(License, FreeTextIsAReference) {
    EXPECT_EQ(import::license_of("This is free software.\n"), "LicenseRef-Debian-copyright");
    EXPECT_EQ(import::license_of(""), "LicenseRef-Debian-copyright");
}

// ---- files -------------------------------------------------------------------------------------

TEST_F(Import, UsrIsMerged) {
    dir("lib");
    dir("usr");
    dir("usr/lib");
    file("lib/libfoo.so.1.0");
    link("lib/libfoo.so.1", "libfoo.so.1.0");
    link("lib/libfoo.so", "../usr/lib/other.so");
    link("usr/lib/abs", "/lib/libfoo.so.1");
    file("bin/foo");
    const Converted out = good();
    EXPECT_THAT(paths(out),
                ElementsAre("usr/bin/foo",
                            "usr/lib/abs",
                            "usr/lib/libfoo.so",
                            "usr/lib/libfoo.so.1",
                            "usr/lib/libfoo.so.1.0"));
    EXPECT_EQ(out.tree.find("usr/lib/libfoo.so.1")->target, "libfoo.so.1.0");
    EXPECT_EQ(out.tree.find("usr/lib/libfoo.so")->target, "other.so");
    EXPECT_EQ(out.tree.find("usr/lib/abs")->target, "/usr/lib/libfoo.so.1");
}

TEST_F(Import, LinkThatOnlyServedTheMergeGoesAway) {
    file("usr/bin/foo");
    link("bin/foo", "/usr/bin/foo");
    EXPECT_THAT(paths(good()), ElementsAre("usr/bin/foo"));
}

TEST_F(Import, LinksThatAreTheMergeStay) {
    link("lib", "usr/lib");
    link("bin", "/usr/bin");
    const Converted out = good();
    EXPECT_THAT(paths(out), ElementsAre("bin", "lib"));
    EXPECT_EQ(out.tree.find("lib")->target, "usr/lib");
}

TEST_F(Import, TwoDifferentFilesOnOnePathAreAnError) {
    file("lib/x", "one");
    file("usr/lib/x", "two");
    EXPECT_THAT(bad(), HasSubstr("/usr/lib/x"));
}

TEST_F(Import, EqualFilesOnOnePathAreOne) {
    file("lib/x", "one");
    file("usr/lib/x", "one");
    EXPECT_THAT(paths(good()), ElementsAre("usr/lib/x"));
}

TEST_F(Import, HardLinksFollowTheMove) {
    file("bin/aaa", "shared");
    file("sbin/zzz", "shared").hardlink = "bin/aaa";
    file("usr/aa", "shared").hardlink = "bin/aaa";
    const Converted out = good();
    EXPECT_EQ(out.tree.find("usr/aa")->hardlink, "");
    EXPECT_EQ(out.tree.find("usr/bin/aaa")->hardlink, "usr/aa");
    EXPECT_EQ(out.tree.find("usr/sbin/zzz")->hardlink, "usr/aa");
}

TEST_F(Import, HardLinkOutlivesItsExcludedFirstName) {
    rule().exclude_paths = {"/usr/bin/aaa"};
    file("usr/bin/aaa", "shared");
    file("usr/bin/bbb", "shared").hardlink = "usr/bin/aaa";
    file("usr/bin/ccc", "shared").hardlink = "usr/bin/aaa";
    const Converted out = good();
    EXPECT_EQ(out.tree.find("usr/bin/bbb")->hardlink, "");
    EXPECT_EQ(out.tree.find("usr/bin/ccc")->hardlink, "usr/bin/bbb");
}

TEST_F(Import, ExcludedPathsGoWithTheDirectoriesTheyEmptied) {
    project_.import_policy.exclude_paths = {"/usr/share/doc/**", "/usr/share/locale/*/**"};
    project_.import_policy.keep_paths = {"/usr/share/doc/*/copyright"};
    for (const char* each : {"usr",
                             "usr/share",
                             "usr/share/doc",
                             "usr/share/doc/foo",
                             "usr/share/doc/foo/examples",
                             "usr/share/locale",
                             "usr/share/locale/de",
                             "var/lib/foo"}) {
        dir(each);
    }
    file("usr/share/doc/foo/copyright");
    file("usr/share/doc/foo/changelog.gz");
    file("usr/share/doc/foo/examples/a");
    file("usr/share/locale/de/foo.mo");
    const Converted out = good();
    EXPECT_THAT(paths(out),
                ElementsAre("usr/share/doc/foo", "usr/share/doc/foo/copyright", "var/lib/foo"));
    EXPECT_EQ(flags_of(out, "usr/share/doc/foo/copyright"), rpm::kFileLicense);
}

TEST_F(Import, StandardDirectoriesBelongToNoImportedPackage) {
    for (const char* each : {"etc", "etc/foo", "usr", "usr/bin", "usr/lib", "usr/lib/foo", "var"}) {
        dir(each);
    }
    dir("var/mail");
    entries_.back().mode = 02775;
    entries_.back().group = "mail";
    dir("var/tmp");
    entries_.back().mode = 01777;
    dir("root");
    entries_.back().user = "foo";
    file("usr/bin/foo");
    // What is special about a directory is not lost: it stays with the package that says so.
    EXPECT_THAT(paths(good()),
                ElementsAre("etc/foo", "root", "usr/bin/foo", "usr/lib/foo", "var/mail", "var/tmp"));
}

TEST_F(Import, StandardDirectoryGivenAnotherModeByTheRuleStays) {
    rule().attributes.push_back({});
    rule().attributes.back().path = "/srv";
    rule().attributes.back().mode = "0750";
    dir("srv");
    file("srv/foo");
    EXPECT_THAT(paths(good()), ElementsAre("srv", "srv/foo"));
}

TEST_F(Import, ExcludedDirectoryTakesItsContentsAlong) {
    rule().exclude_paths = {"/usr/share/bug"};
    dir("usr/share/bug");
    file("usr/share/bug/foo");
    file("usr/bin/foo");
    EXPECT_THAT(paths(good()), ElementsAre("usr/bin/foo"));
}

TEST_F(Import, RuleOfTheRuleKeepsToo) {
    project_.import_policy.exclude_paths = {"/etc/init.d/**"};
    rule().keep_paths = {"/etc/init.d/foo"};
    file("etc/init.d/foo");
    file("etc/init.d/bar");
    EXPECT_THAT(paths(good()), ElementsAre("etc/init.d/foo"));
}

TEST_F(Import, ConffilesAreConfigNoreplace) {
    deb_.conffiles = {"/etc/foo.conf", "/etc/gone.conf"};
    file("etc/foo.conf");
    file("usr/share/man/man1/foo.1.gz");
    const Converted out = good();
    EXPECT_EQ(flags_of(out, "etc/foo.conf"), rpm::kFileConfig | rpm::kFileNoReplace);
    EXPECT_EQ(flags_of(out, "usr/share/man/man1/foo.1.gz"), rpm::kFileDoc);
}

TEST_F(Import, RuleAddsLinksAndFiles) {
    rule().links = {{"/usr/bin/awk", "gawk", "why"}};
    rule().files = {{"/etc/foo.conf", "a=1\n", "", "0600", "why", true}};
    file("usr/bin/gawk");
    const Converted out = good();
    EXPECT_EQ(out.tree.find("usr/bin/awk")->target, "gawk");
    const TreeEntry& added = *out.tree.find("etc/foo.conf");
    EXPECT_EQ(added.mode, 0600u);
    EXPECT_EQ(store_.read(added.content).value(), "a=1\n");
    EXPECT_EQ(added.mtime, 1'700'000'000);
    EXPECT_EQ(flags_of(out, "etc/foo.conf"), rpm::kFileConfig | rpm::kFileNoReplace);
}

TEST_F(Import, LinkBelowEtcIsASetting) {
    rule().links = {{"/etc/localtime", "../usr/share/zoneinfo/UTC", "why"}};
    EXPECT_EQ(flags_of(good(), "etc/localtime"), rpm::kFileConfig | rpm::kFileNoReplace);
}

TEST_F(Import, LinkOverAShippedFileIsAnError) {
    rule().links = {{"/usr/bin/foo", "bar", "why"}};
    file("usr/bin/foo");
    EXPECT_THAT(bad(), HasSubstr("ships /usr/bin/foo itself"));
}

TEST_F(Import, AttributesAreAppliedToAllNamesOfAFile) {
    rule().attributes = {{"/usr/bin/ping", "0755", "root", "_ping", "cap_net_raw+ep", "why"}};
    file("usr/bin/ping", "p");
    file("usr/bin/ping6", "p").hardlink = "usr/bin/ping";
    const Converted out = good();
    for (const char* each : {"usr/bin/ping", "usr/bin/ping6"}) {
        EXPECT_EQ(out.tree.find(each)->group, "_ping");
        EXPECT_EQ(to_hex(out.tree.find(each)->xattrs.at("security.capability")),
                  "0100000200200000000000000000000000000000");
    }
}

TEST_F(Import, AttributeOfAMissingFileIsAnErrorWithASuggestion) {
    rule().attributes = {{"/usr/bin/pin", "0755", "", "", "", "why"}};
    file("usr/bin/ping");
    EXPECT_THAT(bad(), HasSubstr("did you mean `/usr/bin/ping`?"));
}

TEST_F(Import, SetuidNobodyAcknowledgedIsAnErrorNamingFileAndMode) {
    file("usr/bin/su", "x", 04755);
    EXPECT_THAT(bad(), HasSubstr("/usr/bin/su with mode 4755"));
    EXPECT_THAT(bad(), HasSubstr("attributes = [{ path = \"/usr/bin/su\", mode = \"4755\""));
    rule().attributes = {{"/usr/bin/su", "4755", "root", "root", "", "why"}};
    EXPECT_EQ(good().tree.find("usr/bin/su")->mode, 04755u);
}

TEST_F(Import, CapabilitiesNobodyAcknowledgedAreAnError) {
    file("usr/bin/ping").xattrs["security.capability"] =
        import::capability_bytes("cap_net_raw=ep").value();
    EXPECT_THAT(bad(), HasSubstr("and capabilities"));
}

TEST(Capability, MalformedTextIsRefused) {
    for (const char* bad :
         {"", "net_raw+ep", "cap_nothing+ep", "cap_net_raw", "cap_net_raw+x", "cap_net_raw="}) {
        EXPECT_FALSE(import::capability_bytes(bad)) << bad;
    }
}

// ---- dependencies ------------------------------------------------------------------------------

TEST_F(Import, DependenciesGoThroughTheNameMap) {
    deb_.control["Pre-Depends"] = "libc6 (>= 2.43)";
    deb_.control["Depends"] = "libbar1 (= 1.0-2), foo-utils | other";
    EXPECT_THAT(strings(good().meta.requires_),
                ElementsAre("foo-utils", "glibc >= 2.43", "libbar1 = 1.0-2.tn1"));
}

TEST_F(Import, SeveralKnownAlternativesBecomeARichDependency) {
    deb_.control["Depends"] = "libc6 (>= 2) | libbar1";
    EXPECT_THAT(strings(good().meta.requires_), ElementsAre("(glibc >= 2 or libbar1)"));
}

TEST_F(Import, NeverImportedAndDroppedNamesAreNoRequirement) {
    project_.import_policy.never_import = {{"debconf", "no"}, {"debconf-2.0", "no"}};
    rule().drop_requires = {{"mawk", "only scripts"}};
    deb_.control["Depends"] = "debconf (>= 0.5) | debconf-2.0, mawk, debconf | libbar1";
    EXPECT_THAT(strings(good().meta.requires_), ElementsAre("libbar1"));
}

TEST_F(Import, UnknownDependencyIsAnErrorWithASuggestion) {
    deb_.control["Depends"] = "libbar2 | libbaz";
    const std::string text = bad();
    EXPECT_THAT(text, HasSubstr("`foo` depends on `libbar2 | libbaz`, which is not imported"));
    EXPECT_THAT(text, HasSubstr("did you mean `libbar1`?"));
}

TEST_F(Import, ChosenVirtualPackageStandsForTheVirtualName) {
    project_.import_policy.virtual_packages = {{"awk", "libbar1"}};
    deb_.control["Depends"] = "awk (>= 3)";
    EXPECT_THAT(strings(good().meta.requires_), ElementsAre("libbar1"));
}

TEST_F(Import, MalformedRelationNamesTheField) {
    deb_.control["Depends"] = "libc6 (>= ";
    EXPECT_THAT(bad(), HasSubstr("Depends of `foo`"));
}

TEST_F(Import, OnlyLastingConflictsAreKept) {
    deb_.control["Conflicts"] = "libbar1, unknown, foo-virtual";
    deb_.control["Breaks"] = "libc6 (<< 2.40)";
    deb_.control["Replaces"] = "libc6";
    deb_.control["Provides"] = "foo-virtual";
    EXPECT_THAT(strings(good().meta.conflicts), ElementsAre("libbar1"));
}

TEST_F(Import, ProvideWithoutVersionBesideOneWithIsDropped) {
    deb_.control["Provides"] = "foo, foo-virtual";
    const Converted out = good();
    EXPECT_THAT(strings(out.meta.provides), Contains("foo = 1:2.3-4.tn1"));
    EXPECT_THAT(strings(out.meta.provides), Not(Contains("foo")));
    EXPECT_THAT(strings(out.meta.provides), Contains("foo-virtual"));
}

TEST_F(Import, ProvidesTellTheDebianNameAndVersion) {
    rule().name = "foo-fedora";
    rule().add_provides = {"/bin/foo"};
    deb_.control["Provides"] = "libfoo (= 1.2-3), v";
    EXPECT_THAT(strings(good().meta.provides),
                ElementsAre("/bin/foo",
                            "deb(foo) = 1:2.3-4",
                            "foo = 1:2.3-4.tn1",
                            "foo-fedora = 1:2.3-4.tn1",
                            "foo-fedora(x86-64) = 1:2.3-4.tn1",
                            "libfoo = 1.2-3.tn1",
                            "v"));
}

TEST_F(Import, InterpreterThatNobodyHasIsDroppedWithAWarning) {
    file("usr/bin/script", "#!/usr/bin/perl\n", 0755);
    Converted out = good();
    EXPECT_THAT(strings(out.meta.requires_), Not(Contains(HasSubstr("perl"))));
    EXPECT_THAT(out.warnings, Contains(HasSubstr("/usr/bin/perl")));
    known_.push_back("/usr/bin/perl");
    out = good();
    EXPECT_THAT(strings(out.meta.requires_), Contains("/usr/bin/perl"));
    EXPECT_THAT(out.warnings, IsEmpty());
}

TEST_F(Import, InterpreterPathsAreMerged) {
    known_.push_back("/usr/bin/sh");
    file("usr/bin/script", "#!/bin/sh\n", 0755);
    EXPECT_THAT(strings(good().meta.requires_), Contains("/usr/bin/sh"));
}

// ---- scripts -----------------------------------------------------------------------------------

TEST_F(Import, UncoveredScriptIsShownWithADeclarationToPaste) {
    deb_.scripts["postinst"] = "#!/bin/sh\nset -e\nupdate-foo --all\n";
    const std::string text = bad();
    EXPECT_THAT(text, HasSubstr("postinst of `foo`"));
    EXPECT_THAT(text, HasSubstr("3 | update-foo --all"));
    EXPECT_THAT(text, HasSubstr("[[imports.foo.scripts]]"));
    EXPECT_THAT(text, HasSubstr(sha256_hex(deb_.scripts["postinst"])));
}

TEST_F(Import, LongScriptIsCutOff) {
    std::string script = "#!/bin/sh\n";
    for (int i = 0; i < 100; ++i) {
        script += fmt::format("command-{}\n", i);
    }
    deb_.scripts["postinst"] = script;
    EXPECT_THAT(bad(), HasSubstr("... and 70 more lines"));
    EXPECT_THAT(bad(), Not(HasSubstr("command-31")));
}

TEST_F(Import, CoveredScriptIsSilentUntilItChanges) {
    deb_.scripts["postinst"] = "#!/bin/sh\nupdate-foo\n";
    rule().scripts = {{"postinst", "links", "why", sha256_hex(deb_.scripts["postinst"]), {}}};
    EXPECT_THAT(good().warnings, IsEmpty());
    deb_.scripts["postinst"] += "rm -rf /srv\n";
    EXPECT_THAT(good().warnings, Contains(HasSubstr("changed since it was reviewed")));
}

TEST_F(Import, ScriptThatNamesAnotherArchitectureWasReviewed) {
    const std::string read = "#!/bin/sh\nupdate x:amd64 /lib/x86_64-linux-gnu\n";
    rule().scripts = {{"postinst", "links", "why", sha256_hex(read), {}}};
    deb_.scripts["postinst"] = "#!/bin/sh\nupdate x:arm64 /lib/aarch64-linux-gnu\n";
    EXPECT_THAT(good().warnings, IsEmpty());
    deb_.scripts["postinst"] += "update y:arm64\n";
    EXPECT_THAT(good().warnings, Contains(HasSubstr("changed since it was reviewed")));
}

TEST_F(Import, DebconfFilesNeedNoWordWhenDebconfIsNeverImported) {
    deb_.scripts["config"] = "#!/bin/sh\ndb_input high x\n";
    EXPECT_THAT(bad(), HasSubstr("config of `foo`"));
    project_.import_policy.never_import = {{"debconf", "no"}};
    good();
}

TEST_F(Import, AlternativesWithoutLinksAreWarnedAbout) {
    project_.import_policy.script_snippets = {{"dh_installalternatives", "links", "declared"}};
    deb_.scripts["postinst"] =
        "#!/bin/sh\n# Automatically added by dh_installalternatives/13\nupdate-alternatives\n"
        "# End automatically added section\n";
    EXPECT_THAT(good().warnings, Contains(HasSubstr("declares no links")));
    rule().links = {{"/usr/bin/awk", "gawk", "why"}};
    EXPECT_THAT(good().warnings, IsEmpty());
}

TEST_F(Import, AllErrorsOfAPackageAreReportedAtOnce) {
    deb_.scripts["postinst"] = "#!/bin/sh\nupdate-foo\n";
    file("usr/bin/su", "x", 04755);
    const std::string text = bad();
    EXPECT_THAT(text, HasSubstr("update-foo"));
    EXPECT_THAT(text, HasSubstr("/usr/bin/su"));
    EXPECT_THAT(text, HasSubstr("2 errors"));
}

TEST_F(Import, ErrorsPointIntoTheRule) {
    const SourceMap::File& source = sources_.add("imports.toml", "[imports.foo]\nname = \"x\"\n");
    rule().where = {sources_.at(source, 1, 1), 13};
    deb_.control["Depends"] = "nowhere";
    EXPECT_THAT(bad(), HasSubstr("imports.toml:1:1: error:"));
}

}  // namespace
}  // namespace tarn
