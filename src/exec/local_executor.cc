// SPDX-License-Identifier: MIT
#include "base/fd.hh"
#include "base/fs.hh"
#include "base/hash.hh"
#include "exec/detail/run_plan.hh"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>

namespace tarn {

namespace {

using nlohmann::json;

constexpr std::string_view kRoom = "exec";
// A log longer than this is of no use to anybody; a command gone wild must not fill the disk.
constexpr std::uint64_t kLogLimit = 256U << 20U;

// Everything a kept result names must still be there.
bool is_complete(const Store& store, const ActionResult& result) {
    if (!store.has(result.log) || !store.has(result.outputs)) {
        return false;
    }
    const Result<Tree> tree = store.read_tree(result.outputs);
    if (!tree) {
        return false;
    }
    for (const TreeEntry& entry : tree->entries()) {
        if (entry.kind == EntryKind::kFile && !store.has(entry.content)) {
            return false;
        }
    }
    return true;
}

std::optional<ActionResult> kept_result(const Store& store, const Digest& key) {
    const std::optional<std::string> text = store.result(kRoom, key);
    if (!text) {
        return std::nullopt;
    }
    const json document = json::parse(*text, nullptr, false);
    const auto word = [&](const char* name) -> std::optional<Digest> {
        const auto found = document.find(name);
        if (found == document.end() || !found->is_string()) {
            return std::nullopt;
        }
        return Digest::parse(found->get_ref<const std::string&>());
    };
    const auto seconds = [&](const char* name) {
        const auto found = document.find(name);
        return found != document.end() && found->is_number() ? found->get<double>() : 0.0;
    };
    if (!document.is_object()) {
        return std::nullopt;
    }
    const auto outputs = word("outputs");
    const auto log = word("log");
    if (!outputs || !log) {
        return std::nullopt;
    }
    ActionResult result;
    result.outputs = *outputs;
    result.log = *log;
    result.wall_seconds = seconds("wall_seconds");
    result.cpu_seconds = seconds("cpu_seconds");
    result.cached = true;
    return is_complete(store, result) ? std::optional(result) : std::nullopt;
}

Result<void> keep_result(const Store& store, const Action& action, const ActionResult& result) {
    const Digest text = TARN_TRY(store.put(action.explain()));
    const json document{{"version", 1},
                        {"name", action.name},
                        {"action", text.to_string()},
                        {"outputs", result.outputs.to_string()},
                        {"log", result.log.to_string()},
                        {"wall_seconds", result.wall_seconds},
                        {"cpu_seconds", result.cpu_seconds}};
    return store.put_result(
        kRoom, action.digest(), document.dump(-1, ' ', false, json::error_handler_t::replace));
}

// The log goes to disk as it comes; a write that fails is told at the end.
class LogFile {
  public:
    static Result<LogFile> create(const std::string& path) {
        Fd fd = TARN_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
        return LogFile(path, std::move(fd));
    }

    // False once something went wrong.
    bool append(std::string_view bytes) {
        if (problem_) {
            return false;
        }
        if (digest_.size + bytes.size() > kLogLimit) {
            cut_ = true;
            bytes = bytes.substr(0, kLogLimit - digest_.size);
        }
        if (Result<void> written = write_all(fd_.get(), bytes, path_); !written) {
            problem_ = std::move(written.error());
            return false;
        }
        hasher_.update(bytes);
        digest_.size += bytes.size();
        return true;
    }

    Result<Digest> finish(const Store& store, std::string_view last_words) {
        std::string rest;
        if (cut_) {
            rest = fmt::format("\ntarn: the log is cut off at {} bytes\n", kLogLimit);
        }
        rest += last_words;
        if (!problem_ && !rest.empty()) {
            if (Result<void> written = write_all(fd_.get(), rest, path_); !written) {
                problem_ = std::move(written.error());
            }
            hasher_.update(rest);
            digest_.size += rest.size();
        }
        fd_.reset();
        if (problem_) {
            return fail(std::move(*problem_));
        }
        digest_.sha256 = hasher_.finish();
        TARN_TRY(store.adopt(path_, digest_));
        return digest_;
    }

    const std::optional<Error>& problem() const { return problem_; }

  private:
    LogFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    std::string path_;
    Fd fd_;
    Hasher hasher_;
    Digest digest_;
    bool cut_ = false;
    std::optional<Error> problem_;
};

Result<ProcessResult> run_logged(const Action& action,
                                 const detail::RunPlan& plan,
                                 const RunOptions& options,
                                 LogFile& log) {
    // A log that cannot be written stops the run as well.
    std::stop_source source;
    const std::stop_callback forward(options.stop, [&] { source.request_stop(); });
    Command command;
    command.merge_error = true;
    command.capture_limit = 1U << 16U;  // only bubblewrap's own complaint is read from it
    command.timeout = std::chrono::seconds(action.timeout_seconds);
    command.stop = source.get_token();
    command.on_output = [&](std::string_view piece) {
        if (!log.append(piece)) {
            source.request_stop();
        }
        if (options.on_output) {
            options.on_output(piece);
        }
    };
    Result<ProcessResult> result = run_in_sandbox(plan.sandbox, std::move(command));
    if (log.problem()) {
        return fail(Error(*log.problem()));
    }
    return result;
}

}  // namespace

Result<ActionResult> LocalExecutor::run(const Action& action, const RunOptions& options) {
    TARN_TRY(detail::check_action(action));
    if (options.cache == CachePolicy::kUse) {
        if (std::optional<ActionResult> kept = kept_result(store_, action.digest())) {
            return *kept;
        }
    }
    TempDir work = TARN_TRY(TempDir::make(store_.temporary_directory()));
    // gc leaves a locked directory alone, however long the command runs.
    const Fd held = TARN_TRY(open_file(work.path(), O_RDONLY | O_DIRECTORY));
    static_cast<void>(::flock(held.get(), LOCK_SH | LOCK_NB));

    const detail::RunPlan plan = TARN_TRY(detail::lay_out(store_, action, work.path()));
    LogFile log = TARN_TRY(LogFile::create(join_path(work.path(), "running.log")));
    const ProcessResult ran = TARN_TRY(run_logged(action, plan, options, log));

    ActionResult result;
    result.exit_code = ran.timed_out ? kTimedOut : ran.exit_code;
    result.wall_seconds = ran.wall_seconds;
    result.cpu_seconds = ran.cpu_seconds;
    const std::string last_words =
        ran.timed_out ? fmt::format("\ntarn: killed, not done after {} s\n", action.timeout_seconds)
                      : std::string();
    result.log = TARN_TRY(log.finish(store_, last_words));
    const Tree outputs = TARN_TRY(detail::take_outputs(store_, action, plan));
    result.outputs = TARN_TRY(store_.put_tree(outputs));
    if (result.exit_code == 0) {
        TARN_TRY(keep_result(store_, action, result));
        return result;
    }
    TARN_TRY(detail::keep_failed(store_, action, plan, result, work.path()));
    static_cast<void>(work.release());
    return result;
}

}  // namespace tarn
