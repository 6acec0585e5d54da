// SPDX-License-Identifier: MIT
#include "diag/diagnostic.hh"

#include <gtest/gtest.h>

namespace tarn {
namespace {

TEST(Diagnostic, DrawsPlaceSnippetCaretAndHelp) {
    SourceMap map;
    const auto& file = map.add("components/bash.toml", "[package]\nname = \"bash\"\n\nrelase = 1\n");
    Diagnostics diagnostics(map);
    diagnostics.error({map.at(file, 4, 1), 6}, "unknown key `relase`", "did you mean `release`?");
    EXPECT_EQ(diagnostics.draw(),
              "components/bash.toml:4:1: error: unknown key `relase`\n"
              "    4 | relase = 1\n"
              "      | ^^^^^^\n"
              "      = help: did you mean `release`?\n");
}

TEST(Diagnostic, OrdersByPositionAndCaps) {
    SourceMap map;
    const auto& file = map.add("a", "one\ntwo\nthree\n");
    Diagnostics diagnostics(map);
    diagnostics.error({map.at(file, 3, 1), 1}, "third");
    diagnostics.error({map.at(file, 1, 1), 1}, "first");
    diagnostics.warning({map.at(file, 2, 1), 1}, "second");
    const std::string all = diagnostics.draw();
    EXPECT_LT(all.find("first"), all.find("second"));
    EXPECT_LT(all.find("second"), all.find("third"));
    const std::string capped = diagnostics.draw(1);
    EXPECT_EQ(capped.find("third"), std::string::npos);
    EXPECT_NE(capped.find("... and 1 more errors"), std::string::npos);
    auto checked = diagnostics.checkpoint();
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().message, "2 errors; nothing was changed");
}

TEST(Diagnostic, CaretCountsCharactersNotBytes) {
    SourceMap map;
    const auto& file = map.add("a", "näme = bäd\n");
    Diagnostics diagnostics(map);
    diagnostics.error({map.offset(file, 8), 4}, "x");
    EXPECT_NE(diagnostics.draw().find("      |        ^^^\n"), std::string::npos)
        << diagnostics.draw();
}

TEST(Diagnostic, ControlBytesAndLongLinesStayHarmless) {
    SourceMap map;
    const auto& file = map.add("a", "\x1b[31m" + std::string(100000, 'x') + "\n");
    Diagnostics diagnostics(map);
    diagnostics.error({map.offset(file, 90000), 5}, "far");
    const std::string drawn = diagnostics.draw();
    EXPECT_EQ(drawn.find('\x1b'), std::string::npos);
    EXPECT_LT(drawn.size(), 600U);
}

TEST(SourceMap, LocatesAcrossFiles) {
    SourceMap map;
    const auto& a = map.add("a", "x\n");
    const auto& b = map.add("b", "1\n22\n");
    EXPECT_EQ(map.locate(map.at(b, 2, 2)).column, 2U);
    EXPECT_EQ(map.locate(map.at(b, 2, 2)).file, "b");
    EXPECT_EQ(map.locate(map.at(a, 1, 1)).file, "a");
    EXPECT_FALSE(map.at(a, 9, 1));
    EXPECT_TRUE(map.locate(Pos{}).file.empty());
}

}  // namespace
}  // namespace tarn
