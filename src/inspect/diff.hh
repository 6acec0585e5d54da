// SPDX-License-Identifier: MIT
// Two images compared, section by section.
#pragma once

#include "inspect/facts.hh"

namespace tarn::inspect {

enum class Change { kAdded, kRemoved, kChanged };
std::string_view change_name(Change change);  // "added", "removed", "changed"

struct Difference {
    std::string name;
    Change change = Change::kChanged;
    std::string before, after;  // for files: what changed, "mode 0644" and "mode 0755"
};

struct Section {
    std::string name;                     // "packages", "files", "kernel config", ...
    std::vector<Difference> differences;  // by name
};

struct ImageDiff {
    std::string before, after;                        // as the two are called
    std::vector<Section> sections;                    // those with differences, in a fixed order
    std::uint64_t bytes_before = 0, bytes_after = 0;  // of files, hard links once
    bool same() const { return sections.empty(); }
};

// Times of files do not count. A file that only moved to another layer does not either.
ImageDiff compare(const System& before, const System& after);

// For a terminal: at most `limit` lines a section (0: all).
std::string diff_text(const ImageDiff& diff, std::size_t limit);
std::string diff_markdown(const ImageDiff& diff, std::size_t limit);
// {"version": 1, "same": false, "before": ..., "sections": {"packages": [...]}}
std::string diff_json(const ImageDiff& diff);

}  // namespace tarn::inspect
