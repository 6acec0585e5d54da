// SPDX-License-Identifier: MIT
// A tree of values with their origins, and its two ways onto paper.
#pragma once

#include "diag/diagnostic.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::declaration {

struct NodeEntry;

struct Node {
    enum class Kind : std::uint8_t { kText, kInteger, kFlag, kList, kTable };
    Kind kind = Kind::kTable;
    std::string text;
    std::int64_t integer = 0;
    bool flag = false;
    Span where{};
    std::vector<Node> items;
    std::vector<NodeEntry> entries;

    static Node of_text(std::string text, Span where = {});
    static Node of_integer(std::int64_t integer, Span where = {});
    static Node of_flag(bool flag, Span where = {});

    void add(std::string key, Node value);
    // These leave out what is empty.
    void text_if(std::string key, const std::string& value, Span where = {});
    void table_if(std::string key, Node value);
    void list_if(std::string key, std::vector<Node> values);
};

struct NodeEntry {
    std::string first;
    Node second;
};

inline void Node::add(std::string key, Node value) {
    entries.push_back({std::move(key), std::move(value)});
}

std::string to_json(const Node& node, const SourceMap& map, bool origins);
std::string to_toml(const Node& node, const SourceMap& map, bool origins);

std::string toml_key(std::string_view key);    // bare where that is possible
std::string toml_text(std::string_view text);  // in quotes

}  // namespace tarn::declaration
