// SPDX-License-Identifier: MIT
// Which lines of a spec hold, when some conditions cannot be decided.
#pragma once

#include <optional>
#include <vector>

namespace tarn::specs {

enum class Holds { kNo, kMaybe, kYes };

class ConditionStack {
  public:
    Holds now() const { return levels_.empty() ? Holds::kYes : levels_.back().now; }
    // Whether the condition of an %elif is looked at.
    bool needs_elif() const { return !levels_.empty() && levels_.back().next != Holds::kNo; }

    void open(std::optional<bool> condition) {
        Level level;
        level.around = now();
        levels_.push_back(level);
        take(condition);
    }
    void next(std::optional<bool> condition) {
        if (!levels_.empty()) {
            take(condition);
        }
    }
    void close() {
        if (!levels_.empty()) {
            levels_.pop_back();
        }
    }

  private:
    struct Level {
        Holds around = Holds::kYes;
        Holds now = Holds::kNo;
        Holds next = Holds::kYes;  // whether a branch that comes may still hold
    };
    void take(std::optional<bool> condition) {
        Level& level = levels_.back();
        const Holds own = !condition ? Holds::kMaybe : *condition ? Holds::kYes : Holds::kNo;
        level.now = least(level.around, least(level.next, own));
        if (own == Holds::kYes) {
            level.next = Holds::kNo;
        } else if (own == Holds::kMaybe) {
            level.next = least(level.next, Holds::kMaybe);
        }
    }
    static Holds least(Holds a, Holds b) { return a < b ? a : b; }

    std::vector<Level> levels_{};
};

}  // namespace tarn::specs
