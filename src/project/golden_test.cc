// SPDX-License-Identifier: MIT
// Wrong declarations and what is said about them: tests/golden/project/<case>/in/ and err.exp.
#include "base/fs.hh"
#include "project/model.hh"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tarn {
namespace {

const std::string kCases = std::string(TARN_SOURCE_DIR) + "/tests/golden/project";

std::vector<std::string> cases() {
    return list_directory(kCases).value_or(std::vector<std::string>{});
}

std::string load_errors(const std::string& directory) {
    SourceMap sources;
    Diagnostics diagnostics(sources);
    LoadOptions options;
    options.start = directory;
    options.shown_from = directory;
    const auto project = load_project(options, sources, diagnostics);
    if (project) {
        return "no error\n";
    }
    return diagnostics.draw(1000) + "error: " + project.error().message + "\n";
}

class GoldenProject : public testing::TestWithParam<std::string> {};

TEST_P(GoldenProject, SaysWhatIsWrong) {
    const std::string directory = join_path(kCases, GetParam());
    const std::string expected_file = join_path(directory, "err.exp");
    const std::string actual = load_errors(join_path(directory, "in"));
    EXPECT_NE(actual, "no error\n");
    EXPECT_EQ(actual.find(TARN_SOURCE_DIR), std::string::npos) << "a path of this machine";
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(write_file_atomic(expected_file, actual).has_value());
    }
    EXPECT_EQ(actual,
              read_file(expected_file).value_or("no err.exp; accept it with TARN_ACCEPT=1"));
}

INSTANTIATE_TEST_SUITE_P(Cases,
                         GoldenProject,
                         testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<std::string>& each) {
                             std::string name = each.param;
                             for (char& c : name) {
                                 c = c == '-' ? '_' : c;
                             }
                             return name;
                         });

}  // namespace
}  // namespace tarn
