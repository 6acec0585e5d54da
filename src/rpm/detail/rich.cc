// SPDX-License-Identifier: MIT
#include "rpm/detail/rich.hh"

#include <rpm/rpmds.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace tarn::rpm {

namespace {

struct Name {
    std::string name;
    bool negated = false;
    auto operator<=>(const Name&) const = default;
};

// Follows librpm's parser through the expression.
struct Walk {
    std::vector<Name> names;
    std::vector<std::size_t> condition_start;  // one for every open parenthesis
    bool negated = false;

    void on_operator(rpmrichOp op) {
        if (op == RPMRICHOP_IF || op == RPMRICHOP_UNLESS) {
            condition_start.back() = names.size();
            negated = !negated;
        } else if (op == RPMRICHOP_ELSE) {
            // The other branch depends on the condition too, the other way round.
            const std::size_t end = names.size();
            for (std::size_t i = condition_start.back(); i < end; ++i) {
                Name opposite = names[i];
                opposite.negated = !opposite.negated;
                names.push_back(std::move(opposite));
            }
            negated = !negated;
        }
    }
};

rpmRC step(void* data,
           rpmrichParseType type,
           const char* name,
           int name_length,
           const char*,
           int,
           rpmsenseFlags,
           rpmrichOp op,
           char**) {
    Walk& walk = *static_cast<Walk*>(data);
    switch (type) {
        case RPMRICH_PARSE_ENTER:
            walk.condition_start.push_back(walk.names.size());
            break;
        case RPMRICH_PARSE_SIMPLE: {
            const std::string_view text(name, static_cast<std::size_t>(name_length));
            if (!text.empty() && !text.starts_with("rpmlib(")) {
                walk.names.push_back({std::string(text), walk.negated});
            }
            break;
        }
        case RPMRICH_PARSE_OP:
            walk.on_operator(op);
            break;
        case RPMRICH_PARSE_LEAVE:
            walk.condition_start.pop_back();
            if (op == RPMRICHOP_IF || op == RPMRICHOP_UNLESS) {
                walk.negated = !walk.negated;
            }
            break;
    }
    return RPMRC_OK;
}

}  // namespace

std::vector<std::string> rich_names(const std::string& dependency) {
    Walk walk;
    const char* text = dependency.c_str();
    char* problem = nullptr;
    const auto parsed = rpmrichParse(&text, &problem, step, &walk);
    std::free(problem);
    if (parsed != RPMRC_OK) {
        return {};
    }
    std::sort(walk.names.begin(), walk.names.end(), [](const Name& a, const Name& b) {
        return a.negated != b.negated ? b.negated : a.name < b.name;
    });
    walk.names.erase(std::unique(walk.names.begin(), walk.names.end()), walk.names.end());
    std::vector<std::string> names;
    for (Name& name : walk.names) {
        names.push_back(name.negated ? "!" + name.name : std::move(name.name));
    }
    return names;
}

}  // namespace tarn::rpm
