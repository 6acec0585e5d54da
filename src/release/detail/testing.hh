// SPDX-License-Identifier: MIT
// Histories for the tests.
#pragma once

#include "release/autospec.hh"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace tarn::release {

inline std::string spec_text(const std::string& version,
                             const std::string& release = "%autorelease") {
    return fmt::format(
        "Name: example\nVersion: {}\nRelease: {}\nSummary: An example\nLicense: MIT\n\n"
        "%description\nAn example.\n\n%files\n\n%changelog\n%autochangelog\n",
        version,
        release);
}

// A line of commits, given oldest first, a day apart from Sat Nov 25 2017 on.
class History {
  public:
    History& add(const std::string& message, std::optional<std::string> spec) {
        Revision revision;
        revision.id = "c" + std::to_string(oldest_first_.size() + 1);
        revision.author = "Ann Author";
        revision.email = "ann@example.com";
        revision.time = 1'511'568'000 + 86400 * static_cast<std::int64_t>(oldest_first_.size());
        revision.message = message;
        revision.spec = std::move(spec);
        if (!oldest_first_.empty()) {
            revision.changelog = oldest_first_.back().changelog;
        }
        oldest_first_.push_back(std::move(revision));
        return *this;
    }
    History& changelog(std::optional<std::string> text) {
        oldest_first_.back().changelog = std::move(text);
        return *this;
    }
    std::vector<Revision> newest_first() const {
        std::vector<Revision> history(oldest_first_.rbegin(), oldest_first_.rend());
        for (std::size_t i = 0; i + 1 < history.size(); ++i) {
            history[i].parents = {i + 1};
        }
        return history;
    }

  private:
    std::vector<Revision> oldest_first_;
};

}  // namespace tarn::release
