// SPDX-License-Identifier: MIT
#include "provision/medium.hh"

#include "base/bytes.hh"
#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include "provision/medium_fixture.hh"
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

using Allocation = UdfShape::Allocation;

const std::string kOvf = "<Environment/>";

ImageFiles files() {
    return {{"readme.txt", "x"}, {"ovf-env.xml", kOvf}, {"CustomData.bin", std::string(5000, 'c')}};
}

std::string error_of(const std::string& image) {
    const auto contents = read_medium(Medium::of_bytes("/dev/sr0", image), {"ovf-env.xml"});
    return contents ? *contents ? "read" : "unknown format" : contents.error().message;
}

void expect_files(const std::string& image, const std::string& format, const std::string& label) {
    const auto contents =
        read_medium(Medium::of_bytes("/dev/sr0", image), {"ovf-env.xml", "CustomData.bin", "none"});
    ASSERT_TRUE(contents) << contents.error().message;
    ASSERT_TRUE(*contents);
    EXPECT_EQ((*contents)->format, format);
    EXPECT_EQ(to_lower((*contents)->label), to_lower(label));
    ASSERT_EQ((*contents)->files.size(), 2u);
    EXPECT_EQ((*contents)->files.at("ovf-env.xml"), kOvf);
    EXPECT_EQ((*contents)->files.at("CustomData.bin"), std::string(5000, 'c'));
}

TEST(Udf, ReadsEveryKindOfAllocation) {
    for (const Allocation each : {Allocation::kShort, Allocation::kLong, Allocation::kContinued}) {
        UdfShape shape;
        shape.allocation = each;
        expect_files(udf_image("rd_rdfe_stable", files(), shape), "UDF", "rd_rdfe_stable");
    }
    UdfShape shape;
    shape.allocation = Allocation::kEmbedded;
    const std::string image = udf_image("x", {{"ovf-env.xml", kOvf}}, shape);
    const auto contents = read_udf(Medium::of_bytes("m", image), {"ovf-env.xml"});
    ASSERT_TRUE(contents) << contents.error().message;
    EXPECT_EQ((*contents)->files.at("ovf-env.xml"), kOvf);
}

TEST(Udf, ReadsOtherBlockSizesWideNamesAndExtendedEntries) {
    UdfShape shape;
    shape.block = 512;
    shape.wide_names = true;
    shape.extended_entries = true;
    expect_files(udf_image("l", files(), shape), "UDF", "l");
}

TEST(Udf, FindsNamesInAnyCase) {
    const std::string image = udf_image("x", {{"OVF-ENV.XML", kOvf}});
    const auto contents = read_udf(Medium::of_bytes("m", image), {"ovf-env.xml"});
    ASSERT_TRUE(contents);
    EXPECT_EQ((*contents)->files.at("ovf-env.xml"), kOvf);
}

TEST(Udf, UsesTheCopyOfABrokenVolumeDescription) {
    std::string image = udf_image("x", files());
    image.replace(100 * 2048, 4 * 2048, std::string(4 * 2048, '\xee'));
    expect_files(image, "UDF", "x");
}

TEST(Udf, RefusesWhatItDoesNotReadByName) {
    UdfShape shape;
    const std::vector<std::pair<std::string, std::string>> maps = {
        {"*UDF Metadata Partition", "metadata partition"},
        {"*UDF Virtual Partition", "virtual partition"},
        {"*UDF Sparable Partition", "sparable partition"},
        {"*Something", "unknown partition map"}};
    for (const auto& [map, words] : maps) {
        shape.partition_map = map;
        const std::string said = error_of(udf_image("x", files(), shape));
        EXPECT_TRUE(contains(said, words)) << said;
        EXPECT_TRUE(contains(said, "/dev/sr0")) << said;
    }
}

TEST(Udf, EveryCutIsAnErrorNotACrash) {
    const std::string image = udf_image("x", files());
    for (std::size_t size = 0; size < image.size(); size += 2048) {
        const std::string said = error_of(image.substr(0, size));
        if (size <= 315 * 2048) {  // from there on the wanted file is whole
            EXPECT_NE(said, "read") << size;
        }
    }
}

TEST(Udf, EveryChangedByteOfADescriptorIsNoticedOrHarmless) {
    const std::string image = udf_image("x", {{"ovf-env.xml", kOvf}});
    std::size_t noticed = 0;
    for (const std::size_t block : {256u, 300u, 301u, 310u}) {
        for (std::size_t at = 0; at < 220; ++at) {
            std::string broken = image;
            broken[block * 2048 + at] = static_cast<char>(broken[block * 2048 + at] ^ 0x55);
            noticed += error_of(broken) != "read" ? 1u : 0u;
        }
    }
    EXPECT_GT(noticed, 700u);  // the checksum of the descriptors' bytes
}

TEST(Udf, AFileThatIsTooLargeIsNotRead) {
    std::string image = udf_image("x", {{"ovf-env.xml", std::string(3000, 'x')}});
    UdfShape shape;
    shape.allocation = Allocation::kShort;
    // The same entry with another length, sealed again by hand: its CRC covers nothing then.
    const std::size_t entry = 310 * 2048;
    put_le(image, entry + 56, 1ull << 40, 8);
    put_le(image, entry + 8, 0, 2);
    put_le(image, entry + 10, 0, 2);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        sum += i == 4 ? 0u : static_cast<unsigned char>(image[entry + i]);
    }
    image[entry + 4] = static_cast<char>(sum & 0xff);
    EXPECT_TRUE(contains(error_of(image), "at most")) << error_of(image);
}

TEST(Iso9660, ReadsPlainRockRidgeAndJolietNames) {
    for (const IsoNames names : {IsoNames::kPlain,
                                 IsoNames::kRockRidge,
                                 IsoNames::kRockRidgeContinued,
                                 IsoNames::kJoliet}) {
        expect_files(iso_image("cidata", files(), names), "ISO 9660", "cidata");
    }
}

TEST(Iso9660, EveryCutIsAnErrorNotACrash) {
    for (const IsoNames names : {IsoNames::kRockRidgeContinued, IsoNames::kJoliet}) {
        const std::string image = iso_image("x", files(), names);
        for (std::size_t size = 0; size < 24 * 2048; size += 1024) {
            EXPECT_NE(error_of(image.substr(0, size)), "read") << size;
        }
    }
}

TEST(Iso9660, BrokenRecordsAreErrors) {
    const std::string image = iso_image("x", files(), IsoNames::kPlain);
    const std::vector<std::pair<std::size_t, char>> changes = {
        {20 * 2048, '\7'},              // a record shorter than its head
        {20 * 2048 + 32, '\xff'},       // a name longer than its record
        {20 * 2048 + 68 + 13, '\x7f'},  // a file of 2 GB
        {16 * 2048 + 128, '\0'},        // blocks of no size
    };
    for (const auto& [at, value] : changes) {
        std::string broken = image;
        broken[at] = value;
        EXPECT_NE(error_of(broken), "unknown format") << at;
    }
}

TEST(Fat, ReadsLongNamesAndTheLabel) {
    expect_files(fat_image("CIDATA", files()), "FAT", "CIDATA");
}

TEST(Fat, AChainThatEndsTooEarlyIsAnError) {
    std::string image = fat_image("CIDATA", {{"ovf-env.xml", std::string(2000, 'x')}});
    put_le(image, 512 + 3 * 2, 0xffff, 2);
    EXPECT_TRUE(contains(error_of(image), "longer than its clusters")) << error_of(image);
}

TEST(Fat, AChainThatNeverEndsIsCut) {
    std::string image = fat_image("CIDATA", {{"ovf-env.xml", std::string(2000, 'x')}});
    put_le(image, 512 + 3 * 2, 2, 2);
    EXPECT_EQ(error_of(image), "read");
}

// What another program wrote, with these options.
std::optional<std::string> genisoimage(const std::vector<std::string>& options) {
    const auto program = find_program("genisoimage");
    if (!program) {
        return std::nullopt;
    }
    const auto dir = TempDir::make();
    const std::string tree = dir->path() + "/tree";
    EXPECT_TRUE(make_directories(tree + "/sub"));
    for (const auto& [name, bytes] : files()) {
        EXPECT_TRUE(write_file_atomic(tree + "/" + name, bytes));
    }
    EXPECT_TRUE(write_file_atomic(tree + "/sub/ovf-env.xml", "another"));
    Command command;
    command.argv = {*program, "-quiet", "-V", "cidata", "-o", dir->path() + "/image"};
    command.argv.insert(command.argv.end(), options.begin(), options.end());
    command.argv.push_back(tree);
    const auto result = run(command);
    EXPECT_TRUE(result && result->exit_code == 0) << (result ? result->errors : "");
    return read_file(dir->path() + "/image").value_or("");
}

TEST(Medium, ReadsWhatGenisoimageWrites) {
    if (!genisoimage({"-R"})) {
        GTEST_SKIP() << "genisoimage is not installed";
    }
    const std::vector<std::vector<std::string>> ways = {
        {"-R"}, {"-J"}, {"-R", "-J"}, {"-iso-level", "1"}};
    for (const std::vector<std::string>& options : ways) {
        SCOPED_TRACE(options.front());
        std::string image = *genisoimage(options);
        expect_files(image, "ISO 9660", "cidata");
    }
    expect_files(*genisoimage({"-udf"}), "UDF", "cidata");
    expect_files(*genisoimage({"-udf", "-R", "-J"}), "UDF", "cidata");
}

TEST(Medium, OtherDisksAreOfNoKnownFormat) {
    EXPECT_EQ(error_of(""), "unknown format");
    EXPECT_EQ(error_of(std::string(1 << 20, '\0')), "unknown format");
    EXPECT_EQ(error_of(std::string(1 << 20, '\xff')), "unknown format");
}

TEST(Medium, CharactersOutsideTheBasicPlane) {
    EXPECT_EQ(from_utf16(std::string("\xd8\x3d\xde\x00", 4), ByteOrder::kBig), "\xf0\x9f\x98\x80");
    EXPECT_EQ(from_utf16(std::string("\xd8\x3d", 2), ByteOrder::kBig), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace tarn::guest
