// SPDX-License-Identifier: MIT
#include "render/detail/conditions.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::overlay {

Condition condition_of(std::string_view line) {
    const std::string_view text = spec_trim(line);
    if (!text.starts_with('%')) {
        return Condition::kNone;
    }
    const std::string word = to_lower(text.substr(0, text.find_first_of(" \t\v\f\r")));
    if (word == "%if" || word == "%ifarch" || word == "%ifnarch" || word == "%ifos" ||
        word == "%ifnos") {
        return Condition::kOpen;
    }
    if (word == "%endif") {
        return Condition::kClose;
    }
    return word == "%else" || word.starts_with("%elif") ? Condition::kElse : Condition::kNone;
}

int condition_step(std::string_view line) {
    switch (condition_of(line)) {
        case Condition::kOpen:
            return 1;
        case Condition::kClose:
            return -1;
        default:
            return 0;
    }
}

Conditions pair_conditions(const std::vector<std::string>& lines) {
    Conditions result;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const int step = condition_step(lines[i]);
        if (step > 0) {
            open.push_back(i);
        } else if (step < 0) {
            if (open.empty()) {
                result.unbalanced_line = i;
                return result;
            }
            result.pairs.push_back({open.back(), i});
            open.pop_back();
        }
    }
    if (!open.empty()) {
        result.unbalanced_line = open.back();
    }
    return result;
}

}  // namespace tarn::overlay
