// SPDX-License-Identifier: MIT
#include "build/detail/root.hh"

#include "build/detail/testing.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::build {
namespace {

using testing::available;
using testing::FakePackage;
using ::testing::HasSubstr;

class Root : public ::testing::Test {
  protected:
    void add(const FakePackage& fake) { packages_.push_back(available(store_, fake)); }
    std::vector<std::string> names(const std::vector<Digest>& rpms) const {
        std::vector<std::string> result;
        for (const auto& rpm : rpms) {
            for (const auto& package : packages_) {
                if (package.rpm == rpm) {
                    result.push_back(package.info.meta.nevra.name);
                }
            }
        }
        return result;
    }
    std::vector<const AvailablePackage*> pointers() const {
        std::vector<const AvailablePackage*> result;
        for (const auto& package : packages_) {
            result.push_back(&package);
        }
        return result;
    }

    TempDir directory_ = *TempDir::make();
    Store store_ = *Store::open(directory_.path());
    std::vector<AvailablePackage> packages_;
};

TEST_F(Root, ResolvesWhatNamesNeed) {
    add({"gcc", {"glibc"}, {}, {"usr/bin/gcc"}});
    add({"glibc", {}, {}, {"usr/lib/libc.so.6"}});
    add({"other"});
    const auto rpms = resolve_root(packages_, {"gcc"});
    ASSERT_TRUE(rpms) << rpms.error().message;
    EXPECT_THAT(names(*rpms), ::testing::ElementsAre("gcc", "glibc"));
}

TEST_F(Root, FileDependenciesFindBothSidesOfTheMergedUsr) {
    add({"script", {"/bin/sh"}, {}, {}});
    add({"bash", {}, {}, {"usr/bin/sh"}});
    const auto rpms = resolve_root(packages_, {"script", "/usr/bin/sh"});
    ASSERT_TRUE(rpms) << rpms.error().message;
    EXPECT_THAT(names(*rpms), ::testing::ElementsAre("bash", "script"));
}

TEST_F(Root, VersionsAndProvidesMayBeAskedFor) {
    add({"z-devel", {}, {"pkgconfig(z) = 2.0"}, {}});
    EXPECT_TRUE(resolve_root(packages_, {"pkgconfig(z) >= 1.5"}));
    EXPECT_FALSE(resolve_root(packages_, {"pkgconfig(z) >= 3"}));
}

TEST_F(Root, UnknownNameComesWithTheNearest) {
    add({"oniguruma-devel"});
    const auto rpms = resolve_root(packages_, {"oniguruma-devl"});
    ASSERT_FALSE(rpms);
    EXPECT_EQ(rpms.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(rpms.error().message, HasSubstr("`oniguruma-devl`"));
    ASSERT_FALSE(rpms.error().help.empty());
    EXPECT_THAT(rpms.error().help.front(), HasSubstr("`oniguruma-devel`"));
}

TEST_F(Root, UnresolvableSaysWhichPackageIsAtFault) {
    add({"gcc", {"libmissing.so.1"}});
    const auto rpms = resolve_root(packages_, {"gcc"});
    ASSERT_FALSE(rpms);
    std::string said = rpms.error().message;
    for (const auto& note : rpms.error().notes) {
        said += "\n" + note;
    }
    EXPECT_THAT(said, HasSubstr("libmissing.so.1"));
}

TEST_F(Root, HasLinksOfTheMergedUsrAndNothingBesides) {
    add({"a", {}, {}, {"lib/libold.so", "usr/bin/a"}});
    const auto root = make_root(store_, {packages_[0].rpm}, 2);
    ASSERT_TRUE(root) << root.error().message;
    ASSERT_NE(root->find("bin"), nullptr);
    EXPECT_EQ(root->find("bin")->target, "usr/bin");
    EXPECT_EQ(root->find("lib")->kind, EntryKind::kSymlink);
    EXPECT_NE(root->find("usr/lib/libold.so"), nullptr);
    EXPECT_EQ(root->find("lib/libold.so"), nullptr);
    ASSERT_NE(root->find("tmp"), nullptr);
    EXPECT_EQ(root->find("tmp")->mode, 01777U);
    EXPECT_NE(root->find("etc/passwd"), nullptr);
}

TEST_F(Root, IsMadeOncePerListOfPackages) {
    add({"a", {}, {}, {"usr/bin/a"}});
    const auto first = root_digest(store_, {packages_[0].rpm}, 1);
    ASSERT_TRUE(first);
    // Without the package's blob only the remembered digest can answer.
    ASSERT_TRUE(remove_tree(store_.blob_path(packages_[0].rpm)));
    const auto second = root_digest(store_, {packages_[0].rpm}, 1);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(*first, *second);
}

TEST_F(Root, LostTreeIsMadeAgain) {
    add({"a", {}, {}, {"usr/bin/a"}});
    const auto first = root_digest(store_, {packages_[0].rpm}, 1);
    ASSERT_TRUE(first);
    ASSERT_TRUE(remove_tree(store_.blob_path(*first)));
    const auto second = root_digest(store_, {packages_[0].rpm}, 1);
    ASSERT_TRUE(second);
    EXPECT_TRUE(store_.has(*second));
}

TEST_F(Root, ResolutionIsRememberedByPackagesAndNames) {
    add({"a"});
    add({"b"});
    const auto a = resolve_remembered(store_, pointers(), {"a"}, "x");
    const auto again = resolve_remembered(store_, pointers(), {"a"}, "x");
    const auto b = resolve_remembered(store_, pointers(), {"b"}, "x");
    ASSERT_TRUE(a && again && b);
    EXPECT_EQ(*a, *again);
    EXPECT_NE(*a, *b);
}

TEST_F(Root, OwnerIsFoundByFileAndByProvide) {
    add({"zlib-devel", {}, {"pkgconfig(zlib) = 1"}, {"usr/include/zlib.h"}});
    EXPECT_EQ(owner_of(pointers(), "/usr/include/zlib.h"), "zlib-devel");
    EXPECT_EQ(owner_of(pointers(), "pkgconfig(zlib)"), "zlib-devel");
    EXPECT_EQ(owner_of(pointers(), "/usr/include/none.h"), "");
}

}  // namespace
}  // namespace tarn::build
