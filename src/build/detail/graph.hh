// SPDX-License-Identifier: MIT
// Which component must be built before which: from BuildRequires, and from what the packages they
// name themselves require.
#pragma once

#include "base/result.hh"
#include "build/detail/query.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::build {

struct GraphNode {
    std::string name;
    const SpecQuery* query = nullptr;
};

struct Graph {
    std::vector<std::vector<std::size_t>> needs;    // direct, sorted, by node
    std::vector<std::size_t> order;                 // needed ones first; by name where free
    std::vector<std::vector<std::size_t>> closure;  // all that a node needs, sorted
};

// A cycle is an Error that walks it: "a needs b-devel (of b), b needs a-devel (of a)".
Result<Graph> order_components(const std::vector<GraphNode>& nodes);

// The names in a dependency: "foo >= 1" -> foo; "(a >= 1 or b)" -> a, b.
std::vector<std::string> dependency_names(std::string_view dependency);

}  // namespace tarn::build
