// SPDX-License-Identifier: MIT
// Release of a component: which mode its spec asks for, and the synthetic history that counts a
// project's own changes on top of the upstream dist-git (declaration format, "releases").
#pragma once

#include "base/result.hh"
#include "release/autospec.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::release {

// ---- modes ----------------------------------------------------------------------------------

enum class ReleaseKind {
    kAutorelease,  // %autorelease, %{autorelease ...}, %{?autorelease}
    kStatic,       // digits, then nothing, %{?dist} or %{dist}
    kOther,        // anything else: a person decides
    kMissing,      // the main package has no Release
};
// Of the main package's Release tag, the last one when there are several.
ReleaseKind classify(std::string_view spec);

// What `calculation` ("auto", "autorelease", "static", "manual") means for this spec.
enum class Action { kNone, kAutospec, kBump };
Result<Action> decide(std::string_view calculation,
                      std::string_view spec,
                      const std::string& component);

// Every Release line of the main package becomes `Release: <N + by><dist suffix>`, N from the last.
Result<std::string> bump_static(std::string_view spec, unsigned by);

// ---- synthetic history ------------------------------------------------------------------------

// One version of a component's lock in the project's history.
struct LockRevision {
    std::string commit;  // of the project
    std::string author, email, subject;
    std::int64_t time = 0;
    int offset = 0;
    std::string input_fingerprint, upstream_commit, import_commit;
};

struct SyntheticEntry {
    std::string author, email, message;  // subject, blank, "Project commit: <hash>"
    std::int64_t time = 0;
    int offset = 0;
    std::string upstream_commit;  // that was locked then; empty: local component
};

// Entries from the versions of a lock, oldest first: the first one and every change of the
// fingerprint. `current_fingerprint` that differs from the newest gives one more, dated
// `dirty_time`, "Local changes (uncommitted)"; upstream components only.
std::vector<SyntheticEntry> synthetic_entries(const std::vector<LockRevision>& oldest_first,
                                              const std::string& current_fingerprint,
                                              std::int64_t dirty_time);

// Lays entries over the upstream chain. `upstream` is newest first (first parents from the newest
// commit ever locked; everything at and before `import_commit` is kept as it is, with its merges).
// An entry made while an older commit was locked comes directly after that commit; those of the
// newest, and those of local components, come last. Only the newest revision has `final_spec`.
// Entries whose commit is not on the chain are dropped, with a warning.
struct Interleaved {
    std::vector<Revision> history;  // newest first
    std::vector<std::string> warnings;
};
Result<Interleaved> interleave(const std::vector<Revision>& upstream,
                               const std::string& import_commit,
                               const std::vector<SyntheticEntry>& oldest_first,
                               const std::string& final_spec);

}  // namespace tarn::release
