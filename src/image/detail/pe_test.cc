// SPDX-License-Identifier: MIT
#include "image/detail/pe.hh"

#include "image/detail/bytes.hh"
#include "image/detail/testing.hh"

namespace tarn::image {
namespace {

// The smallest PE32+ with one section and room for more headers.
std::string small_stub() {
    std::string pe(0x600, '\0');
    put_bytes(pe, 0, "MZ");
    put_le(pe, 0x3c, 0x80, 4);
    put_bytes(pe, 0x80, std::string_view("PE\0\0", 4));
    const std::size_t coff = 0x84;
    put_le(pe, coff, 0x8664, 2);
    put_le(pe, coff + 2, 1, 2);
    put_le(pe, coff + 16, 240, 2);
    put_le(pe, coff + 18, 0x22e, 2);
    const std::size_t optional = coff + 20;
    put_le(pe, optional, 0x20b, 2);
    put_le(pe, optional + 32, 4096, 4);
    put_le(pe, optional + 36, 512, 4);
    put_le(pe, optional + 56, 0x2000, 4);
    put_le(pe, optional + 60, 0x400, 4);
    put_le(pe, optional + 64, 0xdeadbeef, 4);
    put_le(pe, optional + 108, 16, 4);
    const std::size_t table = optional + 240;
    put_bytes(pe, table, ".text");
    put_le(pe, table + 8, 0x123, 4);
    put_le(pe, table + 12, 0x1000, 4);
    put_le(pe, table + 16, 0x200, 4);
    put_le(pe, table + 20, 0x400, 4);
    put_le(pe, table + 36, 0x60000020, 4);
    return pe;
}

TEST(Pe, SectionsComeBackAsTheyWerePut) {
    const std::string kernel(5000, 'k');
    const auto uki = append_sections(
        small_stub(),
        {{".osrel", "ID=tarn\n", 0}, {".cmdline", "quiet", 0}, {".linux", kernel, 0x9000}});
    ASSERT_TRUE(uki.has_value());
    EXPECT_EQ(*pe_section(*uki, ".osrel"), "ID=tarn\n");
    EXPECT_EQ(*pe_section(*uki, ".cmdline"), "quiet");
    EXPECT_TRUE(pe_section(*uki, ".linux")->starts_with(kernel));  // padded to the file alignment
    EXPECT_EQ(pe_section(*uki, ".initrd").error().kind, ErrorKind::kNotFound);
    // .text up to 0x2000, two small ones, and the kernel's 0x9000.
    EXPECT_EQ(*pe_memory_size(*uki), 0x4000u + 0x9000u);
    EXPECT_EQ(uki->size() % 512, 0u);
    EXPECT_EQ(take_le(*uki, 0x84 + 20 + 64, 4), 0u);
}

TEST(Pe, ObjdumpReadsIt) {
    TARN_NEED_TOOL("objdump");
    const TempDir dir = testing::temporary();
    const auto uki = append_sections(small_stub(), {{".linux", "kernel", 0}});
    ASSERT_TRUE(uki.has_value());
    ASSERT_TRUE(write_file_atomic(dir.path() + "/uki.efi", *uki).has_value());
    const auto list = testing::run_tool({"objdump", "-h", dir.path() + "/uki.efi"});
    EXPECT_EQ(list.exit_code, 0) << list.text;
    EXPECT_NE(list.text.find(".linux        00000006  0000000000002000"), std::string::npos)
        << list.text;
}

TEST(Pe, NoRoomForHeadersIsAnErrorAndNotACorruptImage) {
    std::vector<PeSection> many;
    for (int i = 0; i < 20; ++i) {
        many.push_back({".s" + std::to_string(i), "x", 0});
    }
    EXPECT_FALSE(append_sections(small_stub(), many).has_value());
}

TEST(Pe, SignedOrBrokenStubsAreRefused) {
    std::string signed_stub = small_stub();
    put_le(signed_stub, 0x98 + 112 + 4 * 8 + 4, 64, 4);
    EXPECT_FALSE(append_sections(signed_stub, {{".linux", "k", 0}}).has_value());
    const std::string whole = small_stub();
    for (std::size_t size = 0; size < 0x1b0; ++size) {
        EXPECT_FALSE(append_sections(std::string_view(whole).substr(0, size), {{".linux", "k", 0}}))
            << size;
    }
    std::string bad = small_stub();
    put_le(bad, 0x98 + 36, 0, 4);
    EXPECT_FALSE(append_sections(bad, {{".linux", "k", 0}}).has_value());
}

TEST(Pe, EmptyAndOverlongSectionsAreRefused) {
    EXPECT_FALSE(append_sections(small_stub(), {{".linux", "", 0}}).has_value());
    EXPECT_FALSE(append_sections(small_stub(), {{".much-too-long", "x", 0}}).has_value());
}

}  // namespace
}  // namespace tarn::image
