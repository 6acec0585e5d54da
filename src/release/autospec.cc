// SPDX-License-Identifier: MIT
#include "release/autospec.hh"

#include "base/strings.hh"
#include "release/detail/changelog.hh"
#include "release/detail/history_walk.hh"
#include "release/detail/text.hh"
#include "release/detail/version.hh"

#include <algorithm>
#include <memory>
#include <unordered_map>

namespace tarn::release {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

enum class EntryKind { kMessage, kFile, kUnresolvableMerge };

// Changelog entries share their tails: an entry knows the one before it in time.
struct Entry {
    std::size_t revision = 0;
    EntryKind kind = EntryKind::kMessage;
    std::size_t older = kNone;
};

struct Settled {
    bool done = false;
    const SpecVersion* version = nullptr;  // nullptr: not to be known
    std::uint64_t number = 0;
    std::string release;
    std::size_t entries = kNone;
};

// What a commit does to the file `changelog`, and which parent its changelog goes on with.
struct ChangelogStep {
    bool changed = false;       // differs from all parents
    bool removed = false;       // a parent has it, this commit has not
    bool unresolvable = false;  // a merge that nobody can tell the changelog of
    std::size_t follow = kNone;
};

class Computation {
  public:
    Computation(const std::vector<Revision>& history, const MacroTable& known)
        : history_(history),
          known_(known),
          settled_(history.size()),
          steps_(history.size()),
          removed_later_(history.size()) {}

    Result<AutospecResult> run() {
        TARN_TRY(check_newest());
        const bool with_changelog = features_of(*history_[0].spec).autochangelog;
        Visitors visitors;
        visitors.ask.emplace_back([this](std::size_t i, const Word&) { return ask_release(i); });
        if (with_changelog) {
            visitors.ask.emplace_back([this](std::size_t i, const Word& heard) -> Result<Word> {
                return ask_changelog(i, heard);
            });
        }
        visitors.settle = [this, with_changelog](std::size_t i) {
            const MagicComments comments = magic_comments(history_[i].message);
            settle_release(i, comments);
            if (with_changelog) {
                settle_changelog(i, comments);
            }
        };
        TARN_TRY(walk_history(history_, visitors));
        AutospecResult result;
        result.release_number = static_cast<unsigned>(settled_[0].number);
        result.epoch_version = settled_[0].version->epoch_version;
        result.changelog = print(settled_[0].entries);
        result.warnings = std::move(warnings_);
        return result;
    }

  private:
    Result<void> check_newest() {
        if (history_.empty()) {
            return fail(ErrorKind::kFailed, "there is no commit to compute a release from");
        }
        const Revision& newest = history_[0];
        if (!newest.spec) {
            return fail(ErrorKind::kFailed, "commit {} has no spec", newest.id);
        }
        const SpecVersion& version = read(*newest.spec);
        if (!version.problem.empty()) {
            return fail(error(ErrorKind::kFailed,
                              "the spec of commit {} cannot be evaluated: {}",
                              newest.id,
                              version.problem)
                            .advise("correct the spec, or an overlay of it"));
        }
        if (!version.unknown.empty()) {
            return fail(error(ErrorKind::kFailed,
                              "the version in the spec of commit {} depends on what is not known "
                              "here: %{{{}}}",
                              newest.id,
                              join(version.unknown, "}, %{"))
                            .note("its version reads `" + version.epoch_version + "`")
                            .advise("write the version as plain text with an overlay, or use "
                                    "release.calculation = \"manual\""));
        }
        return {};
    }

    const SpecVersion& read(const std::string& spec) {
        const auto seen = by_text_.find(spec);
        if (seen != by_text_.end()) {
            return *seen->second;
        }
        std::shared_ptr<const SpecVersion>& alike = by_key_[version_key(spec)];
        std::shared_ptr<const SpecVersion> version = alike;
        if (!version) {
            version = std::make_shared<const SpecVersion>(read_version(spec, known_));
            if (version->problem.empty()) {
                alike = version;
            }
        }
        return *by_text_.emplace(spec, version).first->second;
    }

    // nullptr when there is no spec, or none that rpm would take.
    const SpecVersion* version_of(std::size_t i) {
        if (!history_[i].spec) {
            return nullptr;
        }
        const SpecVersion& version = read(*history_[i].spec);
        if (!version.problem.empty()) {
            warn("the spec of commit " + history_[i].id + " cannot be evaluated: " +
                 version.problem + "; its version counts as that of its neighbours");
            return nullptr;
        }
        if (!version.unknown.empty()) {
            warn("the version in the spec of commit " + history_[i].id +
                 " depends on what is not known here: %{" + join(version.unknown, "}, %{") +
                 "}; it is compared as it is written");
        }
        return &version;
    }

    void warn(std::string text) {
        if (std::find(warnings_.begin(), warnings_.end(), text) == warnings_.end()) {
            warnings_.push_back(std::move(text));
        }
    }

    Result<Word> ask_release(std::size_t i) {
        for (const std::size_t parent : history_[i].parents) {
            if (parent >= history_.size()) {
                return fail(error(ErrorKind::kFailed,
                                  "the history ends at commit {}, whose parents are needed",
                                  history_[i].id)
                                .advise("if this is a shallow clone, `git fetch --unshallow` "
                                        "brings the rest"));
            }
        }
        const SpecVersion* own = version_of(i);
        Word word;
        word.go_on = own == nullptr;
        for (const std::size_t parent : history_[i].parents) {
            const SpecVersion* other = own == nullptr ? nullptr : version_of(parent);
            if (other == nullptr || other->epoch_version == own->epoch_version) {
                word.go_on = true;
                break;
            }
        }
        return word;
    }

    Word ask_changelog(std::size_t i, const Word& heard) {
        const Revision& revision = history_[i];
        ChangelogStep& step = steps_[i];
        step.changed = !revision.parents.empty() || revision.changelog.has_value();
        for (const std::size_t parent : revision.parents) {
            const Revision& other = history_[parent];
            step.removed |= other.changelog && !revision.changelog;
            step.changed &= other.changelog != revision.changelog;
        }
        if (revision.parents.size() == 1) {
            step.follow = revision.parents[0];
        } else if (revision.parents.size() > 1) {
            for (const std::size_t parent : revision.parents) {
                if (!revision.tree.empty() && history_[parent].tree == revision.tree) {
                    step.follow = parent;
                    break;
                }
            }
            step.unresolvable = step.follow == kNone && !step.changed;
        }
        const bool begins_here = step.changed && revision.changelog.has_value();
        removed_later_[i] = heard.changelog_removed.value_or(false);
        return Word{!begins_here && !step.unresolvable && heard.go_on,
                    !begins_here && (removed_later_[i] || step.removed)};
    }

    void settle_release(std::size_t i, const MagicComments& comments) {
        Settled& settled = settled_[i];
        settled.done = true;
        settled.version = version_of(i);
        for (const std::size_t parent : history_[i].parents) {
            const Settled& other = settled_[parent];
            const bool counts =
                other.done && (settled.version == nullptr || other.version == nullptr ||
                               settled.version->epoch_version == other.version->epoch_version);
            settled.number = std::max(settled.number, counts ? other.number : 0);
        }
        settled.number += history_[i].spec ? 1U : 0U;
        settled.number = std::max(settled.number, comments.bump_release);
        if (comments.bump_too_high) {
            warn(fmt::format(
                "commit {} bumps the release beyond {}: ignored", history_[i].id, kHighestRelease));
        }
        static const SpecVersion kPlain;
        const SpecVersion& version = settled.version != nullptr ? *settled.version : kPlain;
        settled.release =
            (version.prerelease ? "0." : "") +
            std::to_string(static_cast<std::int64_t>(settled.number + version.base) - 1) +
            version.tags;
    }

    void settle_changelog(std::size_t i, const MagicComments& comments) {
        const Revision& revision = history_[i];
        const ChangelogStep& step = steps_[i];
        if (step.unresolvable) {
            settled_[i].entries = add(Entry{i, EntryKind::kUnresolvableMerge, kNone});
            return;
        }
        if (step.changed && revision.changelog) {
            if (!removed_later_[i]) {
                settled_[i].entries = add(Entry{i, EntryKind::kFile, kNone});
            }
            return;
        }
        bool skip = comments.skip_changelog || !revision.spec;
        std::size_t older = kNone;
        if (step.follow != kNone && settled_[step.follow].done) {
            older = settled_[step.follow].entries;
            skip |= revision.parents.size() > 1;
        }
        settled_[i].entries = skip ? older : add(Entry{i, EntryKind::kMessage, older});
    }

    std::size_t add(const Entry& entry) {
        entries_.push_back(entry);
        return entries_.size() - 1;
    }

    std::string print(std::size_t entry) const {
        std::string text;
        for (bool first = true; entry != kNone; entry = entries_[entry].older) {
            text += first ? "" : "\n\n";
            text += print_one(entries_[entry]);
            first = false;
        }
        return text;
    }

    std::string print_one(const Entry& entry) const {
        const Revision& revision = history_[entry.revision];
        if (entry.kind == EntryKind::kFile) {
            return encode(decode(*revision.changelog));
        }
        const Settled& settled = settled_[entry.revision];
        EntryHead head;
        head.time = revision.time;
        head.author = revision.author;
        head.email = revision.email;
        if (settled.version != nullptr) {
            head.epoch_version = settled.version->epoch_version;
            head.release = settled.release;
        }
        if (entry.kind == EntryKind::kUnresolvableMerge) {
            return changelog_entry(head, {U"RPMAUTOSPEC: unresolvable merge"});
        }
        return changelog_entry(head, changelog_items(revision.message));
    }

    const std::vector<Revision>& history_;
    const MacroTable& known_;
    std::unordered_map<std::string_view, std::shared_ptr<const SpecVersion>> by_text_;
    std::unordered_map<std::string, std::shared_ptr<const SpecVersion>> by_key_;
    std::vector<Settled> settled_;
    std::vector<ChangelogStep> steps_;
    std::vector<bool> removed_later_;
    std::vector<Entry> entries_;
    std::vector<std::string> warnings_;
};

}  // namespace

Result<AutospecResult> compute(const std::vector<Revision>& history, const MacroTable& known) {
    return Computation(history, known).run();
}

}  // namespace tarn::release
