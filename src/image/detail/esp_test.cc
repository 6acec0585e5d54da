// SPDX-License-Identifier: MIT
// What an ESP holds, and the sizes it obeys.
#include "image/detail/esp.hh"

#include "base/strings.hh"
#include "image/detail/gpt.hh"
#include "image/detail/testing.hh"

namespace tarn::image {
namespace {

class Marker final : public efi::ImageSigner {
  public:
    Result<std::string> sign(std::string_view, std::string_view pe) const override {
        return std::string(pe) + " signed";
    }
    Digest identity() const override { return {}; }
};

class Listener final : public NullReporter {
  public:
    void warn(std::string_view line) override { warnings.emplace_back(line); }
    std::vector<std::string> warnings;
};

std::vector<std::string> paths(const std::vector<EspFile>& files) {
    std::vector<std::string> out;
    for (const EspFile& file : files) {
        out.push_back(file.path);
    }
    return out;
}

TEST(Esp, WithoutALoaderTheUkiIsWhatFirmwareStarts) {
    EspInput input;
    input.uki = "uki";
    const auto files = make_esp_files(input);
    ASSERT_TRUE(files.has_value());
    EXPECT_EQ(paths(*files), std::vector<std::string>{"EFI/BOOT/BOOTX64.EFI"});
    input.architecture = "aarch64";
    EXPECT_EQ(paths(*make_esp_files(input)), std::vector<std::string>{"EFI/BOOT/BOOTAA64.EFI"});
    input.architecture = "riscv64";
    EXPECT_EQ(make_esp_files(input).error().kind, ErrorKind::kUsage);
}

EspInput with_loader() {
    EspInput input;
    input.bootloader = Bootloader::kSystemdBoot;
    input.uki = "uki";
    input.loader = "loader";
    input.entry = "tarn_1.2";
    input.loader_settings = {"timeout 0"};
    input.more = {{"EFI/Linux/tarn_1.2+3.efi.extra.d/a.addon.efi", "addon"}};
    return input;
}

TEST(Esp, SystemdBootIsThereTwiceAndTheUkiCountsItsTries) {
    const auto files = make_esp_files(with_loader());
    ASSERT_TRUE(files.has_value());
    EXPECT_EQ(paths(*files),
              (std::vector<std::string>{"EFI/BOOT/BOOTX64.EFI",
                                        "EFI/Linux/tarn_1.2+3.efi",
                                        "EFI/Linux/tarn_1.2+3.efi.extra.d/a.addon.efi",
                                        "EFI/systemd/systemd-bootx64.efi",
                                        "loader/entries.srel",
                                        "loader/loader.conf"}));
    EXPECT_EQ(files->at(0).bytes, files->at(3).bytes);
    EXPECT_EQ(files->at(5).bytes, "timeout 0\n");
    EspInput uncounted = with_loader();
    uncounted.tries = 0;
    EXPECT_EQ(uki_path(uncounted), "EFI/Linux/tarn_1.2.efi");
}

TEST(Esp, EveryProgramIsSignedAndNothingElse) {
    const Marker marker;
    EspInput input = with_loader();
    input.signer = &marker;
    const auto files = make_esp_files(input);
    ASSERT_TRUE(files.has_value());
    for (const EspFile& file : *files) {
        EXPECT_EQ(file.bytes.ends_with(" signed"), file.path.starts_with("EFI/")) << file.path;
    }
}

TEST(Esp, EntriesThatBootCountingWouldMisreadAreRefused) {
    for (const char* entry : {"", "tarn", "tarn_", "_1", "tarn_1+3", "a/b_1", "tarn 1_2"}) {
        EspInput input = with_loader();
        input.entry = entry;
        EXPECT_EQ(make_esp_files(input).error().kind, ErrorKind::kUsage) << entry;
    }
}

TEST(Esp, BootloadersHaveNames) {
    EXPECT_EQ(*parse_bootloader(""), Bootloader::kNone);
    EXPECT_EQ(*parse_bootloader("uki"), Bootloader::kNone);
    EXPECT_EQ(*parse_bootloader("systemd-boot"), Bootloader::kSystemdBoot);
    EXPECT_EQ(parse_bootloader("systemdboot").error().help.at(0), "did you mean `systemd-boot`?");
}

TEST(Esp, ASecondUkiAndAQuarterMoreMustFit) {
    Listener listener;
    const std::vector<EspFile> files = {{"EFI/BOOT/BOOTX64.EFI", std::string(20 * kMiB, 'u')}};
    EXPECT_TRUE(check_esp("vm", files, 50 * kMiB, EspRule::kTwoUkis, listener).has_value());
    const auto small = check_esp("vm", files, 49 * kMiB, EspRule::kTwoUkis, listener);
    ASSERT_FALSE(small.has_value());
    EXPECT_EQ(small.error().kind, ErrorKind::kNoSpace);
    EXPECT_NE(small.error().help.at(0).find("raise `esp-size` to 50 MiB"), std::string::npos);
    EXPECT_TRUE(check_esp("vm", files, 49 * kMiB, EspRule::kSingleUki, listener).has_value());
    EXPECT_TRUE(listener.warnings.empty());
}

TEST(Esp, ALargeUkiIsReported) {
    Listener listener;
    const std::vector<EspFile> files = {{"EFI/BOOT/BOOTX64.EFI", std::string(30'000'001, 'u')}};
    EXPECT_TRUE(check_esp("vm", files, 256 * kMiB, EspRule::kTwoUkis, listener).has_value());
    ASSERT_EQ(listener.warnings.size(), 1u);
    EXPECT_NE(listener.warnings[0].find("`vm`"), std::string::npos);
}

TEST(Esp, CommandLinesTheKernelWouldCutOffAreRefused) {
    EXPECT_TRUE(check_command_line("vm", std::string(2047, 'x'), "x86_64").has_value());
    const auto long_one = check_command_line("vm", std::string(2048, 'x'), "x86_64");
    ASSERT_FALSE(long_one.has_value());
    EXPECT_EQ(long_one.error().message,
              "the kernel command line of the image `vm` has 2048 bytes; the kernel takes 2047");
    EXPECT_FALSE(check_command_line("vm", std::string(2048, 'x'), "aarch64").has_value());
    EXPECT_EQ(check_command_line("vm", "quiet\ninit=/bin/sh", "x86_64").error().kind,
              ErrorKind::kUsage);
}

TEST(Esp, MtoolsReadsWhatIsWritten) {
    TARN_NEED_TOOL("mcopy");
    const TempDir dir = testing::temporary();
    const std::string path = dir.path() + "/esp";
    std::string disk(40 * kMiB, '\0');
    const auto files = make_esp_files(with_loader());
    const auto written = write_esp(
        *files, {kMiB, disk.size(), 7, 1700000000}, [&](std::uint64_t at, std::string_view bytes) {
            disk.replace(at, bytes.size(), bytes);
            return Result<void>{};
        });
    ASSERT_TRUE(written.has_value());
    ASSERT_TRUE(write_file_atomic(path, disk).has_value());
    const auto read = testing::run_tool({"mcopy", "-i", path, "::EFI/Linux/tarn_1.2+3.efi", "-"});
    EXPECT_EQ(read.text, "uki");
    const auto loader = testing::run_tool({"mcopy", "-i", path, "::loader/loader.conf", "-"});
    EXPECT_EQ(loader.text, "timeout 0\n");
}

TEST(Esp, FilesComeFromTheImageOrTheTools) {
    const Tree none;
    const auto found = find_boot_file(none, none, "usr/lib/x", "systemd-boot-efi");
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().help.at(0), "add `systemd-boot-efi` to tools-packages");
}

}  // namespace
}  // namespace tarn::image
