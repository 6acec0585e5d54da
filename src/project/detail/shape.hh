// SPDX-License-Identifier: MIT
// What a key or a table may hold, as data: the JSON Schema is made of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::declaration {

enum class ShapeKind : std::uint8_t {
    kAny,
    kText,  // one of `words` unless that is empty
    kFlag,
    kInteger,
    kSize,
    kTexts,
    kTextOrTexts,
    kTextMap,
    kTable,
    kTables,  // an array of tables
    kNamedTables,
    kTextsOrTable,
};

struct TableShape;

struct Shape {
    ShapeKind kind = ShapeKind::kAny;
    std::vector<std::string> words{};
    std::function<TableShape()> table{};
};

struct KeyShape {
    std::string_view key;
    bool required = false;
    Shape shape{};
};

struct TableShape {
    std::string_view what;
    std::vector<KeyShape> keys;
};

}  // namespace tarn::declaration
