// SPDX-License-Identifier: MIT
// For tests: a store of their own and short ways to make trees and archives.
#pragma once

#include "base/fs.hh"
#include "base/process.hh"
#include "oci/oci.hh"

#include <gtest/gtest.h>

namespace tarn::oci::testing {

inline constexpr std::int64_t kTime = 1793491200;

inline TempDir temporary() {
    auto directory = TempDir::make();
    EXPECT_TRUE(directory.has_value());
    return std::move(*directory);
}

struct ToolOutput {
    int exit_code = 0;
    std::string text;
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

class StoreTest : public ::testing::Test {
  protected:
    StoreTest() : directory_(temporary()), store_(*Store::open(directory_.path() + "/store")) {}

    TreeEntry file(std::string path, std::string_view bytes, std::uint32_t mode = 0644) {
        TreeEntry out;
        out.path = std::move(path);
        out.mode = mode;
        out.mtime = kTime;
        out.content = *store_.put(bytes);
        return out;
    }
    static TreeEntry of_kind(std::string path, EntryKind kind, std::uint32_t mode) {
        TreeEntry out;
        out.path = std::move(path);
        out.kind = kind;
        out.mode = mode;
        out.mtime = kTime;
        return out;
    }
    static TreeEntry symlink(std::string path, std::string target) {
        TreeEntry out = of_kind(std::move(path), EntryKind::kSymlink, 0777);
        out.target = std::move(target);
        return out;
    }
    static Tree tree(std::vector<TreeEntry> entries) {
        auto made = Tree::make(std::move(entries));
        EXPECT_TRUE(made.has_value()) << made.error().message;
        return made ? std::move(*made) : Tree();
    }
    std::string tar_of(const Tree& tree) const {
        std::string out;
        const auto done = write_tar(store_, tree, {kTime}, [&](std::string_view bytes) {
            out += bytes;
            return Result<void>{};
        });
        EXPECT_TRUE(done.has_value());
        return out;
    }
    std::string text(const Tree& tree, std::string_view path) const {
        const TreeEntry* entry = tree.find(path);
        return entry == nullptr ? "(none)" : store_.read(entry->content).value_or("(unreadable)");
    }
    static std::vector<std::string> paths(const Tree& tree) {
        std::vector<std::string> out;
        for (const TreeEntry& entry : tree.entries()) {
            out.push_back(entry.path);
        }
        return out;
    }

    TempDir directory_;
    Store store_;
};

}  // namespace tarn::oci::testing

#define TARN_NEED_TOOL(name)                                \
    if (!::tarn::find_program(name)) {                      \
        GTEST_SKIP() << (name) << " is not installed here"; \
    }                                                       \
    static_assert(true)
