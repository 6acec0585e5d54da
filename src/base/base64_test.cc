// SPDX-License-Identifier: MIT
#include "base/base64.hh"

#include <gtest/gtest.h>

namespace tarn {
namespace {

TEST(Base64, RoundsUpToFour) {
    for (const auto& [bytes, text] : {std::pair("", ""),
                                      std::pair("f", "Zg=="),
                                      std::pair("fo", "Zm8="),
                                      std::pair("foo", "Zm9v"),
                                      std::pair("foob", "Zm9vYg==")}) {
        EXPECT_EQ(base64(bytes), text);
        EXPECT_EQ(from_base64(text), bytes);
    }
    EXPECT_EQ(from_base64("Zg"), "f") << "padding may be left out";
    EXPECT_EQ(from_base64("Z"), std::nullopt);
    EXPECT_EQ(from_base64("Z!=="), std::nullopt);
}

}  // namespace
}  // namespace tarn
