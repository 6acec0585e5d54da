// SPDX-License-Identifier: MIT
#include "image/detail/packages.hh"

#include "base/strings.hh"
#include "image/detail/fixture.hh"

namespace tarn::image {
namespace {

RepoIndex::Item item(std::string name,
                     std::string version,
                     std::vector<std::string> requires_ = {}) {
    RepoIndex::Item out;
    out.nevra = {std::move(name), {std::nullopt, std::move(version), "1"}, "x86_64"};
    out.location = "Packages/" + out.nevra.file_name();
    out.requires_ = std::move(requires_);
    return out;
}

RepoIndex index_of(std::vector<RepoIndex::Item> items) {
    RepoIndex out;
    out.items = std::move(items);
    return out;
}

std::string all_of(const Error& error) {
    return error.message + "\n" + join(error.notes, "\n") + "\n" + join(error.help, "\n");
}

TEST(Resolve, ClosureWithReasonsAndGroups) {
    Project project;
    project.package_groups["base"] = {"base", "", {"bash"}, {}};
    Image image;
    image.name = "vm";
    image.packages = {"jq"};
    image.package_groups = {"base"};
    const RepoIndex index = index_of(
        {item("bash", "5", {"glibc"}), item("glibc", "2"), item("jq", "1"), item("unwanted", "1")});
    const auto packages = resolve_packages(project, image, index);
    ASSERT_TRUE(packages.has_value());
    ASSERT_EQ(packages->size(), 3u);
    EXPECT_EQ((*packages)[0].reason, "requested");
    EXPECT_EQ((*packages)[1].item->nevra.name, "glibc");
    EXPECT_NE((*packages)[1].reason.find("bash"), std::string::npos);
}

TEST(Resolve, AnUnresolvableImageSaysWhyAndWhatIsNewest) {
    Image image;
    image.name = "vm";
    image.packages = {"tarn-release"};
    const RepoIndex index = index_of(
        {item("tarn-release", "1.0", {"dnf5 >= 5.2"}), item("dnf5", "5.1.9"), item("dnf5", "5.1")});
    const auto packages = resolve_packages(Project{}, image, index);
    ASSERT_FALSE(packages.has_value());
    EXPECT_EQ(packages.error().message, "the image `vm` cannot be resolved");
    const std::string text = all_of(packages.error());
    EXPECT_NE(text.find("dnf5 >= 5.2"), std::string::npos) << text;
    EXPECT_NE(text.find("dnf5 5.1.9-1 is the newest in the repository"), std::string::npos) << text;
    EXPECT_FALSE(packages.error().help.empty());
}

TEST(Resolve, UnknownPackagesAndGroupsComeWithSuggestions) {
    Project project;
    project.package_groups["base"] = {"base", "", {"bash"}, {}};
    Image image;
    image.name = "vm";
    image.packages = {"bassh"};
    const RepoIndex index = index_of({item("bash", "5")});
    const auto packages = resolve_packages(project, image, index);
    ASSERT_FALSE(packages.has_value());
    EXPECT_NE(all_of(packages.error()).find("bash"), std::string::npos) << all_of(packages.error());
    image.package_groups = {"bases"};
    const auto groups = resolve_packages(project, image, index);
    ASSERT_FALSE(groups.has_value());
    EXPECT_EQ(groups.error().kind, ErrorKind::kUsage);
    EXPECT_NE(all_of(groups.error()).find("did you mean `base`"), std::string::npos);
}

TEST(Resolve, AnEmptyImageIsRefused) {
    EXPECT_EQ(resolve_packages(Project{}, Image{}, RepoIndex{}).error().kind, ErrorKind::kUsage);
}

class Packages : public testing::StoreTest {
  protected:
    Packages() : items_({item("a", "1"), item("b", "2")}) {
        packages_ = {{&items_[0], "requested"}, {&items_[1], "requested"}};
    }
    std::vector<RepoIndex::Item> items_;
    std::vector<ResolvedPackage> packages_;
};

TEST_F(Packages, DifferentFilesOfOneNameAreAnErrorNamingBoth) {
    const auto merged = merge_packages(
        packages_, {tree({file("usr/bin/x", "one")}), tree({file("usr/bin/x", "two")})});
    ASSERT_FALSE(merged.has_value());
    ASSERT_EQ(merged.error().notes.size(), 1u);
    EXPECT_EQ(merged.error().notes[0], "/usr/bin/x: a-1-1.x86_64 and b-2-1.x86_64");
}

TEST_F(Packages, EqualFilesMayBeShared) {
    const auto merged = merge_packages(
        packages_,
        {tree({file("usr/x", "same"), file("usr/y", "yy")}), tree({file("usr/x", "same")})});
    ASSERT_TRUE(merged.has_value());
    EXPECT_EQ(merged->tree.entries().size(), 2u);
    EXPECT_EQ(merged->bytes[0] + merged->bytes[1], 6u);
    EXPECT_EQ(merged->owner.find("usr/y")->second, 0u);
}

TEST_F(Packages, ARequestedPackageSaysWhereItWasNamed) {
    items_[1].provides = {"virtual = 2", "b = 2-1"};
    packages_[0].reason = packages_[1].reason = "requested";
    explain_requests(packages_, {{"a", "images/vm.image.toml:9"}, {"virtual", "x.toml:1"}});
    EXPECT_EQ(packages_[0].reason, "images/vm.image.toml:9");
    EXPECT_EQ(packages_[1].reason, "x.toml:1");
    packages_[0].reason = "required by b";
    packages_[1].reason = "requested";
    explain_requests(packages_, {{"a", "images/vm.image.toml:9"}});
    EXPECT_EQ(packages_[0].reason, "required by b");
    EXPECT_EQ(packages_[1].reason, "requested");
}

TEST_F(Packages, APackageThatIsNotWhatTheMetadataSaysIsRefused) {
    const std::string path = directory_.path() + "/" + items_[0].location;
    ASSERT_TRUE(make_directories(parent_path(path)).has_value());
    ASSERT_TRUE(write_file_atomic(path, "altered").has_value());
    items_[0].rpm = Digest::of("original");
    RepoIndex repository;
    repository.path = directory_.path();
    const auto key = SigningKey::create(
        directory_.path() + "/keys", "k", "T <t@example.org>", KeyAlgorithm::kEd25519, 1700000000);
    ASSERT_TRUE(key.has_value());
    const auto keyring = Keyring::parse(key->public_key_armored());
    ASSERT_TRUE(keyring.has_value());
    NullReporter reporter;
    const auto trees =
        open_packages(store_, repository, *keyring, {packages_[0]}, {1, {}}, reporter);
    ASSERT_FALSE(trees.has_value());
    EXPECT_EQ(trees.error().kind, ErrorKind::kCorrupt);
    EXPECT_NE(trees.error().message.find(items_[0].location), std::string::npos);
}

}  // namespace
}  // namespace tarn::image
