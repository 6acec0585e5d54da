// SPDX-License-Identifier: MIT
#include "render/render.hh"

#include "base/fs.hh"
#include "render/detail/archive.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The sources of a component x, and what one overlay makes of them.
class Render : public testing::Test {
  protected:
    Render()
        : directory_(TempDir::make().value()),
          store_(Store::open(join_path(directory_.path(), "store")).value()) {}

    void give(const std::string& path, std::string_view bytes, std::uint32_t mode = 0644) {
        TreeEntry entry;
        entry.path = path;
        entry.mode = mode;
        entry.content = store_.put(bytes).value();
        entries_.push_back(entry);
    }
    std::string outside(const std::string& name, std::string_view bytes) {
        const std::string path = join_path(directory_.path(), name);
        EXPECT_TRUE(make_directories(parent_path(path)).has_value());
        EXPECT_TRUE(write_file_atomic(path, bytes).has_value());
        return path;
    }
    Result<Tree> apply(const Overlay& overlay) {
        SourceSet set = SourceSet::of_tree(store_, Tree::make(entries_).value());
        TARN_TRY(apply_overlay(set, "x.spec", overlay, map_));
        return set.tree(store_, 0);
    }
    // The spec, or what is said about why there is none.
    std::string spec_after(const std::string& spec, const Overlay& overlay) {
        entries_.erase(std::remove_if(entries_.begin(),
                                      entries_.end(),
                                      [](const TreeEntry& e) { return e.path == "x.spec"; }),
                       entries_.end());
        give("x.spec", spec);
        const auto tree = apply(overlay);
        return tree ? content(*tree, "x.spec") : tree.error().rendered;
    }
    RenderRequest request_for(const Component& component, const SourceMap* map = nullptr) {
        RenderRequest request;
        request.component = &component;
        request.wording = &wording_;
        request.map = map == nullptr ? &map_ : map;
        return request;
    }
    std::string content(const Tree& tree, const std::string& path) {
        const TreeEntry* entry = tree.find(path);
        return entry == nullptr ? "(none)" : store_.read(entry->content).value();
    }
    static std::vector<std::string> names(const Tree& tree) {
        std::vector<std::string> result;
        for (const TreeEntry& entry : tree.entries()) {
            result.push_back(entry.path);
        }
        return result;
    }

    TempDir directory_;
    Store store_;
    SourceMap map_{};
    RenderWording wording_{};
    std::vector<TreeEntry> entries_{};
};

Overlay overlay(OverlayType type) {
    Overlay made;
    made.type = type;
    return made;
}
Overlay tag(OverlayType type, std::string name, std::string value, std::string package = {}) {
    Overlay made = overlay(type);
    made.tag = std::move(name);
    made.value = std::move(value);
    made.package = std::move(package);
    return made;
}
Overlay lines(OverlayType type,
              std::vector<std::string> text,
              std::string section = {},
              std::string package = {}) {
    Overlay made = overlay(type);
    made.lines = std::move(text);
    made.section = std::move(section);
    made.package = std::move(package);
    return made;
}
Overlay replace(std::string regex,
                std::string replacement,
                std::string section = {},
                std::string package = {}) {
    Overlay made = overlay(OverlayType::kSpecSearchReplace);
    made.regex = std::move(regex);
    made.replacement = std::move(replacement);
    made.section = std::move(section);
    made.package = std::move(package);
    return made;
}

// ---- tags ---------------------------------------------------------------------------------------

TEST_F(Render, AddTagGoesToTheEndOfTheSectionEvenIntoAGuard) {
    const auto add = tag(OverlayType::kSpecAddTag, "Requires", "y");
    EXPECT_EQ(spec_after("Name: x\nRequires: y\n\n%if 1\n%package devel\n%endif\n", add),
              "Name: x\nRequires: y\n\n%if 1\nRequires: y\n%package devel\n%endif\n");
    EXPECT_EQ(spec_after("Name: x", add), "Name: x\nRequires: y\n");
    const auto devel = tag(OverlayType::kSpecAddTag, "Requires", "y", "devel");
    EXPECT_EQ(spec_after("%package devel\na\n%prep\n%package devel\nb\n", devel),
              "%package devel\na\nRequires: y\n%prep\n%package devel\nb\nRequires: y\n");
    EXPECT_THAT(spec_after("%package -n x-devel\n", devel),
                HasSubstr("there is no section %package devel"));
    EXPECT_THAT(spec_after("%Package devel\n", devel), HasSubstr("there is no section"));
}

TEST_F(Render, InsertTagGoesBehindItsFamilyAndOutOfConditionals) {
    const auto source = tag(OverlayType::kSpecInsertTag, "Source9", "s");
    EXPECT_EQ(spec_after("Source0: a\nsource1: b\nName: x\n%prep\n", source),
              "Source0: a\nsource1: b\nSource9: s\nName: x\n%prep\n");
    EXPECT_EQ(spec_after("Name: x\n\n%prep\n", source), "Name: x\nSource9: s\n\n%prep\n");
    EXPECT_EQ(spec_after("# nothing\n%prep\n", source), "# nothing\nSource9: s\n%prep\n");
    EXPECT_EQ(spec_after("%if 1\n%IF 2\nSource0: a\n%endif\nb\n%endif\nc\n%prep\n", source),
              "%if 1\n%IF 2\nSource0: a\n%endif\nb\n%endif\nSource9: s\nc\n%prep\n");
    EXPECT_EQ(spec_after("%if 1\nSource0: a\nb\n%prep\n%endif\n", source),
              "%if 1\nSource0: a\nSource9: s\nb\n%prep\n%endif\n");
}

TEST_F(Render, UpdateTagRewritesEveryMatch) {
    const auto update = tag(OverlayType::kSpecUpdateTag, "Release", "2");
    EXPECT_EQ(spec_after("%if 1\n  release:\t1\n%else\nRELEASE: 0\n%endif\n", update),
              "%if 1\nRelease: 2\n%else\nRelease: 2\n%endif\n");
    EXPECT_THAT(spec_after("Name: x\n%package a\nRelease: 1\n", update),
                HasSubstr("x.spec:3 has  Release: 1, in %package a"));
}

TEST_F(Render, SetTagUpdatesOrAdds) {
    const auto set = tag(OverlayType::kSpecSetTag, "URL", "u");
    EXPECT_EQ(spec_after("Url: a\nName: x\n", set), "URL: u\nName: x\n");
    EXPECT_EQ(spec_after("Name: x\n", set), "Name: x\nURL: u\n");
}

TEST_F(Render, RemoveTagComparesValuesAsWritten) {
    auto remove = tag(OverlayType::kSpecRemoveTag, "requires", "Foo >= 1");
    EXPECT_EQ(spec_after("Requires: foo >= 1\nRequires: foo  >= 1\nRequires:foo >= 1 \n", remove),
              "Requires: foo  >= 1\n");
    remove.value.clear();
    EXPECT_EQ(spec_after("Requires: a\nName: x\nRequires: b\n", remove), "Name: x\n");
    EXPECT_THAT(spec_after("BuildRequire: a\n", remove), HasSubstr("overlay matches nothing"));
}

// ---- lines --------------------------------------------------------------------------------------

TEST_F(Render, LinesGoToTheEdgesOfTheFileOrOfEverySuchSection) {
    EXPECT_EQ(spec_after("a\n%prep\n", lines(OverlayType::kSpecPrependLines, {"1", "2\n3"})),
              "1\n2\n3\na\n%prep\n");
    EXPECT_EQ(spec_after("a\n%prep", lines(OverlayType::kSpecAppendLines, {"1"})), "a\n%prep\n1\n");
    EXPECT_EQ(spec_after("%check\na\n%check\nb\n%check x\n",
                         lines(OverlayType::kSpecPrependLines, {"1"}, "%check")),
              "%check\n1\na\n%check\n1\nb\n%check x\n");
    EXPECT_EQ(spec_after("%build\na\n\n%if 1\n%install\n%endif\n",
                         lines(OverlayType::kSpecAppendLines, {"1"}, "%build")),
              "%build\na\n\n%if 1\n1\n%install\n%endif\n");
    EXPECT_THAT(spec_after("%build\n", lines(OverlayType::kSpecAppendLines, {"1"}, "%biuld")),
                HasSubstr("did you mean `%build`?"));
}

// ---- search and replace -------------------------------------------------------------------------

TEST_F(Render, SearchReplaceWorksLineByLineAndLiterally) {
    EXPECT_EQ(spec_after("a1\n%build a\nba\n", replace("a(.?)", "\\1$1")),
              "\\1$1\n%build a\nb\\1$1\n");
    EXPECT_EQ(spec_after("a \nb\n", replace("^a $", "")), "\nb\n");
    EXPECT_EQ(spec_after("a\n", replace("a", "x\ny")), "x\ny\n");
    EXPECT_EQ(spec_after("aaa\n", replace("^a", "b")), "baa\n");
    EXPECT_EQ(spec_after("\xC3\xA4-\n", replace("x*", "_")), "_\xC3\xA4_-_\n");
    EXPECT_EQ(spec_after("a\r\nb\r\n", replace("a$", "c")), "c\nb\n");
}

TEST_F(Render, SearchReplaceHoldsItsFilters) {
    const std::string spec = "v\n%build\nv\n%files\nv\n%files devel\nv\n";
    EXPECT_EQ(spec_after(spec, replace("v", "w")), "w\n%build\nw\n%files\nw\n%files devel\nw\n");
    EXPECT_EQ(spec_after(spec, replace("v", "w", "%files")),
              "v\n%build\nv\n%files\nw\n%files devel\nw\n")
        << "without a package, any package";
    EXPECT_EQ(spec_after(spec, replace("v", "w", "%files", "devel")),
              "v\n%build\nv\n%files\nv\n%files devel\nw\n");
    EXPECT_THAT(spec_after(spec, replace("v", "w", "%file")), HasSubstr("did you mean"));
}

TEST_F(Render, AMatchThatChangesNothingIsNone) {
    EXPECT_THAT(spec_after("a\n", replace("a", "a")), HasSubstr("overlay matches nothing"));
}

TEST_F(Render, MismatchNamesTheNearestLine) {
    const std::string said =
        spec_after("Name: x\n%build\n%configure --disable-static --enable-valgrind\n%make\n",
                   replace("--enable-valgrnd", "", "%build"));
    EXPECT_THAT(said, HasSubstr("overlay matches nothing: spec-search-replace in %build"));
    EXPECT_THAT(said,
                HasSubstr("x.spec:3 is the nearest line:  %configure --disable-static "
                          "--enable-valgrind"));
}

// ---- sections -----------------------------------------------------------------------------------

Overlay remove_section(std::string section, std::string package = {}) {
    Overlay made = overlay(OverlayType::kSpecRemoveSection);
    made.section = std::move(section);
    made.package = std::move(package);
    return made;
}
Overlay remove_subpackage(std::string package) {
    Overlay made = overlay(OverlayType::kSpecRemoveSubpackage);
    made.package = std::move(package);
    return made;
}

TEST_F(Render, RemovesWholeSections) {
    EXPECT_EQ(spec_after("a\n%files devel\nx\n\n%files\ny\n%files devel\nz\n",
                         remove_section("%files", "devel")),
              "a\n%files\ny\n");
    EXPECT_EQ(
        spec_after("a\n%package devel\nx\n%description devel\nd\n%build\n%files -n devel\nf\n",
                   remove_subpackage("devel")),
        "a\n%build\n");
    EXPECT_THAT(spec_after("%files\n", remove_section("%files", "devel")),
                HasSubstr("there is no section %files devel"));
    EXPECT_THAT(spec_after("%package tools\n", remove_subpackage("tool")),
                HasSubstr("no section is of the package tool"));
}

TEST_F(Render, RemovingKeepsConditionalsInBalance) {
    EXPECT_EQ(spec_after("a\n%if 1\n%files devel\nx\n%endif\n\n%files\n",
                         remove_section("%files", "devel")),
              "a\n%if 1\n%endif\n\n%files\n");
    EXPECT_EQ(spec_after("%files devel\nx\n# c\n%if 1\n%files\ny\n%endif\n",
                         remove_section("%files", "devel")),
              "%if 1\n%files\ny\n%endif\n");
    EXPECT_EQ(spec_after("%files devel\n%if 1\nx\n%else\ny\n%endif\n%files\n",
                         remove_section("%files", "devel")),
              "%files\n");
}

TEST_F(Render, RefusesToTearConditionalsApart) {
    const auto remove = remove_section("%files", "devel");
    EXPECT_THAT(spec_after("%if 1\n%files devel\nx\n%endif\ny\n%files\n", remove),
                HasSubstr("x.spec:5 is in the way:  y"));
    EXPECT_THAT(spec_after("%if 1\n%files devel\nx\n%else\n%files\n%endif\n", remove),
                HasSubstr("spans across section boundaries"));
    EXPECT_THAT(spec_after("%if 1\n%files devel\nx\n", remove), HasSubstr("has no counterpart"));
    EXPECT_THAT(spec_after("%files devel\n%endif\n", remove), HasSubstr("x.spec:2"));
    EXPECT_EQ(spec_after("%if 1\n%files\n%files devel\nx\n%endif\n%if\n%endif\n", remove),
              "%if 1\n%files\n%endif\n%if\n%endif\n");
}

// ---- patches ------------------------------------------------------------------------------------

TEST_F(Render, PatchAddTakesTheNextNumber) {
    Overlay add = overlay(OverlayType::kPatchAdd);
    add.source = outside("fix.patch", "diff");
    EXPECT_EQ(spec_after("Name: x\n%prep\n", add), "Name: x\nPatch0: fix.patch\n%prep\n");
    EXPECT_EQ(spec_after("Patch7: a\nPatch%{n}: b\n%package d\npatch12: c\n", add),
              "Patch7: a\nPatch%{n}: b\nPatch13: fix.patch\n%package d\npatch12: c\n");
    EXPECT_EQ(spec_after("Patch: a\nPatch: b\n%prep\n", add),
              "Patch: a\nPatch: b\nPatch2: fix.patch\n%prep\n");
    EXPECT_EQ(spec_after("Patch3: q\n%patchlist\na\n%prep\n", add),
              "Patch3: q\n%patchlist\na\nfix.patch\n%prep\n");
    add.file = "renamed.patch";
    const auto tree = apply(add);
    ASSERT_TRUE(tree.has_value());
    EXPECT_EQ(content(*tree, "renamed.patch"), "diff");
    give("renamed.patch", "old");
    EXPECT_THAT(apply(add).error().rendered, HasSubstr("another renamed.patch is there already"));
    entries_.back().content = store_.put("diff").value();
    EXPECT_TRUE(apply(add).has_value()) << "the very file may lie among the sources";
}

TEST_F(Render, PatchRemoveNeedsTheTagAndTheFile) {
    Overlay remove = overlay(OverlayType::kPatchRemove);
    remove.file = "fix-*.patch";
    const std::string spec =
        "Patch1: fix-a.patch\nPatch: fix-c.patch\n%patchlist\n  fix-b.patch\nk\n";
    EXPECT_THAT(spec_after(spec, remove), HasSubstr("there is no such file among the sources"));
    give("fix-a.patch", "");
    give("fix-b.patch", "");
    give("keep.patch", "");
    EXPECT_EQ(spec_after(spec, remove), "Patch: fix-c.patch\n%patchlist\nk\n");
    EXPECT_THAT(names(*apply(remove)), ElementsAre("keep.patch", "x.spec"));
    remove.file = "*.diff";
    EXPECT_THAT(apply(remove).error().rendered, HasSubstr("no patch of the spec is *.diff"));
}

// ---- files --------------------------------------------------------------------------------------

TEST_F(Render, FileOverlaysChangeFilesButNoSpec) {
    give("x.spec", "Name: a\n");
    give("a.conf", "a\nb\n");
    give("sub/a.conf", "a\n", 0755);
    Overlay change = overlay(OverlayType::kFileSearchReplace);
    change.file = "**/*";
    change.regex = "(?m)^a$";
    change.replacement = "$0";
    auto tree = apply(change);
    ASSERT_TRUE(tree.has_value()) << tree.error().rendered;
    EXPECT_EQ(content(*tree, "a.conf"), "$0\nb\n");
    EXPECT_EQ(content(*tree, "sub/a.conf"), "$0\n");
    EXPECT_EQ(tree->find("sub/a.conf")->mode, 0755U);
    EXPECT_EQ(content(*tree, "x.spec"), "Name: a\n");
    change.regex = "^b";
    EXPECT_THAT(apply(change).error().rendered, HasSubstr("(?m)"));
    change.regex = "(?m)^";
    change.file = "a.conf";
    change.replacement = "#";
    EXPECT_EQ(content(*apply(change), "a.conf"), "#a\n#b\n#");
    Overlay prepend = lines(OverlayType::kFilePrependLines, {"1", "2"});
    prepend.file = "a.*";
    EXPECT_EQ(content(*apply(prepend), "a.conf"), "1\n2\na\nb\n");
    prepend.file = "b.*";
    EXPECT_THAT(apply(prepend).error().rendered, HasSubstr("overlay matches nothing"));
}

TEST_F(Render, FileAddRefusesWhatIsThereAndWhatLeadsOutside) {
    give("x.spec", "");
    Overlay add = overlay(OverlayType::kFileAdd);
    add.source = outside("new", "n");
    for (const char* bad :
         {"../up", "/etc/passwd", "a//b", "./a", "other.spec", "none/a", "x.spec"}) {
        add.file = bad;
        EXPECT_FALSE(apply(add).has_value()) << bad;
    }
    add.file = "new";
    const auto tree = apply(add);
    ASSERT_TRUE(tree.has_value());
    EXPECT_EQ(content(*tree, "new"), "n");
    EXPECT_EQ(tree->find("new")->mode, 0644U);
    add.source += ".missing";
    EXPECT_FALSE(apply(add).has_value());
}

TEST_F(Render, FileAddOfADirectoryIsAnArchive) {
    give("x.spec", "");
    Overlay add = overlay(OverlayType::kFileAdd);
    outside("tree/b", "b");
    outside("tree/sub/a", "a");
    add.source = parent_path(outside("tree/c", "c"));
    add.file = "not-an-archive";
    EXPECT_THAT(apply(add).error().rendered, HasSubstr("is a directory, and not-an-archive no archive"));
    add.file = "tree.tar.gz";
    const auto tree = apply(add);
    ASSERT_TRUE(tree.has_value()) << tree.error().rendered;
    const auto archive = tarn::overlay::read_archive(content(*tree, "tree.tar.gz"), "tree.tar.gz");
    ASSERT_TRUE(archive.has_value());
    std::vector<std::string> members;
    for (const auto& [path, member] : archive->members) {
        members.push_back(path + "=" + member.bytes);
    }
    EXPECT_THAT(members, ElementsAre("b=b", "c=c", "sub=", "sub/a=a"));
}

TEST_F(Render, FileRemoveAndRename) {
    give("x.spec", "");
    give("run\\x2dfuse.mount", "u");
    give("b", "b");
    give("sub/c", "c");
    Overlay remove = overlay(OverlayType::kFileRemove);
    remove.file = "run\\x2dfuse.mount";
    EXPECT_THAT(names(*apply(remove)), ElementsAre("b", "sub/c", "x.spec"));
    Overlay rename = overlay(OverlayType::kFileRename);
    rename.file = "sub/?";
    rename.replacement = "d";
    EXPECT_EQ(content(*apply(rename), "sub/d"), "c");
    rename.file = "**/*";
    EXPECT_THAT(apply(rename).error().rendered, HasSubstr("exactly one file"));
    rename.file = "b";
    rename.replacement = "../b";
    EXPECT_FALSE(apply(rename).has_value());
}

TEST_F(Render, LinesHaveALimit) {
    EXPECT_THAT(spec_after("a\n" + std::string(65'536, 'x') + "\n", replace("a", "b")),
                HasSubstr("line 2 of x.spec is longer than 64 KiB"));
    EXPECT_THAT(spec_after(std::string(65'535, 'x') + "\r\na\n", replace("a", "b")),
                HasSubstr("line 1 of x.spec is longer than 64 KiB"));
    EXPECT_EQ(spec_after(std::string(65'535, 'x') + "\na\n", replace("a", "b")),
              std::string(65'535, 'x') + "\nb\n");
}

// ---- components ---------------------------------------------------------------------------------

TEST_F(Render, ComponentTakesWhatLiesBesideItsSpec) {
    const std::string where = join_path(directory_.path(), "comp");
    ASSERT_TRUE(make_directories(where + "/sub").has_value());
    ASSERT_TRUE(write_file_atomic(where + "/upstream.spec", "Name: a\n").has_value());
    ASSERT_TRUE(write_file_atomic(where + "/other.spec", "").has_value());
    ASSERT_TRUE(write_file_atomic(where + "/jq.comp.toml", "").has_value());
    ASSERT_TRUE(write_file_atomic(where + "/run.sh", "#!", 0700).has_value());
    Component component;
    wording_.spec_header.clear();
    component.name = "jq";
    component.spec_path = where + "/upstream.spec";
    component.overlays = {replace("a", "b"), replace("b", "c")};
    const Digest tarball = store_.put("tar").value();
    const auto render = [&](const std::vector<std::pair<std::string, Digest>>& extra) {
        return render_component(store_, request_for(component), extra, 42);
    };
    const auto made = render({{"jq.tar.gz", tarball}});
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(made->spec_name, "jq.spec");
    EXPECT_THAT(names(made->sources), ElementsAre("jq.spec", "jq.tar.gz", "run.sh"));
    EXPECT_EQ(content(made->sources, "jq.spec"), "Ncme: c\n");
    EXPECT_EQ(made->sources.find("run.sh")->mode, 0755U);
    for (const TreeEntry& entry : made->sources.entries()) {
        EXPECT_EQ(entry.mtime, 42);
    }
    const auto again = render({{"run.sh", tarball}});
    ASSERT_FALSE(again.has_value());
    EXPECT_THAT(again.error().message, HasSubstr("two different files run.sh"));
    component.overlays.push_back(replace("zzz", ""));
    const auto failed = render({});
    ASSERT_FALSE(failed.has_value());
    EXPECT_THAT(failed.error().message, HasSubstr("component `jq`, overlay 3 of 3"));
}

TEST_F(Render, RendersTheReferenceComponents) {
    const std::string root = std::string(TARN_SOURCE_DIR) + "/distro";
    if (!path_exists(join_path(root, "tarn.toml"))) {
        GTEST_SKIP() << "distro/tarn.toml is not there";
    }
    SourceMap sources;
    Diagnostics diagnostics(sources);
    LoadOptions options;
    options.start = root;
    const auto project = load_project(options, sources, diagnostics);
    ASSERT_TRUE(project.has_value()) << diagnostics.draw();
    for (const auto& [name, component] : project->components) {
        if (component.is_upstream()) {
            continue;  // its spec lies in a dist-git
        }
        const auto made = render_component(store_, request_for(component, &sources), {}, 0);
        EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().rendered);
    }
}

}  // namespace
}  // namespace tarn
