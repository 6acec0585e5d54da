// SPDX-License-Identifier: MIT
#include "build/detail/graph.hh"

#include "base/strings.hh"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <set>

namespace tarn::build {

namespace {

struct Provider {
    std::size_t node = 0;
    std::size_t binary = 0;
};

constexpr std::size_t kAnyBinary = static_cast<std::size_t>(-1);

// Every name that a component will provide -> who.
std::multimap<std::string, Provider> index_providers(const std::vector<GraphNode>& nodes) {
    std::multimap<std::string, Provider> index;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const SpecQuery& query = *nodes[i].query;
        for (std::size_t b = 0; b < query.binaries.size(); ++b) {
            std::set<std::string> names = {query.binaries[b].nevra.name};
            for (const auto& provide : query.binaries[b].provides) {
                names.merge(std::set<std::string>{dependency_names(provide).front()});
            }
            for (const auto& name : names) {
                index.emplace(name, Provider{i, b});
            }
        }
        for (const auto& name : query.listed) {
            index.emplace(name, Provider{i, kAnyBinary});
        }
    }
    return index;
}

// What one node needs of others, and by which name.
std::map<std::size_t, std::string> needs_of(std::size_t node,
                                            const std::vector<GraphNode>& nodes,
                                            const std::multimap<std::string, Provider>& index) {
    std::map<std::size_t, std::string> needs;
    std::set<std::pair<std::size_t, std::size_t>> seen;
    std::deque<std::string> open;
    const auto add = [&open](const std::vector<std::string>& dependencies) {
        for (const auto& dependency : dependencies) {
            for (auto& name : dependency_names(dependency)) {
                open.push_back(std::move(name));
            }
        }
    };
    add(nodes[node].query->build_requires);
    while (!open.empty()) {
        const std::string name = std::move(open.front());
        open.pop_front();
        const auto [first, last] = index.equal_range(name);
        for (auto it = first; it != last; ++it) {
            const Provider& provider = it->second;
            if (provider.node == node || !seen.emplace(provider.node, provider.binary).second) {
                continue;  // what a component needs of itself can only be an imported package
            }
            needs.emplace(provider.node, name);
            if (provider.binary != kAnyBinary) {
                add(nodes[provider.node].query->binaries[provider.binary].requires_);
            }
        }
    }
    return needs;
}

// Among nodes that could not be ordered there is a cycle: follow needs until a node comes twice.
Error cycle_error(const std::vector<GraphNode>& nodes,
                  const std::vector<std::map<std::size_t, std::string>>& needs,
                  const std::set<std::size_t>& left) {
    std::vector<std::size_t> path;
    std::size_t node = *left.begin();
    while (std::find(path.begin(), path.end(), node) == path.end()) {
        path.push_back(node);
        for (const auto& [next, name] : needs[node]) {
            if (left.contains(next)) {
                node = next;
                break;
            }
        }
    }
    path.erase(path.begin(), std::find(path.begin(), path.end(), node));
    path.push_back(node);
    std::vector<std::string> names;
    for (std::size_t member : path) {
        names.push_back(nodes[member].name);
    }
    Error result = error(
        ErrorKind::kFailed, "components need each other to be built: {}", join(names, " -> "));
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        result.notes.push_back(fmt::format("{} needs {}, which {} builds",
                                           names[i],
                                           needs[path[i]].at(path[i + 1]),
                                           names[i + 1]));
    }
    result.help.emplace_back(
        "take one of these BuildRequires away (overlay spec-remove-tag, or a build condition)");
    return result;
}

std::vector<std::vector<std::size_t>> closures(const Graph& graph) {
    std::vector<std::vector<std::size_t>> closure(graph.needs.size());
    for (std::size_t node : graph.order) {
        std::set<std::size_t> all;
        for (std::size_t need : graph.needs[node]) {
            all.insert(need);
            all.insert(closure[need].begin(), closure[need].end());
        }
        closure[node].assign(all.begin(), all.end());
    }
    return closure;
}

}  // namespace

std::vector<std::string> dependency_names(std::string_view dependency) {
    const std::string_view text = trim(dependency);
    const auto words = split_words(text);
    if (!text.starts_with('(')) {
        return {words.empty() ? std::string() : std::string(words.front())};
    }
    std::vector<std::string> names;
    bool value = false;  // the word after a comparison is a version
    for (std::string_view word : words) {
        while (word.starts_with('(')) {
            word.remove_prefix(1);
        }
        // ")" closes the group unless it belongs to the name, as in pkgconfig(x).
        while (word.ends_with(')') && std::count(word.begin(), word.end(), ')') >
                                          std::count(word.begin(), word.end(), '(')) {
            word.remove_suffix(1);
        }
        static constexpr std::string_view kOperators[] = {
            "and", "or", "if", "unless", "else", "with", "without"};
        const bool comparison = word.find_first_not_of("<>=") == std::string_view::npos;
        const bool keyword =
            std::find(std::begin(kOperators), std::end(kOperators), word) != std::end(kOperators);
        if (!word.empty() && !comparison && !keyword && !value) {
            names.emplace_back(word);
        }
        value = comparison && !word.empty();
    }
    return names;
}

Result<Graph> order_components(const std::vector<GraphNode>& nodes) {
    const auto index = index_providers(nodes);
    std::vector<std::map<std::size_t, std::string>> needs(nodes.size());
    std::set<std::size_t> left;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        needs[i] = needs_of(i, nodes, index);
        left.insert(i);
    }
    Graph graph;
    graph.needs.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (const auto& [need, name] : needs[i]) {
            graph.needs[i].push_back(need);
        }
    }
    std::vector<std::size_t> by_name(nodes.size());
    std::iota(by_name.begin(), by_name.end(), std::size_t{0});
    std::sort(by_name.begin(), by_name.end(), [&](std::size_t a, std::size_t b) {
        return nodes[a].name < nodes[b].name;
    });
    while (!left.empty()) {
        const auto ready = std::find_if(by_name.begin(), by_name.end(), [&](std::size_t node) {
            return left.contains(node) &&
                   std::none_of(graph.needs[node].begin(),
                                graph.needs[node].end(),
                                [&](std::size_t need) { return left.contains(need); });
        });
        if (ready == by_name.end()) {
            return fail(cycle_error(nodes, needs, left));
        }
        graph.order.push_back(*ready);
        left.erase(*ready);
    }
    graph.closure = closures(graph);
    return graph;
}

}  // namespace tarn::build
