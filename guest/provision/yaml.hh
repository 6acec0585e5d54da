// SPDX-License-Identifier: MIT
// YAML 1.1 as cloud-init's loader reads it (PyYAML, SafeLoader): `yes` and `off` are booleans, 0644
// is 420, 1:30 is 90, 2026-01-01 is a date. What needs more than a tree (anchors, aliases, tags,
// merge keys, a key given twice) is told as a problem of its own. Limits: 1 MiB, depth 24, 50,000
// values.
#pragma once

#include "provision/problem.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct Node {
    struct Member;
    enum class Kind { kNull, kBool, kInt, kFloat, kText, kDate, kList, kMap };
    Kind kind = Kind::kNull;
    std::string text;  // a scalar as it is written, without quotes
    bool boolean = false;
    std::int64_t integer = 0;
    Mark mark;
    std::vector<Node> items;         // kList
    std::vector<Member> members;     // kMap
    std::vector<Mark> member_marks;  // where the keys are

    const Node* find(std::string_view key) const;
    bool is_scalar() const { return kind != Kind::kList && kind != Kind::kMap; }
    bool is_null() const { return kind == Kind::kNull; }
};
struct Node::Member {
    std::string name;  // as it is written
    Node value;
};

// kUsage with line and column when it is no YAML. Features beyond a tree go to `problems`.
Result<Node> parse_yaml(std::string_view document, std::string_view text, Problems& problems);

// What a plain scalar means; pure.
Node resolve_scalar(std::string_view text);

std::string_view kind_name(Node::Kind kind);  // "a list", "true or false", ...

}  // namespace tarn::guest
