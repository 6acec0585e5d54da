// SPDX-License-Identifier: MIT
// A TOML document as plain values with their places. What reads declarations sees this and not the
// TOML library; entries stand in the order of the file.
#pragma once

#include "diag/diagnostic.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::declaration {

enum class ValueKind : std::uint8_t {
    kString,
    kInteger,
    kFloat,
    kBoolean,
    kDate,  // any date or time
    kArray,
    kTable,
};
std::string_view kind_name(ValueKind kind);  // "a string"

struct Entry;

struct Value {
    ValueKind kind = ValueKind::kTable;
    bool boolean = false;
    std::int64_t integer = 0;
    Span span{};  // of a table written as [a.b]: its header
    std::string text;
    std::vector<Value> items;
    std::vector<Entry> entries;

    const Entry* find(std::string_view key) const;
};

struct Entry {
    std::string key;
    Span key_span{};
    Value value;
};

// What a declaration file may be at most. Nesting is bounded before the library sees the text,
// because destroying its values recurses.
inline constexpr std::uint64_t kFileLimit = 16ULL << 20;
inline constexpr std::size_t kNestingLimit = 48;    // brackets and braces
inline constexpr std::size_t kDottedKeyLimit = 32;  // parts of one key

// nullopt after reporting what is wrong.
std::optional<Value> parse_toml(const SourceMap& map,
                                const SourceMap::File& file,
                                Diagnostics& diagnostics);

}  // namespace tarn::declaration
