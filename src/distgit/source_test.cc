// SPDX-License-Identifier: MIT
#include "distgit/distgit.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn::distgit {
namespace {

using testing::HasSubstr;

class Source : public testing::Test {
  protected:
    Source() {
        const auto& file = map_.add(
            "tarn.toml", "[distros.fedora]\n[distros.fedora.versions.43]\n[components.acl]\n");
        Distro distro;
        distro.name = "fedora";
        distro.default_version = "43";
        distro.dist_git_base_uri = "https://src.example.org/rpms/$pkg.git";
        distro.where = {map_.at(file, 1, 1), 16};
        DistroVersion version;
        version.name = "43";
        version.dist_git_branch = "f43";
        version.where = {map_.at(file, 2, 1), 28};
        distro.versions["43"] = version;
        project_.distros["fedora"] = distro;
        component_.name = "acl";
        component_.upstream.name = "fedora";
        component_.where = {map_.at(file, 3, 1), 16};
    }
    std::string problem() {
        const auto source = package_source(project_, component_, map_);
        EXPECT_FALSE(source.has_value());
        EXPECT_EQ(source.error().kind, ErrorKind::kUsage);
        return source.error().rendered;
    }
    Distro& distro() { return project_.distros["fedora"]; }

    SourceMap map_;
    Project project_;
    Component component_;
};

TEST_F(Source, FillsInTheName) {
    auto source = package_source(project_, component_, map_);
    ASSERT_TRUE(source.has_value());
    EXPECT_EQ(source->url, "https://src.example.org/rpms/acl.git");
    EXPECT_EQ(source->branch, "f43");
    component_.upstream_name = "acl2";
    source = package_source(project_, component_, map_);
    EXPECT_EQ(source->url, "https://src.example.org/rpms/acl2.git");
    EXPECT_EQ(source->package, "acl2");
}

TEST_F(Source, MissingKeysAreNamedWithTheirPlace) {
    distro().versions["43"].dist_git_branch.clear();
    EXPECT_THAT(problem(), HasSubstr("tarn.toml:2:1: error: component `acl`: version `43` of distro "
                                     "`fedora` has no `dist-git-branch`"));
    distro().default_version.clear();
    EXPECT_THAT(problem(), HasSubstr("tarn.toml:3:1: error: component `acl`: no version of distro"));
    distro().dist_git_base_uri.clear();
    EXPECT_THAT(problem(), HasSubstr("tarn.toml:1:1: error: component `acl`: distro `fedora` has no "
                                     "`dist-git-base-uri`"));
    component_.upstream.name.clear();
    EXPECT_THAT(problem(), HasSubstr("tarn.toml:3:1: error: component `acl`: has no upstream distro"));
}

TEST_F(Source, UnknownNamesAreGuessed) {
    distro().versions["rawhide"] = distro().versions["43"];
    component_.upstream.version = "rawhid";
    EXPECT_THAT(problem(), HasSubstr("did you mean `rawhide`?"));
    component_.upstream.name = "fedroa";
    EXPECT_THAT(problem(), HasSubstr("did you mean `fedora`?"));
}

TEST_F(Source, UnusableAddressIsNamedWithItsPlace) {
    distro().dist_git_base_uri = "ext::sh -c $pkg";
    EXPECT_THAT(problem(), HasSubstr("tarn.toml:1:1: error: component `acl`: dist-git address"));
}

}  // namespace
}  // namespace tarn::distgit
