// SPDX-License-Identifier: MIT
#include "image/detail/layout.hh"

#include <gmock/gmock.h>

namespace tarn::image {
namespace {

using ::testing::HasSubstr;

Image plain() {
    Image image;
    image.name = "vm";
    return image;
}

ImagePartition partition(std::string type, std::uint64_t size, std::string label = {}) {
    ImagePartition out;
    out.type = std::move(type);
    out.size = size;
    out.label = std::move(label);
    return out;
}

// "label offset+size, ..." in MiB.
std::string drawn(const Layout& layout) {
    std::string out;
    for (const PlannedPartition& each : layout.partitions) {
        out += fmt::format("{}{} {}+{}",
                           out.empty() ? "" : ", ",
                           each.gpt.label,
                           each.gpt.offset / kMiB,
                           each.gpt.size / kMiB);
    }
    return out;
}

std::string refusal(const Image& image) {
    const auto layout = plan_layout(image, "x86_64", "seed");
    if (layout) {
        return "accepted: " + drawn(*layout);
    }
    EXPECT_EQ(layout.error().kind, ErrorKind::kUsage);
    EXPECT_FALSE(layout.error().help.empty());
    return layout.error().message + "; " +
           (layout.error().help.empty() ? "" : layout.error().help.front());
}

TEST(Layout, DefaultIsEspAndARootThatGrows) {
    const auto layout = plan_layout(plain(), "x86_64", "seed");
    ASSERT_TRUE(layout);
    EXPECT_EQ(drawn(*layout), "esp 1+128, root 129+1918");
    EXPECT_EQ(layout->partitions[1].gpt.attributes, kAttributeGrow);
    EXPECT_EQ(layout->partitions[0].gpt.id, Guid::derive("seed", "partition esp"));
    EXPECT_EQ(layout->partitions[1].gpt.id, Guid::derive("seed", "partition root"));
}

TEST(Layout, VerifiedRootHasItsHashTreeBehindIt) {
    Image image = plain();
    image.integrity = "verity";
    image.size_bytes = 4096 * kMiB;
    const auto layout = plan_layout(image, "x86_64", "seed");
    ASSERT_TRUE(layout);
    // 262144 blocks: 2048 + 16 + 1 blocks of sums, and the superblock's.
    EXPECT_EQ(drawn(*layout), "esp 1+128, root 129+1024, root-verity 1153+9");
    EXPECT_EQ(layout->find(PartitionRole::kRoot)->gpt.attributes, kAttributeReadOnly);
    EXPECT_EQ(layout->find(PartitionRole::kRootVerity)->gpt.attributes, kAttributeReadOnly);
}

TEST(Layout, PartitionsAsDeclared) {
    Image image = plain();
    image.size_bytes = 1024 * kMiB;
    image.partitions = {partition("esp", 64 * kMiB),
                        partition("root", 256 * kMiB, "system"),
                        partition("swap", 32 * kMiB),
                        partition("var", 0, "state")};
    image.partitions[3].filesystem = "ext4";
    image.partitions[3].min_size = 100 * kMiB;
    image.partitions[3].grow = true;
    const auto layout = plan_layout(image, "x86_64", "seed");
    ASSERT_TRUE(layout);
    EXPECT_EQ(drawn(*layout), "esp 1+64, system 65+256, swap 321+32, state 353+670");
    EXPECT_EQ(layout->partitions[3].filesystem, "ext4");
    EXPECT_EQ(layout->partitions[3].gpt.attributes, kAttributeGrow);
    EXPECT_EQ(layout->partitions[2].gpt.type.to_string(), "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f");
}

TEST(Layout, AnEmptySlotIsNotTheRoot) {
    Image image = plain();
    image.integrity = "verity";
    image.partitions = {partition("esp", 64 * kMiB),
                        partition("root", 128 * kMiB, "_empty"),
                        partition("root-verity", 0, "_empty"),
                        partition("root", 128 * kMiB),
                        partition("root-verity", 0)};
    const auto layout = plan_layout(image, "x86_64", "seed");
    ASSERT_TRUE(layout);
    EXPECT_EQ(layout->find(PartitionRole::kRoot)->gpt.offset / kMiB, 195u);
    EXPECT_NE(layout->partitions[1].gpt.id, layout->partitions[3].gpt.id);
}

TEST(Layout, TypesFollowTheArchitecture) {
    const auto arm = plan_layout(plain(), "aarch64", "seed");
    ASSERT_TRUE(arm);
    EXPECT_EQ(arm->find(PartitionRole::kRoot)->gpt.type.to_string(),
              "b921b045-1df0-41c3-af44-4c6f280d3fae");
    EXPECT_EQ(arm->find(PartitionRole::kEsp)->gpt.type.to_string(), kTypeEsp);
}

TEST(Layout, ADiskThatIsTooSmallSaysByHowMuch) {
    Image image = plain();
    image.size_bytes = 100 * kMiB;
    EXPECT_THAT(refusal(image), HasSubstr("a disk of 100 MiB is too small by 62 MiB"));
    EXPECT_THAT(refusal(image), HasSubstr("raise `size` of the image to 162 MiB"));
}

TEST(Layout, UnknownTypesAreNamed) {
    Image image = plain();
    image.partitions = {partition("esp", kMiB), partition("rot", kMiB)};
    EXPECT_THAT(refusal(image), HasSubstr("`rot` is no type of a partition; did you mean `root`?"));
}

TEST(Layout, OneRootAndOneEsp) {
    Image image = plain();
    image.partitions = {partition("root", 64 * kMiB)};
    EXPECT_THAT(refusal(image), HasSubstr("one partition of the type `esp`, not 0"));
    image.partitions = {
        partition("esp", kMiB), partition("root", 64 * kMiB), partition("root", 64 * kMiB)};
    EXPECT_THAT(refusal(image), HasSubstr("one partition of the type `root`, not 2"));
}

TEST(Layout, HashTreesBelongToVerifiedRoots) {
    Image image = plain();
    image.partitions = {
        partition("esp", kMiB), partition("root", 64 * kMiB), partition("root-verity", 0)};
    EXPECT_THAT(refusal(image), HasSubstr("`root-verity` has no use here"));
    image.integrity = "verity";
    image.partitions[2].size = kMiB;
    image.partitions[1].size = 256 * kMiB;
    EXPECT_THAT(refusal(image), HasSubstr("has 1 MiB, a root of 256 MiB needs 3 MiB"));
    image.partitions[2] = partition("root-verity-sig", 0);
    EXPECT_THAT(refusal(image), HasSubstr("`root-verity-sig` would stay empty"));
    image.partitions.pop_back();
    EXPECT_THAT(refusal(image), HasSubstr("needs a partition of the type `root-verity`"));
}

TEST(Layout, SizesLabelsAndFileSystemsAreChecked) {
    Image image = plain();
    image.size_bytes = 512 * kMiB + 512;
    EXPECT_THAT(refusal(image), HasSubstr("whole MiB"));
    image = plain();
    image.partitions = {partition("esp", kMiB), partition("root", 64 * kMiB + 1)};
    EXPECT_THAT(refusal(image), HasSubstr("no whole MiB"));
    image.partitions = {partition("esp", kMiB), partition("root", 0)};
    EXPECT_THAT(refusal(image), HasSubstr("has no size"));
    image.partitions = {partition("esp", kMiB), partition("root", kMiB, std::string(37, 'x'))};
    EXPECT_THAT(refusal(image), HasSubstr("at most 36"));
    image.partitions = {partition("esp", kMiB), partition("root", kMiB, "PRT#x")};
    EXPECT_THAT(refusal(image), HasSubstr("is no label"));
    image.partitions = {partition("esp", kMiB), partition("root", kMiB), partition("var", kMiB)};
    image.partitions[2].filesystem = "xfs";
    EXPECT_THAT(refusal(image), HasSubstr("asks for the file system `xfs`"));
}

TEST(Layout, OnlyOnePartitionGrowsAndNoVerifiedOne) {
    Image image = plain();
    image.partitions = {partition("esp", kMiB), partition("root", kMiB), partition("var", kMiB)};
    image.partitions[1].grow = true;
    image.partitions[2].grow = true;
    EXPECT_THAT(refusal(image), HasSubstr("several partitions grow"));
    image.partitions[2].grow = false;
    image.integrity = "verity";
    EXPECT_THAT(refusal(image), HasSubstr("`root` is verified and cannot grow"));
}

}  // namespace
}  // namespace tarn::image
