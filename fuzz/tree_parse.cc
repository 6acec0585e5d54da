// rooms: store base
// SPDX-License-Identifier: MIT
// A tree's text comes from a store that others may have written. Whatever parses must be the very
// text it prints as, and hold what every tree promises.
#include "store/tree.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const tarn::Result<tarn::Tree> tree = tarn::Tree::parse(text);
    if (!tree) {
        return 0;
    }
    TARN_CHECK(tree->serialize() == text);
    const tarn::Result<tarn::Tree> again = tarn::Tree::make(tree->entries());
    TARN_CHECK(again && again->entries() == tree->entries());
    const tarn::Tree empty;
    const tarn::MergeResult merged = tarn::merge({&*tree, &empty, &*tree});
    TARN_CHECK(merged.conflicts.empty() && merged.tree.entries() == tree->entries());
    bool odd = false;
    const tarn::Tree half = tree->filter([&](const tarn::TreeEntry&) { return odd = !odd; });
    const tarn::Result<tarn::Tree> half_again = tarn::Tree::parse(half.serialize());
    TARN_CHECK(half_again && half_again->entries() == half.entries());
    return 0;
}
