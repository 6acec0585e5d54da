// SPDX-License-Identifier: MIT
#include "base/compress.hh"

#include <gtest/gtest.h>

namespace tarn {
namespace {

std::string zipped(std::string_view bytes, unsigned jobs, std::size_t piece) {
    std::string out;
    GzipWriter writer(6, jobs, [&](std::string_view part) -> Result<void> {
        out += part;
        return {};
    });
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        EXPECT_TRUE(writer.write(bytes.substr(at, piece)).has_value());
    }
    EXPECT_TRUE(writer.finish().has_value());
    return out;
}

TEST(GzipWriter, TheBytesComeBackAndDoNotDependOnJobsOrPieces) {
    std::string text;
    while (text.size() < (4U << 20)) {
        text += fmt::format("line {} of a text that repeats itself\n", text.size() % 977);
    }
    for (const std::size_t size : {std::size_t{0},
                                   std::size_t{5},
                                   std::size_t{1} << 20,
                                   std::size_t{2} << 20,
                                   text.size()}) {
        const std::string_view part = std::string_view(text).substr(0, size);
        const std::string one = zipped(part, 1, 1 << 20);
        EXPECT_EQ(one, zipped(part, 3, 700'001)) << size;
        const auto back = decompress(one, Compression::kGzip);
        ASSERT_TRUE(back.has_value()) << size;
        EXPECT_EQ(*back, part) << size;
    }
    // Blocks see the end of what came before them, so cutting costs next to nothing.
    EXPECT_LT(zipped(text, 2, 1 << 20).size(), compress_gzip(text, 6).size() * 11 / 10);
}

}  // namespace
}  // namespace tarn
