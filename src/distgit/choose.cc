// SPDX-License-Identifier: MIT
// Which commit: from what is there when that answers, else after a fetch.
#include "base/strings.hh"
#include "distgit/detail/session.hh"

#include <algorithm>
#include <ctime>

namespace tarn::distgit::detail {
namespace {

std::string as_utc(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    if (gmtime_r(&time, &parts) == nullptr) {
        return std::to_string(seconds);
    }
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                       parts.tm_year + 1900,
                       parts.tm_mon + 1,
                       parts.tm_mday,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

// The commit on the branch whose id begins so; nullopt when there is none.
Result<std::optional<git::ObjectId>> by_prefix(const git::Repository& repository,
                                               const git::ObjectId& head, const std::string& prefix,
                                               const Place& place) {
    std::vector<git::ObjectId> found;
    for (const git::Commit& commit : TARN_TRY(repository.ancestors(head))) {
        if (commit.id.starts_with(prefix)) {
            found.push_back(commit.id);
        }
    }
    if (found.size() > 1) {
        Error problem = error(ErrorKind::kUsage,
                              "{}: `{}` is the beginning of {} commits of branch {}",
                              place.package,
                              prefix,
                              found.size(),
                              place.branch);
        std::sort(found.begin(), found.end());
        problem.notes = found;
        problem.help = {"write more digits of the id"};
        return fail(std::move(problem));
    }
    return found.empty() ? std::optional<git::ObjectId>() : found.front();
}

}  // namespace

Result<Wanted> parse_choice(const CommitChoice& choice) {
    Wanted wanted;
    if (!choice.commit.empty()) {
        wanted.commit = TARN_TRY(parse_commit(choice.commit));
    } else if (!choice.snapshot.empty()) {
        wanted.before = TARN_TRY(parse_time(choice.snapshot));
    }
    return wanted;
}

Result<std::optional<git::ObjectId>> Session::answer() const {
    if (wanted_.commit.size() == 40) {
        const git::Repository repository = TARN_TRY(git::Repository::open(host_.path()));
        if (!repository.has(wanted_.commit)) {
            return std::optional<git::ObjectId>();
        }
        return std::optional(TARN_TRY(repository.commit(wanted_.commit)).id);
    }
    const std::optional<BranchHead> head = host_.head(place_);
    const bool fresh = head && head->fetched >= since_;
    const bool of_the_head = wanted_.commit.empty() && !wanted_.before;
    const bool ask = !fresh && !options_.offline && (of_the_head || options_.ask_again);
    if (!head || ask) {
        return std::optional<git::ObjectId>();
    }
    const git::Repository repository = TARN_TRY(git::Repository::open(host_.path()));
    if (!repository.has(head->id)) {
        return std::optional<git::ObjectId>();
    }
    if (of_the_head) {
        return std::optional(head->id);
    }
    if (!wanted_.commit.empty()) {
        return by_prefix(repository, head->id, wanted_.commit, place_);
    }
    // A head fetched before that time, and itself older, may have had successors up to it.
    const std::int64_t tip = TARN_TRY(repository.commit(head->id)).committer_time;
    if (!fresh && tip <= *wanted_.before && head->fetched / 1'000'000'000 < *wanted_.before) {
        return std::optional<git::ObjectId>();
    }
    for (const git::Commit& commit : TARN_TRY(repository.first_parents(head->id))) {
        if (commit.committer_time <= *wanted_.before) {
            return std::optional(commit.id);
        }
    }
    return std::optional<git::ObjectId>();
}

Error Session::not_there() const {
    if (options_.offline) {
        return error(ErrorKind::kNetwork,
                     "{}: the answer is not among what was fetched from {} so far, and --offline "
                     "forbids to ask",
                     place_.package,
                     place_.shown)
            .advise("run once without --offline");
    }
    if (wanted_.before) {
        return error(ErrorKind::kNotFound,
                     "{}: branch {} of {} has no commit at or before {}",
                     place_.package,
                     place_.branch,
                     place_.shown,
                     as_utc(*wanted_.before))
            .advise("the package is younger: give a later `snapshot`, or `spec.upstream-commit`");
    }
    return error(ErrorKind::kNotFound,
                 "{}: no commit of branch {} of {} begins with {}",
                 place_.package,
                 place_.branch,
                 place_.shown,
                 wanted_.commit)
        .advise("give all 40 digits: a commit of another branch, or no longer on one, is found by "
                "them alone");
}

Result<git::ObjectId> Session::resolve() {
    if (auto here = TARN_TRY(answer())) {
        return *here;
    }
    if (options_.offline) {
        return fail(not_there());
    }
    const auto settled = [this]() -> Result<bool> {
        const auto here = TARN_TRY(answer());
        return here.has_value();
    };
    const Result<void> fetched = host_.fetch_branch(place_, options_, unfiltered_, settled);
    const bool whole = wanted_.commit.size() == 40;
    // A pinned commit may outlive its branch.
    if (!fetched && !(whole && fetched.error().kind == ErrorKind::kNotFound)) {
        return fail(fetched.error());
    }
    if (fetched) {
        since_ = 0;  // whatever is there now is fresh
        if (auto here = TARN_TRY(answer())) {
            return *here;
        }
    }
    if (!whole) {
        return fail(not_there());
    }
    TARN_TRY(host_.fetch_commit(place_, wanted_.commit, options_, unfiltered_));
    if (auto here = TARN_TRY(answer())) {
        return *here;
    }
    return fail(ErrorKind::kCorrupt,
                "{}: {} sent something else than commit {}",
                place_.package,
                place_.shown,
                wanted_.commit);
}

}  // namespace tarn::distgit::detail
