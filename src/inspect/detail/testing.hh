// SPDX-License-Identifier: MIT
// For tests: directories, the tools of others that make images of them, and golden texts.
#pragma once

#include "base/fs.hh"
#include "base/process.hh"
#include "inspect/facts.hh"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace tarn::inspect::testing {

inline void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(TARN_SOURCE_DIR) + "/tests/golden/inspect/" + name;
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(make_directories(parent_path(path)).has_value());
        ASSERT_TRUE(write_file_atomic(path, text).has_value());
    }
    EXPECT_EQ(read_file(path).value_or("(missing)"), text) << "accept it with TARN_ACCEPT=1";
}

class InspectTest : public ::testing::Test {
  protected:
    InspectTest() : directory_(*TempDir::make()), store_(*Store::open(directory_.path() + "/s")) {}

    std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
    // "" when the tool worked, else what it said.
    static std::string tool(std::vector<std::string> argv) {
        Command command;
        command.argv = std::move(argv);
        command.merge_error = true;
        const auto result = run(command);
        return !result                  ? result.error().message
               : result->exit_code == 0 ? ""
                                        : "failed: " + result->output;
    }
    void put(const std::string& name, std::string_view bytes, unsigned mode = 0644) {
        ASSERT_TRUE(make_directories(parent_path(path(name))).has_value());
        ASSERT_TRUE(write_file_atomic(path(name), bytes, mode).has_value());
    }
    // A sparse file of so many bytes.
    void blank(const std::string& name, std::uint64_t size) {
        put(name, "");
        ASSERT_EQ(::truncate(path(name).c_str(), static_cast<off_t>(size)), 0);
    }
    TreeEntry file(std::string where, std::string_view bytes, std::uint32_t mode = 0644) {
        TreeEntry out;
        out.path = std::move(where);
        out.mode = mode;
        out.content = *store_.put(bytes);
        return out;
    }
    static TreeEntry link(std::string where, std::string target) {
        TreeEntry out;
        out.path = std::move(where);
        out.kind = EntryKind::kSymlink;
        out.mode = 0777;
        out.target = std::move(target);
        return out;
    }
    static TreeEntry directory(std::string where, std::uint32_t mode = 0755) {
        TreeEntry out;
        out.path = std::move(where);
        out.kind = EntryKind::kDirectory;
        out.mode = mode;
        return out;
    }
    System system(std::vector<TreeEntry> entries, std::string name = "a") {
        Artifact artifact;
        artifact.path = std::move(name);
        artifact.tree = *Tree::make(std::move(entries));
        auto out = examine(store_, std::move(artifact));
        EXPECT_TRUE(out.has_value());
        return std::move(*out);
    }

    TempDir directory_;
    Store store_;
};

}  // namespace tarn::inspect::testing

#define TARN_NEED_TOOL(name)                                \
    if (!::tarn::find_program(name)) {                      \
        GTEST_SKIP() << (name) << " is not installed here"; \
    }                                                       \
    static_assert(true)
