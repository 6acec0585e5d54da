// SPDX-License-Identifier: MIT
// For tests: the tools of others that read what this room writes.
#pragma once

#include "base/fs.hh"
#include "base/process.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tarn::image::testing {

struct ToolOutput {
    int exit_code = 0;
    std::string text;  // stdout and stderr
};

inline ToolOutput run_tool(std::vector<std::string> argv, std::string input = {}) {
    Command command;
    command.argv = std::move(argv);
    command.input = std::move(input);
    command.merge_error = true;
    auto result = run(command);
    return result ? ToolOutput{result->exit_code, result->output}
                  : ToolOutput{-1, result.error().message};
}

inline TempDir temporary() {
    auto directory = TempDir::make();
    EXPECT_TRUE(directory.has_value());
    return std::move(*directory);
}

}  // namespace tarn::image::testing

#define TARN_NEED_TOOL(name)                                \
    if (!::tarn::find_program(name)) {                      \
        GTEST_SKIP() << (name) << " is not installed here"; \
    }                                                       \
    static_assert(true)
