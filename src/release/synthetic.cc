// SPDX-License-Identifier: MIT
// A history that never was: the upstream dist-git with the project's own changes between its
// commits.
#include "release/release.hh"

#include <algorithm>
#include <map>

namespace tarn::release {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

Revision from_entry(const SyntheticEntry& entry, std::size_t number) {
    Revision revision;
    revision.id = "synthetic-" + std::to_string(number);
    revision.author = entry.author;
    revision.email = entry.email;
    revision.time = entry.time;
    revision.message = entry.message;
    return revision;
}

// First parents from the newest commit to `last`, newest first.
Result<std::vector<std::size_t>> first_parents(const std::vector<Revision>& upstream,
                                               const std::string& last) {
    std::vector<std::size_t> chain = {0};
    while (upstream[chain.back()].id != last) {
        const std::vector<std::size_t>& parents = upstream[chain.back()].parents;
        const std::size_t next = parents.empty() ? kNone : parents.front();
        if (next >= upstream.size() || next <= chain.back()) {
            const bool cut = !parents.empty();
            return fail(
                error(ErrorKind::kFailed,
                      "import commit {} is not among the first parents of {}: the history {} "
                      "at {}",
                      last,
                      upstream[0].id,
                      cut ? "is cut off" : "ends",
                      upstream[chain.back()].id)
                    .advise(cut ? "fetch the whole history of the branch"
                                : "the branch was rewritten, or the lock belongs to another "
                                  "one; remove the lock and lock the component anew"));
        }
        chain.push_back(next);
    }
    return chain;
}

// The import commit and everything before it, in the order given.
std::vector<std::size_t> history_of(const std::vector<Revision>& upstream, std::size_t import) {
    std::vector<bool> reachable(upstream.size());
    reachable[import] = true;
    std::vector<std::size_t> found;
    for (std::size_t i = import; i < upstream.size(); ++i) {
        if (!reachable[i]) {
            continue;
        }
        found.push_back(i);
        for (const std::size_t parent : upstream[i].parents) {
            if (parent < upstream.size()) {
                reachable[parent] = true;
            }
        }
    }
    return found;
}

// A local component begins with its sources as they are.
Interleaved local_history(const std::vector<SyntheticEntry>& oldest_first,
                          const std::string& final_spec) {
    Revision first;
    first.id = "initial";
    first.author = "azldev";
    first.email = "azldev@local";
    // Its date, 1970, is one that rpm refuses in a changelog.
    first.message = "Initial sources\n\n[skip changelog]";
    Interleaved result;
    for (std::size_t i = oldest_first.size(); i > 0; --i) {
        result.history.push_back(from_entry(oldest_first[i - 1], i - 1));
    }
    result.history.push_back(std::move(first));
    for (std::size_t i = 0; i < result.history.size(); ++i) {
        result.history[i].spec = final_spec;
        if (i + 1 < result.history.size()) {
            result.history[i].parents = {i + 1};
        }
    }
    return result;
}

// The import commit and what is before it, put at the end of `history`, merges kept.
void append_past(const std::vector<Revision>& upstream,
                 std::size_t import,
                 std::vector<Revision>& history) {
    const std::vector<std::size_t> past = history_of(upstream, import);
    std::vector<std::size_t> moved(upstream.size(), kNone);
    for (std::size_t i = 0; i < past.size(); ++i) {
        moved[past[i]] = history.size() + i;
    }
    for (const std::size_t old : past) {
        Revision revision = upstream[old];
        for (std::size_t& parent : revision.parents) {
            parent = parent < upstream.size() ? moved[parent] : kNone;
        }
        history.push_back(std::move(revision));
    }
}

// Commits made after the import and entries, in one line; a synthetic one has the files of the one
// below it.
std::vector<Revision> line_of(const std::vector<Revision>& upstream,
                              const std::vector<std::size_t>& chain,
                              const std::vector<SyntheticEntry>& entries,
                              const std::vector<std::vector<std::size_t>>& placed) {
    std::vector<Revision> line;
    for (std::size_t i = 0; i < chain.size(); ++i) {
        for (auto entry = placed[i].rbegin(); entry != placed[i].rend(); ++entry) {
            line.push_back(from_entry(entries[*entry], *entry));
            line.back().spec = upstream[chain[i]].spec;
            line.back().changelog = upstream[chain[i]].changelog;
        }
        if (i + 1 < chain.size()) {
            line.push_back(upstream[chain[i]]);
        }
    }
    for (std::size_t i = 0; i < line.size(); ++i) {
        line[i].parents = {i + 1};
    }
    return line;
}

}  // namespace

std::vector<SyntheticEntry> synthetic_entries(const std::vector<LockRevision>& oldest_first,
                                              const std::string& current_fingerprint,
                                              std::int64_t dirty_time) {
    std::vector<SyntheticEntry> entries;
    const LockRevision* before = nullptr;
    for (const LockRevision& lock : oldest_first) {
        if (before == nullptr || before->input_fingerprint != lock.input_fingerprint) {
            entries.push_back(SyntheticEntry{lock.author,
                                             lock.email,
                                             lock.subject + "\n\nProject commit: " + lock.commit,
                                             lock.time,
                                             lock.offset,
                                             lock.upstream_commit});
        }
        before = &lock;
    }
    if (before != nullptr && !before->upstream_commit.empty() && !current_fingerprint.empty() &&
        before->input_fingerprint != current_fingerprint) {
        entries.push_back(SyntheticEntry{"azldev",
                                         "azldev@local",
                                         "Local changes (uncommitted)",
                                         dirty_time,
                                         0,
                                         before->upstream_commit});
    }
    return entries;
}

Result<Interleaved> interleave(const std::vector<Revision>& upstream,
                               const std::string& import_commit,
                               const std::vector<SyntheticEntry>& oldest_first,
                               const std::string& final_spec) {
    if (upstream.empty()) {
        return local_history(oldest_first, final_spec);
    }
    const std::vector<std::size_t> chain = TARN_TRY(first_parents(upstream, import_commit));
    std::map<std::string, std::size_t> position;
    for (std::size_t i = 0; i < chain.size(); ++i) {
        position.emplace(upstream[chain[i]].id, i);
    }
    Interleaved result;
    std::vector<std::vector<std::size_t>> placed(chain.size());
    for (std::size_t i = 0; i < oldest_first.size(); ++i) {
        const SyntheticEntry& entry = oldest_first[i];
        const auto at = position.find(entry.upstream_commit);
        if (at != position.end()) {
            placed[at->second].push_back(i);
            continue;
        }
        result.warnings.push_back(
            "the change `" + entry.message.substr(0, entry.message.find('\n')) +
            "` is left out of release and changelog: it was made when upstream commit " +
            entry.upstream_commit + " was locked, which is not between " + import_commit + " and " +
            upstream[0].id);
    }
    result.history = line_of(upstream, chain, oldest_first, placed);
    append_past(upstream, chain.back(), result.history);
    result.history.front().spec = final_spec;
    return result;
}

}  // namespace tarn::release
