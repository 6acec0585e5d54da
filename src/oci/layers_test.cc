// SPDX-License-Identifier: MIT
#include "oci/layers.hh"

#include "oci/detail/fixture.hh"

#include <set>

namespace tarn::oci {
namespace {

using testing::kTime;

// A system of packages "p<i>", each with a file and a share of /usr/lib; p0 to p2 are big.
class Layers : public testing::StoreTest {
  protected:
    struct Package {
        std::string name;
        std::string bytes;
    };
    static std::vector<Package> packages(std::size_t count) {
        std::vector<Package> out;
        for (std::size_t i = 0; i < count; ++i) {
            out.push_back({fmt::format("p{}", i), std::string((i < 3 ? 3000U : 10U) + i, 'x')});
        }
        return out;
    }
    Tree system(const std::vector<Package>& packages) {
        std::vector<TreeEntry> out = {of_kind("usr", EntryKind::kDirectory, 0755),
                                      of_kind("usr/lib", EntryKind::kDirectory, 0711),
                                      of_kind("var", EntryKind::kDirectory, 0755),
                                      of_kind("var/empty", EntryKind::kDirectory, 0700),
                                      file("etc/passwd", "root")};
        for (const Package& package : packages) {
            out.push_back(file("usr/lib/" + package.name, package.bytes));
            out.push_back(file("usr/share/" + package.name + "/doc", package.bytes.substr(0, 5)));
        }
        return tree(std::move(out));
    }
    static std::vector<PlannedLayer> plan(const Tree& tree,
                                          const std::vector<Package>& packages,
                                          const LayerPlan& wish) {
        std::vector<std::string> names;
        for (const Package& package : packages) {
            names.push_back(package.name);
        }
        const auto group_of = [&](const TreeEntry& entry) -> std::optional<std::size_t> {
            for (std::size_t i = 0; i < names.size(); ++i) {
                if (entry.path.ends_with("/" + names[i]) ||
                    entry.path.find("/" + names[i] + "/") != std::string::npos) {
                    return i;
                }
            }
            return std::nullopt;
        };
        auto out = plan_layers(tree, names, group_of, wish);
        EXPECT_TRUE(out.has_value());
        return out ? std::move(*out) : std::vector<PlannedLayer>();
    }
    static std::set<std::string> digests(const std::vector<PlannedLayer>& layers) {
        std::set<std::string> out;
        for (const PlannedLayer& layer : layers) {
            out.insert(layer.tree.digest().hex());
        }
        return out;
    }
    static std::size_t lost(const std::set<std::string>& before,
                            const std::set<std::string>& after) {
        std::size_t out = 0;
        for (const std::string& digest : before) {
            out += after.contains(digest) ? 0U : 1U;
        }
        return out;
    }
    static constexpr LayerPlan kWish{8, 4, 1000};
};

TEST_F(Layers, BigOnesAreAloneTheRestLiesInBucketsAndTheSystemIsLast) {
    const auto all = packages(20);
    const auto layers = plan(system(all), all, kWish);
    ASSERT_EQ(layers.size(), 8u);
    std::set<std::string> titles;
    for (const PlannedLayer& layer : layers) {
        titles.insert(layer.title);
    }
    EXPECT_EQ(titles,
              (std::set<std::string>{"p0",
                                     "p1",
                                     "p2",
                                     "packages 1 of 4",
                                     "packages 2 of 4",
                                     "packages 3 of 4",
                                     "packages 4 of 4",
                                     "system"}));
    EXPECT_EQ(layers.back().title, "system");
    EXPECT_EQ(paths(layers.back().tree),
              (std::vector<std::string>{"etc", "etc/passwd", "var", "var/empty"}));
    EXPECT_EQ(layers.back().tree.find("var/empty")->mode, 0700u);
}

TEST_F(Layers, EveryPathThatIsNoDirectoryLiesInOneLayer) {
    const auto all = packages(30);
    const Tree whole = system(all);
    std::map<std::string, int> seen;
    for (const PlannedLayer& layer : plan(whole, all, kWish)) {
        for (const TreeEntry& entry : layer.tree.entries()) {
            seen[entry.path] += entry.kind == EntryKind::kDirectory ? 0 : 1;
        }
        if (const TreeEntry* lib = layer.tree.find("usr/lib")) {
            EXPECT_EQ(lib->mode, 0711u) << layer.title;
        }
    }
    for (const TreeEntry& entry : whole.entries()) {
        EXPECT_EQ(seen.at(entry.path), entry.kind == EntryKind::kDirectory ? 0 : 1) << entry.path;
    }
}

TEST_F(Layers, AChangedPackageChangesItsLayerAlone) {
    auto all = packages(40);
    const auto before = digests(plan(system(all), all, kWish));
    for (const std::size_t which : {std::size_t{1}, std::size_t{17}}) {
        auto changed = all;
        changed[which].bytes += "!";
        EXPECT_EQ(lost(before, digests(plan(system(changed), changed, kWish))), 1u) << which;
    }
    auto added = all;
    added.push_back({"another", "small"});
    EXPECT_EQ(lost(before, digests(plan(system(added), added, kWish))), 1u);
    added.back().bytes.assign(5000, 'b');
    EXPECT_EQ(lost(before, digests(plan(system(added), added, {9, 4, 1000}))), 0u);
    all.erase(all.begin() + 20);
    EXPECT_EQ(lost(before, digests(plan(system(all), all, kWish))), 1u);
}

// /usr/lib and /usr/share/doc are everybody's: a newer time of theirs belongs to nobody.
TEST_F(Layers, TheTimesOfSharedDirectoriesDoNotSpread) {
    const auto all = packages(12);
    const auto before = digests(plan(system(all), all, kWish));
    std::vector<TreeEntry> entries = system(all).entries();
    for (TreeEntry& entry : entries) {
        if (entry.path == "usr/lib" || entry.path == "usr") {
            entry.mtime += 1000;
        }
    }
    EXPECT_EQ(lost(before, digests(plan(tree(entries), all, kWish))), 0u);
}

TEST_F(Layers, WhatChangedLatelyLiesHigher) {
    const auto all = packages(3);
    std::vector<TreeEntry> entries = system(all).entries();
    for (TreeEntry& entry : entries) {
        entry.mtime = entry.path == "usr/lib/p0" ? kTime + 5 : entry.mtime;
        entry.mtime = entry.path == "usr/lib/p2" ? kTime + 1 : entry.mtime;
    }
    const auto layers = plan(tree(entries), all, kWish);
    ASSERT_EQ(layers.size(), 4u);
    EXPECT_EQ(layers[0].title, "p1");
    EXPECT_EQ(layers[1].title, "p2");
    EXPECT_EQ(layers[2].title, "p0");
}

TEST_F(Layers, HardLinksStayWithTheirTarget) {
    TreeEntry tool = file("usr/bin/p0", "tool");
    TreeEntry link = tool;
    link.path = "usr/bin/zz";  // would be the system's
    link.hardlink = tool.path;
    const std::vector<Package> one = {{"p0", ""}};
    const auto layers = plan(tree({tool, link}), one, kWish);
    ASSERT_EQ(layers.size(), 1u);
    EXPECT_EQ(layers[0].tree.find("usr/bin/zz")->hardlink, "usr/bin/p0");
}

TEST_F(Layers, TheLimitHolds) {
    const auto all = packages(20);
    const Tree whole = system(all);
    for (const std::size_t limit : {1U, 2U, 3U, 4U, 6U}) {
        const auto layers = plan(whole, all, {limit, 4, 1000});
        EXPECT_EQ(layers.size(), limit);
        std::set<std::string> seen;
        for (const PlannedLayer& layer : layers) {
            for (const TreeEntry& entry : layer.tree.entries()) {
                seen.insert(entry.path);
            }
        }
        EXPECT_GE(seen.size(), whole.entries().size());
    }
    const auto none =
        plan_layers(whole, {}, [](const TreeEntry&) { return std::nullopt; }, {0, 4, 1});
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace tarn::oci
