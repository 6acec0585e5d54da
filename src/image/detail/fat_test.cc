// SPDX-License-Identifier: MIT
#include "image/detail/fat.hh"

#include "image/detail/gpt.hh"
#include "image/detail/testing.hh"

#include <fcntl.h>
#include <unistd.h>

namespace tarn::image {
namespace {

using testing::run_tool;
using testing::temporary;

Result<void> write_image(const std::string& path,
                         const FatOptions& options,
                         const std::vector<FatFile>& files) {
    const Fd fd = TARN_TRY(open_file(path, O_RDWR | O_CREAT | O_TRUNC));
    EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(options.size)), 0);
    return write_fat32(options, files, [&](std::uint64_t offset, std::string_view bytes) {
        EXPECT_LE(offset + bytes.size(), options.size);
        return pwrite_all(fd.get(), bytes, offset, path);
    });
}

FatOptions options_of(std::uint64_t size) {
    FatOptions options;
    options.size = size;
    options.volume_id = 0x1234abcd;
    options.time = 1700000000;
    return options;
}

class FatSizes : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(FatSizes, FsckAndMtoolsAgreeWithWhatWasWritten) {
    TARN_NEED_TOOL("fsck.vfat");
    TARN_NEED_TOOL("mcopy");
    const TempDir dir = temporary();
    const std::string path = dir.path() + "/esp";
    std::string kernel(5'000'123, 'k');
    kernel[4'999'999] = 'x';
    std::string names;
    std::vector<FatFile> files = {{"EFI/BOOT/BOOTX64.EFI", kernel},
                                  {"EFI/Linux/tarn-6.18.15+deb13-cloud-amd64.efi", "long name"},
                                  {"EFI/Linux/tarn-6.18.16+deb13-cloud-amd64.efi", "its sibling"},
                                  {"loader/thirteen-char", "x"},
                                  {"empty", ""}};
    std::vector<std::string> many;
    for (int i = 0; i < 300; ++i) {  // a directory of more than one cluster
        many.push_back("many/a rather long file name " + std::to_string(i));
    }
    for (const std::string& name : many) {
        files.push_back({name, name});
    }
    ASSERT_TRUE(write_image(path, options_of(GetParam()), files).has_value());
    const auto check = run_tool({"fsck.vfat", "-n", path});
    EXPECT_EQ(check.exit_code, 0) << check.text;
    const auto back = [&](const std::string& name) {
        EXPECT_EQ(run_tool({"mcopy", "-n", "-o", "-i", path, "::" + name, dir.path() + "/back"})
                      .exit_code,
                  0)
            << name;
        return read_file(dir.path() + "/back").value_or("?");
    };
    EXPECT_EQ(back("EFI/BOOT/BOOTX64.EFI"), kernel);
    EXPECT_EQ(back("EFI/Linux/tarn-6.18.16+deb13-cloud-amd64.efi"), "its sibling");
    EXPECT_EQ(back("many/a rather long file name 299"), "many/a rather long file name 299");
}

INSTANTIATE_TEST_SUITE_P(Sizes,
                         FatSizes,
                         ::testing::Values(33 * kMiB, 64 * kMiB, 200 * kMiB, 512 * kMiB));

TEST(Fat, SameInputSameBytes) {
    const TempDir dir = temporary();
    ASSERT_TRUE(write_image(dir.path() + "/a", options_of(40 * kMiB), {{"A/B", "c"}}).has_value());
    ASSERT_TRUE(write_image(dir.path() + "/b", options_of(40 * kMiB), {{"A/B", "c"}}).has_value());
    EXPECT_EQ(*read_file(dir.path() + "/a"), *read_file(dir.path() + "/b"));
}

TEST(Fat, FilesThatDoNotFitAreNoSpaceWithAdvice) {
    const TempDir dir = temporary();
    const std::string large(40 * kMiB, 'x');
    const auto result = write_image(dir.path() + "/a", options_of(33 * kMiB), {{"A", large}});
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kNoSpace);
    EXPECT_FALSE(result.error().help.empty());
}

TEST(Fat, NamesItCannotHoldAreRefused) {
    const TempDir dir = temporary();
    for (const char* name : {"a/../b", "a//b", "a:b", "\xc3\xa4", "a\nb", ""}) {
        EXPECT_FALSE(write_image(dir.path() + "/a", options_of(33 * kMiB), {{name, "x"}})) << name;
    }
    EXPECT_FALSE(
        write_image(dir.path() + "/a", options_of(33 * kMiB), {{"EFI", "x"}, {"efi", "y"}}));
    EXPECT_FALSE(write_image(dir.path() + "/a", options_of(33 * kMiB), {{"A", "x"}, {"a/b", "y"}}));
}

TEST(Fat, TooSmallAPartitionIsRefused) {
    const TempDir dir = temporary();
    const auto result = write_image(dir.path() + "/a", options_of(16 * kMiB), {});
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace tarn::image
