// SPDX-License-Identifier: MIT
// Overlays over a spec as rpm reads it, where that differs from the lines of the declaration
// format.
#include "render/detail/precise_edit.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::overlay {
namespace {

using testing::HasSubstr;

class Precise : public testing::Test {
  protected:
    explicit Precise(OverlayType type = OverlayType::kSpecAddTag) { overlay_.type = type; }
    Overlay& of(OverlayType type) {
        overlay_ = Overlay();
        overlay_.type = type;
        return overlay_;
    }
    std::string after(const std::string& spec) {
        const auto done = edit_spec(spec, "x.spec", overlay_, View::kPrecise);
        return done ? *done : done.error().message;
    }
    Overlay overlay_{};
};

TEST_F(Precise, AppendedLinesComeBeforeTheGuardOfTheNextSection) {
    Overlay& append = of(OverlayType::kSpecAppendLines);
    append.section = "%Build";
    append.lines = {"a", "b"};
    EXPECT_EQ(after("%build\nmake\n\n# next\n%if 1\n%check\n%endif\n"),
              "%build\nmake\na\nb\n\n# next\n%if 1\n%check\n%endif\n");
    EXPECT_EQ(after("%build\n"), "%build\na\nb\n");
    EXPECT_THAT(after("%biuld\n"), HasSubstr("there is no section %Build"));
}

TEST_F(Precise, AddedTagsComeBeforeTheGuardOfTheNextSection) {
    Overlay& add = of(OverlayType::kSpecAddTag);
    add.tag = "Requires";
    add.value = "y";
    EXPECT_EQ(after("Name: x\n\n%if 1\n%package devel\n%endif\n"),
              "Name: x\nRequires: y\n\n%if 1\n%package devel\n%endif\n");
}

TEST_F(Precise, APackageHasOneNameHoweverItIsWritten) {
    Overlay& add = of(OverlayType::kSpecAddTag);
    add.tag = "Requires";
    add.value = "y";
    const std::string suffix = "Name: x\n%package devel\nSummary: s\n";
    const std::string whole = "Name: x\n%package -n x-devel\nSummary: s\n";
    const std::string macro = "Name: x\n%package -n %{name}-devel\nSummary: s\n";
    for (const char* package : {"devel", "x-devel", "%{name}-devel"}) {
        add.package = package;
        for (const std::string& spec : {suffix, whole, macro}) {
            EXPECT_EQ(after(spec), spec + "Requires: y\n") << package;
        }
    }
    add.package = "tools";
    EXPECT_THAT(after(suffix), HasSubstr("there is no section %package tools"));
}

TEST_F(Precise, SpecsWithoutEndAreReadAndLinesWithoutEndRefused) {
    Overlay& append = of(OverlayType::kSpecAppendLines);
    append.lines = {"z"};
    constexpr std::size_t kMost = 64U << 20U;
    for (const char byte : {'x', '\0'}) {
        // rpm's own limit of a line is far below.
        EXPECT_THAT(after(std::string(kMost, byte)),
                    HasSubstr("line 1 of x.spec is longer than 64 KiB"));
    }
    std::string many;
    while (many.size() < kMost / 4) {
        many += "BuildRequires: a\n%if 1\n%endif\n";
    }
    EXPECT_EQ(after(many).size(), many.size() + 2);
}

TEST_F(Precise, MacroBodiesAndHereDocumentsAreNoSections) {
    Overlay& remove = of(OverlayType::kSpecRemoveSection);
    remove.section = "%files";
    const std::string body = "%global m %{expand:\n%files\n/a\n}\nName: x\n";
    EXPECT_EQ(after(body + "%files\n/b\n%changelog\n"), body + "%changelog\n");
    EXPECT_THAT(after(body), HasSubstr("there is no section %files"));
}

TEST_F(Precise, ATagGoesWithAllItsLines) {
    Overlay& remove = of(OverlayType::kSpecRemoveTag);
    remove.tag = "requires";
    EXPECT_EQ(after("Requires: %{expand:\na\n}\nName: x\n"), "Name: x\n");
    Overlay& update = of(OverlayType::kSpecUpdateTag);
    update.tag = "Requires";
    update.value = "b";
    EXPECT_EQ(after("Requires: %{expand:\na\n}\nName: x\n"), "Requires: b\nName: x\n");
    update.tag = "URL";
    EXPECT_THAT(after("Name: x\n"), HasSubstr("overlay matches nothing"));
    overlay_.type = OverlayType::kSpecSetTag;
    EXPECT_EQ(after("Name: x\n"), "Name: x\nURL: b\n");
}

TEST_F(Precise, InsertedTagsLeaveTheConditionalsOfTheirSection) {
    Overlay& insert = of(OverlayType::kSpecInsertTag);
    insert.tag = "Source9";
    insert.value = "s";
    EXPECT_EQ(after("%if 1\nSource0: a\n%else\n%if 2\nSource1: b\n%endif\n%endif\nName: x\n"),
              "%if 1\nSource0: a\n%else\n%if 2\nSource1: b\n%endif\n%endif\nSource9: s\nName: x\n");
    EXPECT_EQ(after("Name: x\n%prep\n"), "Name: x\nSource9: s\n%prep\n");
}

TEST_F(Precise, ARemovedSectionTakesItsGuardWithIt) {
    Overlay& remove = of(OverlayType::kSpecRemoveSubpackage);
    remove.package = "devel";
    EXPECT_EQ(after("Name: x\n\n%if 1\n%package -n x-devel\nSummary: s\n%description devel\nd\n"
                    "%endif\n\n%prep\n"),
              "Name: x\n\n\n%prep\n");
    EXPECT_EQ(after("%if 1\n%files\n/a\n%files devel\n/b\n%endif\n%if 0\n%endif\n"),
              "%if 1\n%files\n/a\n%endif\n%if 0\n%endif\n");
    EXPECT_THAT(after("%files devel\n%if 1\n/b\n%files\n/a\n%endif\n"),
                HasSubstr("a conditional spans across section boundaries"));
}

TEST_F(Precise, SearchReplaceSeesWhatTheLineViewTakesForHeaders) {
    Overlay& change = of(OverlayType::kSpecSearchReplace);
    change.regex = "^%files$";
    change.replacement = "%files -n y";
    EXPECT_EQ(after("%global m %{expand:\n%files\n}\n%files\n"),
              "%global m %{expand:\n%files -n y\n}\n%files\n");
    change.regex = "zzz";
    EXPECT_THAT(after("%files\n"), HasSubstr("overlay matches nothing"));
}

}  // namespace
}  // namespace tarn::overlay
