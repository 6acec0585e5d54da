// SPDX-License-Identifier: MIT
#include "distgit/detail/transport.hh"

#include "base/process.hh"
#include "base/strings.hh"

#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <random>

namespace tarn::distgit::detail {
namespace {

constexpr std::chrono::milliseconds kLongestPause{30'000};
constexpr std::size_t kCapture = 4U << 20;
constexpr std::size_t kLongestReason = 300;

// How to reach a server and whom to trust is the machine's business; all else is fixed.
constexpr const char* kKept[] = {"PATH",        "HOME",        "SSH_AUTH_SOCK", "SSL_CERT_FILE",
                                 "SSL_CERT_DIR", "http_proxy", "https_proxy",   "HTTPS_PROXY",
                                 "all_proxy",   "ALL_PROXY",   "no_proxy",      "NO_PROXY"};

std::map<std::string, std::string> environment_of(const GitRun& run, const Place& place) {
    std::map<std::string, std::string> result = {
        {"LC_ALL", "C"},
        {"GIT_CONFIG_NOSYSTEM", "1"},
        {"GIT_CONFIG_GLOBAL", "/dev/null"},
        {"GIT_TERMINAL_PROMPT", "0"},
        {"GIT_NO_LAZY_FETCH", "1"},  // known to git 2.45 and later
        {"GIT_TRACE", "1"},          // for those before: see LazyFetchGuard
        {"GIT_ALLOW_PROTOCOL", "https:http:git:ssh:file"},
        {"GIT_SSH_COMMAND", "ssh -oBatchMode=yes"},
    };
    for (const char* name : kKept) {
        if (const char* value = std::getenv(name)) {
            result.emplace(name, value);
        }
    }
    // Not as arguments: the URL may hold a password, which everybody would see.
    std::map<std::string, std::string> settings = run.settings;
    settings.insert({{"remote.tarn.url", place.url},
                     {"core.hooksPath", "/dev/null"},
                     {"credential.helper", ""},
                     {"fetch.unpackLimit", "1"},
                     {"gc.auto", "0"},
                     {"http.lowSpeedLimit", "1"},
                     {"http.lowSpeedTime", "30"},
                     {"maintenance.auto", "false"},
                     {"protocol.version", "2"}});
    std::size_t count = 0;
    for (const auto& [key, value] : settings) {
        result.emplace(fmt::format("GIT_CONFIG_KEY_{}", count), key);
        result.emplace(fmt::format("GIT_CONFIG_VALUE_{}", count), value);
        ++count;
    }
    result.emplace("GIT_CONFIG_COUNT", std::to_string(count));
    return result;
}

Command command_of(const GitRun& run, const Place& place, const Options& options) {
    Command command;
    command.argv = {"git", "--git-dir=" + run.git_directory};
    command.argv.insert(command.argv.end(), run.arguments.begin(), run.arguments.end());
    command.environment = environment_of(run, place);
    command.input = run.input;
    if (run.lock_fd >= 0) {
        command.keep_fds.push_back(run.lock_fd);
    }
    command.timeout = options.timeout;
    command.capture_limit = kCapture;
    command.before_exec = [] { return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? 0 : errno; };
    return command;
}

// A git that lacks an object of a partial repository starts a fetch for it, and that fetch, when the server
// does not send it, another one, without end. The first one is the end here.
class LazyFetchGuard {
  public:
    explicit LazyFetchGuard(std::stop_token outer)
        : forward_(std::move(outer), [this] { stop_.request_stop(); }) {}
    void watch(Command& command) {
        command.stop = stop_.get_token();
        command.on_output = [this](std::string_view piece) {
            seen_ += piece;
            if (contains(seen_, "fetch.negotiationAlgorithm=noop")) {
                caught_ = true;
                stop_.request_stop();
            }
            seen_.erase(0, seen_.size() - std::min<std::size_t>(seen_.size(), 64));
        };
    }
    bool caught() const { return caught_; }

  private:
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> forward_;
    std::string seen_;
    bool caught_ = false;
};

bool says(std::string_view errors, std::initializer_list<std::string_view> any) {
    return std::any_of(
        any.begin(), any.end(), [&](std::string_view words) { return contains(errors, words); });
}

Error gave_up(const GitAnswer& answer, const Place& place, unsigned attempts) {
    const std::string why = reason(answer.errors, place);
    if (answer.verdict == Verdict::kNoSpace) {
        return error(ErrorKind::kNoSpace, "{}: cannot store {}: {}", place.package, place.shown, why)
            .advise("`tarn store gc` makes room");
    }
    return error(ErrorKind::kNetwork, "{}: cannot fetch {}: {}", place.package, place.shown, why)
        .note(fmt::format("tried {} time{}", attempts, attempts == 1 ? "" : "s"))
        .advise("check the network and `dist-git-base-uri`; --network-retries tries more often");
}

}  // namespace

Verdict judge(std::string_view errors) {
    if (says(errors, {"couldn't find remote ref"})) {
        return Verdict::kNoReference;
    }
    if (says(errors, {"lazy fetching disabled"})) {
        return Verdict::kIncomplete;
    }
    if (says(errors, {"not our ref", "unadvertised object", "does not allow request for"})) {
        return Verdict::kNoObject;
    }
    if (says(errors, {"Authentication failed", "could not read Username", "could not read Password",
                      "returned error: 401", "returned error: 403", "Permission denied"})) {
        return Verdict::kDenied;
    }
    if (says(errors, {"does not appear to be a git repository", "repository not exported",
                      "' not found", "returned error: 404", "returned error: 410"})) {
        return Verdict::kNoRepository;
    }
    if (says(errors, {"No space left on device", "Disk quota exceeded"})) {
        return Verdict::kNoSpace;
    }
    return Verdict::kPassing;
}

std::string reason(std::string_view errors, const Place& place) {
    std::string_view chosen;
    for (const std::string_view line : split_lines(errors)) {
        const std::string_view text = trim(line);
        if (text.starts_with("fatal: ") || text.starts_with("error: ")) {
            chosen = text.substr(7);
            break;
        }
        const bool talk = text.empty() || text.starts_with("From ") || contains(text, " trace: ");
        chosen = talk ? chosen : text;
    }
    std::string result;
    for (const char c : chosen.substr(0, kLongestReason)) {
        result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
    }
    result = replace_all(std::move(result), place.url, place.shown);
    return result.empty() ? "git said nothing" : result;
}

Result<void> pause_before_retry(unsigned failed_attempts, const Options& options) {
    auto pause = options.pause;
    for (unsigned i = 1; i < failed_attempts && pause < kLongestPause; ++i) {
        pause *= 2;
    }
    pause = std::min(pause, kLongestPause);
    // Apart by chance, so that many clients do not come back at the same moment.
    std::random_device chance;
    pause = pause * std::uniform_int_distribution<int>(75, 125)(chance) / 100;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait_for(lock, options.stop, pause, [] { return false; });
    if (options.stop.stop_requested()) {
        return fail(ErrorKind::kInterrupted, "interrupted");
    }
    return {};
}

Result<GitAnswer> run_git(const GitRun& run, const Place& place, const Options& options) {
    const unsigned attempts = std::max(1U, options.attempts);
    for (unsigned attempt = 1;; ++attempt) {
        Command command = command_of(run, place, options);
        LazyFetchGuard guard(options.stop);
        guard.watch(command);
        auto ended = tarn::run(command);
        if (guard.caught()) {
            return GitAnswer{Verdict::kIncomplete, {}, {}, false};
        }
        ProcessResult result = TARN_TRY(std::move(ended));
        GitAnswer answer;
        answer.output = std::move(result.output);
        answer.errors = std::move(result.errors);
        if (result.timed_out) {
            answer.errors = fmt::format("fatal: no end after {} s\n", options.timeout.count());
            answer.verdict = Verdict::kPassing;
        } else if (result.exit_code != 0) {
            answer.verdict = judge(answer.errors);
        }
        if (answer.verdict == Verdict::kNoSpace ||
            (answer.verdict == Verdict::kPassing && attempt == attempts)) {
            return fail(gave_up(answer, place, attempt));
        }
        if (answer.verdict != Verdict::kPassing) {
            return answer;
        }
        TARN_TRY(pause_before_retry(attempt, options));
    }
}

}  // namespace tarn::distgit::detail
