// SPDX-License-Identifier: MIT
// The order in which rpmautospec visits a history and what children tell their parents on the way
// down. It decides which commits count, so it is followed exactly, oddities included.
#pragma once

#include "base/result.hh"
#include "release/autospec.hh"

#include <functional>
#include <optional>
#include <vector>

namespace tarn::release {

// What a visitor tells the parents of the commit it looked at.
struct Word {
    bool go_on = false;
    std::optional<bool> changelog_removed;
};

struct Visitors {
    using Ask = std::function<Result<Word>(std::size_t revision, const Word& from_children)>;
    std::vector<Ask> ask;  // on the way down, each with its own children's words
    // On the way up, parents first.
    std::function<void(std::size_t revision)> settle;
};

// `history` as in compute(); every parent index must be in it or beyond its end.
Result<void> walk_history(const std::vector<Revision>& history, const Visitors& visitors);

}  // namespace tarn::release
