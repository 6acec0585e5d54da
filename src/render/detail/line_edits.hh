// SPDX-License-Identifier: MIT
// Changes to a list of lines, collected first and applied at once.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tarn::overlay {

class LineEdits {
  public:
    void insert(std::size_t before, std::string line) {
        inserted_[before].push_back(std::move(line));
    }
    void remove(std::size_t line) { removed_.insert(line); }
    void replace(std::size_t line, std::string text) {
        remove(line);
        insert(line, std::move(text));
    }
    bool empty() const { return inserted_.empty() && removed_.empty(); }

    template <class Lines>
    std::string apply(const Lines& lines) const {
        std::string text;
        for (std::size_t i = 0; i <= lines.size(); ++i) {
            const auto here = inserted_.find(i);
            if (here != inserted_.end()) {
                for (const std::string& line : here->second) {
                    text += line;
                    text += '\n';
                }
            }
            if (i < lines.size() && !removed_.contains(i)) {
                text += lines[i];
                text += '\n';
            }
        }
        return text;
    }

  private:
    std::map<std::size_t, std::vector<std::string>> inserted_{};
    std::set<std::size_t> removed_{};
};

}  // namespace tarn::overlay
