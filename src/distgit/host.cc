// SPDX-License-Identifier: MIT
#include "distgit/detail/host.hh"

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "distgit/detail/packs.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace tarn::distgit::detail {
namespace {

constexpr auto kLockPoll = std::chrono::milliseconds(10);
constexpr std::string_view kFetched = "refs/tarn/fetched";  // in the repository git fetches into
constexpr std::size_t kBranchesShown = 12;

Result<void> make_repository(const std::string& path, bool partial) {
    for (const char* below : {"objects/info", "objects/pack", "refs/heads"}) {
        TARN_TRY(make_directories(join_path(path, below)));
    }
    std::string config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n[gc]\n\tauto = 0\n";
    if (partial) {
        config += "[remote \"tarn\"]\n\tpromisor = true\n\tpartialclonefilter = blob:none\n";
    }
    TARN_TRY(write_file_atomic(join_path(path, "config"), config));
    return write_file_atomic(join_path(path, "HEAD"), "ref: refs/heads/none\n");
}

bool is_id(std::string_view text) {
    return text.size() == 40 &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error not_a_repository(const Place& place, const std::string& why) {
    return error(
               ErrorKind::kNotFound, "{}: {} is no git repository", place.package, place.shown)
        .note("git says: " + why)
        .advise("`spec.upstream-name` says what the package is called there, `dist-git-base-uri` "
                "where it lies");
}

// Of a repository on this machine the head is read without git's help; empty when it is none, or when git
// had better say what is wrong with it.
git::ObjectId head_on_this_machine(const Place& place) {
    constexpr std::string_view kScheme = "file://";
    if (!place.url.starts_with(kScheme) || contains(place.url, "%")) {
        return {};
    }
    const auto repository = git::Repository::open(place.url.substr(kScheme.size()));
    if (!repository || repository->shallow()) {
        return {};
    }
    return repository->resolve("refs/heads/" + place.branch).value_or(git::ObjectId());
}

// git marks packs that may lack what they refer to.
bool has_plain_pack(const std::string& repository) {
    const std::string directory = join_path(repository, "objects/pack");
    const auto names = list_directory(directory);
    return names && std::any_of(names->begin(), names->end(), [&](const std::string& name) {
               return name.ends_with(".pack") &&
                      !path_exists(join_path(directory, name.substr(0, name.size() - 5) + ".promisor"));
           });
}

Error refused(const Place& place, const std::string& why) {
    return error(ErrorKind::kNetwork, "{}: {} refuses access", place.package, place.shown)
        .note("git says: " + why)
        .advise("tarn asks for no password; ssh:// uses your keys, https:// what ~/.netrc says");
}

}  // namespace

struct Host::Fetch {
    std::vector<std::string> wanted;  // refspecs
    std::string input;                // ids
    bool partial = true;              // no contents but those asked for
    bool borrows = true;              // objects of the host that it refers to
};

Nanoseconds now() {
    timespec time{};
    TARN_CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
    return time.tv_sec * Nanoseconds{1'000'000'000} + time.tv_nsec;
}

Result<Host> Host::open(const std::string& directory, const Place& place) {
    const std::string path = join_path(directory, place.host);
    if (!path_exists(join_path(path, "HEAD"))) {
        TARN_TRY(make_directories(directory));
        TempDir fresh = TARN_TRY(TempDir::make(directory));
        TARN_TRY(make_repository(fresh.path(), false));
        TARN_TRY(make_directories(join_path(fresh.path(), "tarn")));
        if (::chmod(fresh.path().c_str(), 0755) != 0) {
            return fail(sys_error("set the mode of", fresh.path()));
        }
        if (::rename(fresh.path().c_str(), path.c_str()) == 0) {
            fresh.release();
        } else if (!path_exists(join_path(path, "HEAD"))) {
            return fail(sys_error("make", path)
                            .advise("it holds copies only: remove it when it is damaged"));
        }
    }
    return Host(path);
}

std::optional<BranchHead> Host::head(const Place& place) const {
    const Result<Fd> file = open_file(join_path(path_, place.ref()), O_RDONLY);
    struct stat info{};
    if (!file || ::fstat(file->get(), &info) != 0) {
        return std::nullopt;
    }
    const Result<std::string> text = pread_exact(file->get(), 0, 40, place.ref());
    if (!text || !is_id(*text)) {
        return std::nullopt;  // a power cut may have emptied it: as if never fetched
    }
    return BranchHead{*text,
                      info.st_mtim.tv_sec * Nanoseconds{1'000'000'000} + info.st_mtim.tv_nsec};
}

std::optional<BranchHead> Host::head_there(const Place& place) const {
    auto known = head(place);
    const auto repository = git::Repository::open(path_);
    return known && repository && repository->has(known->id) ? known : std::nullopt;
}

Result<void> Host::write_head(const Place& place, const git::ObjectId& id,
                              Nanoseconds began) const {
    const std::string file = join_path(path_, place.ref());
    TARN_TRY(make_directories(parent_path(file)));
    AtomicFile writer = TARN_TRY(AtomicFile::create(file));
    TARN_TRY(writer.write(id + "\n"));
    const timespec time{began / 1'000'000'000, began % 1'000'000'000};
    const timespec times[] = {time, time};
    if (::futimens(writer.fd(), times) != 0) {
        return fail(sys_error("set the time of", file));
    }
    return writer.commit();
}

Result<Fd> Host::lock(const Place& place, const Options& options) const {
    const std::string path = fmt::format("{}/tarn/{}.lock", path_, place.key);
    TARN_TRY(make_directories(parent_path(path)));
    Fd fd = TARN_TRY(open_file(path, O_RDWR | O_CREAT, 0644));
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fail(sys_error("lock", path));
        }
        if (options.stop.stop_requested()) {
            return fail(ErrorKind::kInterrupted, "interrupted");
        }
        std::this_thread::sleep_for(kLockPoll);
    }
    return fd;
}

// Over http from a server that only has files, single objects come as they are.
Result<bool> Host::publish_loose(const std::string& from) const {
    const std::vector<std::string> directories =
        TARN_TRY(list_directory(join_path(from, "objects")));
    bool any = false;
    for (const std::string& name : directories) {
        if (name.size() != 2) {
            continue;
        }
        const std::string source = join_path(from, "objects/" + name);
        const std::string target = join_path(path_, "objects/" + name);
        TARN_TRY(make_directories(target));
        const std::vector<std::string> objects = TARN_TRY(list_directory(source));
        for (const std::string& object : objects) {
            if (object.size() == 38) {
                TARN_TRY(rename_path(join_path(source, object), join_path(target, object)));
                any = true;
            }
        }
    }
    return any;
}

// Packs are complete once their index has its name, so that goes last.
Result<void> Host::publish(const std::string& from) const {
    const std::string source = join_path(from, "objects/pack");
    const std::string target = join_path(path_, "objects/pack");
    const std::vector<std::string> names = TARN_TRY(list_directory(source));
    for (const bool index : {false, true}) {
        for (const std::string& name : names) {
            if (name.starts_with("pack-") && name.ends_with(".idx") == index) {
                TARN_TRY(rename_path(join_path(source, name), join_path(target, name)));
            }
        }
    }
    return {};
}

Result<GitAnswer> Host::fetch_into(const Fetch& fetch, const Place& place, const Options& options,
                                   const Fd& lock) const {
    const std::string aside = fmt::format("{}/tarn/{}.fetch", path_, place.key);
    TARN_TRY(remove_tree(aside));
    TARN_TRY(make_repository(aside, fetch.partial));
    // What the server need not send again. Without it nothing is borrowed, and git does not look through
    // what is there of other packages.
    const auto known = fetch.borrows ? head_there(place) : std::nullopt;
    if (known) {
        TARN_TRY(write_file_atomic(join_path(aside, "objects/info/alternates"),
                                   join_path(path_, "objects") + "\n"));
        TARN_TRY(write_file_atomic(join_path(aside, "refs/heads/known"), known->id + "\n"));
    }
    GitRun run;
    run.git_directory = aside;
    run.lock_fd = lock.get();
    run.input = fetch.input;
    // The host's other references are of other packages: no use in telling the server.
    run.settings = {{"core.alternateRefsPrefixes", "refs/none"}};
    run.arguments = {"fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
                     "--no-recurse-submodules", "--update-shallow"};
    if (fetch.partial) {
        run.arguments.emplace_back("--filter=blob:none");
    }
    if (!fetch.input.empty()) {
        run.arguments.emplace_back("--stdin");
    }
    run.arguments.emplace_back("tarn");
    run.arguments.insert(run.arguments.end(), fetch.wanted.begin(), fetch.wanted.end());
    GitAnswer answer = TARN_TRY(run_git(run, place, options));
    if (answer.verdict == Verdict::kIncomplete ||
        (answer.verdict == Verdict::kDone && path_exists(join_path(aside, "shallow")))) {
        TARN_TRY(remove_tree(aside));
        return fail(
            error(ErrorKind::kFailed,
                  "{}: {} does not send the beginning of its history",
                  place.package,
                  place.shown)
                .advise("it is a shallow clone, or damaged: `git fetch --unshallow` completes it there"));
    }
    if (answer.verdict == Verdict::kNoRepository) {
        return fail(not_a_repository(place, reason(answer.errors, place)));
    }
    if (answer.verdict == Verdict::kDenied) {
        return fail(refused(place, reason(answer.errors, place)));
    }
    if (answer.verdict == Verdict::kDone) {
        // Such a server leaves nothing out and says nothing of it.
        const bool files_only = TARN_TRY(publish_loose(aside)) || has_plain_pack(aside);
        answer.unfiltered =
            files_only || contains(answer.errors, "filtering not recognized");
        TARN_TRY(publish(aside));
        if (!fetch.wanted.empty()) {
            answer.output = TARN_TRY(read_file(join_path(aside, kFetched), 41));
        }
        merge_packs(path_);
    }
    TARN_TRY(remove_tree(aside));
    return answer;
}

Result<void> Host::fetch_branch(const Place& place, const Options& options, Unfiltered& unfiltered,
                                const std::function<Result<bool>()>& settled) const {
    const Fd held = TARN_TRY(lock(place, options));
    if (TARN_TRY(settled())) {
        return {};
    }
    const Nanoseconds began = now();
    const auto known = head_there(place);
    if (known && head_on_this_machine(place) == known->id) {
        return write_head(place, known->id, began);
    }
    Fetch fetch;
    fetch.wanted = {fmt::format("+refs/heads/{}:{}", place.branch, kFetched)};
    const GitAnswer answer = TARN_TRY(fetch_into(fetch, place, options, held));
    if (answer.verdict != Verdict::kDone) {
        return fail(no_branch(place, options));
    }
    const std::string id(trim(answer.output));
    if (!is_id(id)) {
        return fail(ErrorKind::kCorrupt, "{}: {} gave no commit id", place.package, place.shown);
    }
    if (answer.unfiltered) {
        unfiltered.lock()->insert(place.host);
    }
    return write_head(place, id, began);
}

Result<void> Host::fetch_commit(const Place& place, const git::ObjectId& id,
                                const Options& options, Unfiltered& unfiltered) const {
    const Fd held = TARN_TRY(lock(place, options));
    Fetch fetch;
    fetch.wanted = {fmt::format("+{}:{}", id, kFetched)};
    const GitAnswer answer = TARN_TRY(fetch_into(fetch, place, options, held));
    if (answer.verdict != Verdict::kDone) {
        return fail(error(ErrorKind::kNotFound,
                          "{}: {} has no commit {} any more, on branch {} or elsewhere",
                          place.package,
                          place.shown,
                          id,
                          place.branch)
                        .note("its history was rewritten, or the commit is of another package")
                        .advise("`tarn component update` locks the commit that takes its place; "
                                "`spec.upstream-commit` pins one"));
    }
    if (answer.unfiltered) {
        unfiltered.lock()->insert(place.host);
    }
    return {};
}

Result<void> Host::fetch_objects(
    const Place& place, const Options& options,
    const std::function<Result<std::vector<git::ObjectId>>()>& missing) const {
    const Fd held = TARN_TRY(lock(place, options));
    const std::vector<git::ObjectId> ids = TARN_TRY(missing());
    if (ids.empty()) {
        return {};
    }
    Fetch fetch;
    fetch.borrows = false;
    fetch.input = join(ids, "\n") + "\n";
    GitAnswer answer = TARN_TRY(fetch_into(fetch, place, options, held));
    if (answer.verdict == Verdict::kNoObject || answer.verdict == Verdict::kNoReference) {
        // A server that gives no objects by id: the whole branch, contents and all.
        fetch = Fetch{{fmt::format("+refs/heads/{}:{}", place.branch, kFetched)}, {}, false, false};
        answer = TARN_TRY(fetch_into(fetch, place, options, held));
    }
    const std::vector<git::ObjectId> left = TARN_TRY(missing());
    if (!left.empty()) {
        return fail(error(ErrorKind::kNotFound,
                          "{}: {} does not give {} of the {} files asked for",
                          place.package,
                          place.shown,
                          left.size(),
                          ids.size())
                        .note(fmt::format("the first is the blob {}", left.front()))
                        .advise("the server must allow objects to be fetched by id, or still have "
                                "the commit on its branch"));
    }
    return {};
}

Error Host::no_branch(const Place& place, const Options& options) const {
    GitRun run;
    run.git_directory = path_;
    run.arguments = {"ls-remote", "--heads", "tarn"};
    Error result = error(ErrorKind::kNotFound,
                         "{}: {} has no branch `{}`",
                         place.package,
                         place.shown,
                         place.branch);
    const Result<GitAnswer> answer = run_git(run, place, options);
    if (!answer || answer->verdict != Verdict::kDone) {
        return result;
    }
    std::vector<std::string> branches;
    for (const std::string_view line : split_lines(answer->output)) {
        const std::size_t name = line.find("\trefs/heads/");
        if (name != std::string_view::npos) {
            branches.emplace_back(line.substr(name + 12));
        }
    }
    if (std::find(branches.begin(), branches.end(), place.branch) != branches.end()) {
        return error(ErrorKind::kCorrupt,
                     "{}: {} cannot give its branch `{}`",
                     place.package,
                     place.shown,
                     place.branch)
            .note("it names the branch, but objects of it are missing there")
            .advise("`git fsck` there says which; a copy of the repository may have them");
    }
    const bool all = branches.size() <= kBranchesShown;
    const std::vector<std::string> first(
        branches.begin(),
        branches.begin() + static_cast<std::ptrdiff_t>(all ? branches.size() : kBranchesShown));
    result.notes.push_back(branches.empty()
                               ? "it is empty: it has no branch at all"
                               : "it has: " + join(first, ", ") + (all ? "" : ", ..."));
    const std::string guess = did_you_mean(place.branch, branches);
    result.help.push_back(
        guess.empty() ? "`dist-git-branch` of the distro's version names the branch" : guess);
    return result;
}

}  // namespace tarn::distgit::detail
