// SPDX-License-Identifier: MIT
// An XML document as elements with lines; attributes that nobody asked for can be told.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::kiwi {

struct Element {
    std::string name;
    std::uint32_t line = 0;
    std::map<std::string, std::string> attributes;
    std::string text;  // of its own, trimmed
    std::vector<Element> children;

    const std::string& attribute(const std::string& key) const;  // empty when not there
    bool flag(const std::string& key) const { return attribute(key) == "true"; }
};

// kCorrupt with line and column, and above 4 MiB, 64 levels or 100,000 elements.
Result<Element> parse_xml(std::string_view xml, const std::string& path);

}  // namespace tarn::kiwi
