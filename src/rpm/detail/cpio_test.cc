// SPDX-License-Identifier: MIT
#include "rpm/detail/cpio.hh"

#include <gtest/gtest.h>

namespace tarn::rpm {
namespace {

std::string entry(std::string_view name, std::string_view contents) {
    CpioEntry head;
    head.name = name;
    head.size = contents.size();
    return cpio_header(head) + std::string(contents) +
           std::string(cpio_padding(contents.size()), '\0');
}

TEST(Cpio, ReadsWhatItWrites) {
    const std::string archive = entry("./a", "12345") + entry("./bc", "") + cpio_trailer();
    CpioReader reader(archive);
    CpioItem item;
    ASSERT_TRUE(*reader.next(item));
    EXPECT_EQ(item.name, "./a");
    EXPECT_EQ(*reader.contents(item.size), "12345");
    ASSERT_TRUE(*reader.next(item));
    EXPECT_EQ(item.name, "./bc");
    EXPECT_EQ(item.size, 0U);
    EXPECT_FALSE(*reader.next(item));
}

TEST(Cpio, ShortFormCarriesTheIndexOnly) {
    const std::string archive =
        cpio_indexed_header(7) + "1234" + cpio_indexed_header(0x1f) + cpio_trailer();
    CpioReader reader(archive);
    CpioItem item;
    ASSERT_TRUE(*reader.next(item));
    EXPECT_EQ(item.form, CpioForm::kIndexed);
    EXPECT_EQ(item.index, 7U);
    EXPECT_EQ(*reader.contents(4), "1234");
    ASSERT_TRUE(*reader.next(item));
    EXPECT_EQ(item.index, 0x1fU);
    EXPECT_FALSE(*reader.next(item));
}

TEST(Cpio, MalformedOrCutOffIsRefused) {
    const std::string archive = entry("./a", "12345") + cpio_trailer();
    for (std::size_t size = 0; size < archive.size(); ++size) {
        CpioReader reader(std::string_view(archive).substr(0, size));
        CpioItem item;
        const auto first = reader.next(item);
        if (first && reader.contents(item.size)) {
            EXPECT_FALSE(reader.next(item)) << size;
        }
    }
    for (const std::size_t at : {0U, 5U, 54U, 94U, 100U}) {
        std::string bad = archive;
        bad[at] = 'z';
        CpioReader reader(bad);
        CpioItem item;
        EXPECT_FALSE(reader.next(item)) << at;
    }
}

}  // namespace
}  // namespace tarn::rpm
