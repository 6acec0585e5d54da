// SPDX-License-Identifier: MIT
#include "release/detail/history_walk.hh"

#include <algorithm>
#include <deque>

namespace tarn::release {
namespace {

enum class Visit { kNotYet, kPassed, kAsked };

class Walk {
  public:
    Walk(const std::vector<Revision>& history, const Visitors& visitors)
        : history_(history),
          visitors_(visitors),
          state_(history.size()),
          parents_(history.size()),
          children_(history.size()),
          words_(history.size()) {}

    Result<void> run() {
        find_children();
        TARN_TRY(descend());
        ascend();
        return {};
    }

  private:
    void find_children() {
        std::vector<bool> reachable(history_.size());
        reachable[0] = true;
        for (std::size_t i = 0; i < history_.size(); ++i) {
            for (const std::size_t parent : history_[i].parents) {
                if (reachable[i] && parent < history_.size()) {
                    reachable[parent] = true;
                    parents_[i].push_back(parent);
                    children_[parent].push_back(i);
                }
            }
        }
    }

    Word heard(std::size_t commit, std::size_t visitor) const {
        if (commit == 0) {
            return Word{true, std::nullopt};
        }
        Word all;
        for (const std::size_t child : children_[commit]) {
            const Word& word = words_[child][visitor];
            all.go_on |= word.go_on;
            if (word.changelog_removed) {
                all.changelog_removed =
                    all.changelog_removed.value_or(true) && *word.changelog_removed;
            }
        }
        return all;
    }

    Result<void> visit(std::size_t commit, bool ask) {
        const std::size_t count = visitors_.ask.size();
        words_[commit].resize(count);
        state_[commit] = ask ? Visit::kAsked : Visit::kPassed;
        for (std::size_t i = 0; ask && i < count; ++i) {
            words_[commit][i] = TARN_TRY(visitors_.ask[i](commit, heard(commit, i)));
        }
        return {};
    }

    bool somebody_goes_on(std::size_t commit) const {
        for (std::size_t i = 0; i < visitors_.ask.size(); ++i) {
            if (heard(commit, i).go_on) {
                return true;
            }
        }
        return false;
    }

    bool ready(std::size_t commit) const {
        return std::all_of(children_[commit].begin(),
                           children_[commit].end(),
                           [&](std::size_t child) { return state_[child] != Visit::kNotYet; });
    }

    // Goes down along first parents. Once no child of a commit wants to go on, the rest of this
    // line is only passed through, even where a line that joins it would go on.
    Result<void> descend_line(std::size_t commit) {
        bool ask = true;
        while (state_[commit] == Visit::kNotYet) {
            if (!ready(commit)) {
                heads_.push_back(commit);
                return {};
            }
            ask = ask && somebody_goes_on(commit);
            TARN_TRY(visit(commit, ask));
            const std::vector<std::size_t>& parents = parents_[commit];
            for (std::size_t i = 1; i < parents.size(); ++i) {
                if (state_[parents[i]] == Visit::kNotYet) {
                    heads_.push_back(parents[i]);
                }
            }
            if (parents.empty()) {
                return {};
            }
            commit = parents.front();
        }
        return {};
    }

    Result<void> descend() {
        heads_.push_back(0);
        while (!heads_.empty()) {
            const std::size_t commit = heads_.front();
            heads_.pop_front();
            TARN_TRY(descend_line(commit));
        }
        return {};
    }

    void ascend() {
        for (std::size_t i = history_.size(); i > 0; --i) {
            if (state_[i - 1] == Visit::kAsked) {
                visitors_.settle(i - 1);
            }
        }
    }

    const std::vector<Revision>& history_;
    const Visitors& visitors_;
    std::vector<Visit> state_;
    std::vector<std::vector<std::size_t>> parents_, children_;
    std::vector<std::vector<Word>> words_;
    std::deque<std::size_t> heads_;
};

}  // namespace

Result<void> walk_history(const std::vector<Revision>& history, const Visitors& visitors) {
    for (std::size_t i = 0; i < history.size(); ++i) {
        for (const std::size_t parent : history[i].parents) {
            if (parent <= i) {
                return fail(ErrorKind::kFailed,
                            "the history given has commit {} before its child {}",
                            history[parent].id,
                            history[i].id);
            }
        }
    }
    if (history.empty()) {
        return fail(ErrorKind::kFailed, "the history given has no commit");
    }
    return Walk(history, visitors).run();
}

}  // namespace tarn::release
