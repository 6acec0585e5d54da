// SPDX-License-Identifier: MIT
// The expressions of %if and %[...]: integers, "strings", v"versions"; three-valued.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::specs {

// Stands in expanded text for what is not known.
constexpr char kUnknownMark = '\1';
constexpr char kArchiveMark = '\2';

struct Value {
    enum class Kind { kError, kUnknown, kInteger, kString, kVersion };
    Kind kind = Kind::kError;
    std::int64_t integer = 0;
    std::string text{};

    std::optional<bool> truth() const;  // nullopt: an error, or unknown
};

// `text` is expanded, with kUnknownMark in it. Limited in depth; linear.
Value evaluate(std::string_view text);

int compare_versions(std::string_view a, std::string_view b);  // "[epoch:]version[-release]"

}  // namespace tarn::specs
