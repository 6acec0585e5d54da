// SPDX-License-Identifier: MIT
// For tests: a store of their own and short ways to make trees in it.
#pragma once

#include "image/detail/testing.hh"
#include "store/store.hh"

namespace tarn::image::testing {

class StoreTest : public ::testing::Test {
  protected:
    StoreTest() : directory_(temporary()), store_(*Store::open(directory_.path() + "/store")) {}

    TreeEntry file(std::string path, std::string_view bytes, std::uint32_t mode = 0644) {
        TreeEntry out;
        out.path = std::move(path);
        out.mode = mode;
        out.content = *store_.put(bytes);
        return out;
    }
    static TreeEntry symlink(std::string path, std::string target) {
        TreeEntry out;
        out.path = std::move(path);
        out.kind = EntryKind::kSymlink;
        out.mode = 0777;
        out.target = std::move(target);
        return out;
    }
    static Tree tree(std::vector<TreeEntry> entries) {
        auto made = Tree::make(std::move(entries));
        EXPECT_TRUE(made.has_value());
        return std::move(*made);
    }
    std::string text(const Tree& tree, std::string_view path) {
        const TreeEntry* entry = tree.find(path);
        return entry == nullptr ? "(none)" : store_.read(entry->content).value_or("(unreadable)");
    }

    TempDir directory_;
    Store store_;
};

}  // namespace tarn::image::testing
