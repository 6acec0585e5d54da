// SPDX-License-Identifier: MIT
#include "metadata/hooks.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/fs.hh"
#include "base/strings.hh"
#include "varlink/json.hh"

namespace tarn::guest {

namespace {

constexpr std::size_t kMaxTold = 256;
constexpr Millis kMargin{5'000};  // before NotBefore, so that an acknowledgement arrives

// The notice that the platform gives, by type.
Millis notice_of(std::string_view type) {
    if (type == "Preempt") {
        return Millis(30'000);
    }
    if (type == "Redeploy") {
        return Millis(600'000);
    }
    return type == "Terminate" ? Millis(300'000) : Millis(900'000);
}

bool is_sound(const std::string& path, std::vector<std::string>& complaints) {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & 0111) == 0) {
        return false;
    }
    if ((info.st_uid != 0 && info.st_uid != geteuid()) || (info.st_mode & 022) != 0) {
        complaints.push_back(path + ": not run: others than root may write it");
        return false;
    }
    return true;
}

std::string without_nul(std::string_view text) {
    return std::string(text.substr(0, std::min(text.find('\0'), std::size_t{4096})));
}

}  // namespace

std::vector<std::string> find_hooks(const std::vector<std::string>& directories,
                                    std::vector<std::string>& complaints) {
    std::map<std::string, std::string> by_name;
    for (const std::string& directory : directories) {
        const auto names = list_directory(directory);
        for (const std::string& name : names ? *names : std::vector<std::string>()) {
            if (!name.starts_with('.')) {
                by_name.emplace(name, join_path(directory, name));
            }
        }
    }
    std::vector<std::string> hooks;
    for (const auto& [name, path] : by_name) {
        if (is_sound(path, complaints)) {
            hooks.push_back(path);
        }
    }
    return hooks;
}

Millis drain_time(const Change& change, std::int64_t wall) {
    if (change.stage == Stage::kStarted) {
        return Millis(30'000);
    }
    const Millis notice = notice_of(change.event.type);
    if (change.stage == Stage::kGone) {
        return std::max(notice, Millis(300'000));
    }
    const auto when = parse_http_date(change.event.not_before);
    // A clock that is off says nothing: no event is announced more than a day ahead.
    if (!when || *when <= wall || *when - wall > 86'400) {
        return notice - kMargin;
    }
    return std::max(Millis((*when - wall) * 1000) - kMargin, Millis(1'000));
}

std::string told_text(const std::vector<Change>& told) {
    nlohmann::json all = nlohmann::json::array();
    for (const Change& one : told) {
        all.push_back({{"stage", std::string(stage_name(one.stage))},
                       {"event", nlohmann::json::parse(event_text(one.event), nullptr, false)}});
    }
    return dump_json(all) + "\n";
}

std::vector<Change> parse_told(std::string_view text) {
    std::vector<Change> told;
    const auto json = parse_json(text);
    if (!json || !json->is_array()) {
        return told;
    }
    for (const auto& one : *json) {
        const auto event = one.is_object() ? one.find("event") : one.end();
        if (!one.is_object() || event == one.end() || told.size() == kMaxTold) {
            continue;
        }
        const std::string stage = text_member(one, "stage");
        const auto parsed = parse_events(dump_json({{"Events", nlohmann::json::array({*event})}}));
        if (parsed && parsed->events.size() == 1) {
            told.push_back(
                {parsed->events[0], stage == "Started" ? Stage::kStarted : Stage::kScheduled});
        }
    }
    return told;
}

HookRunner::HookRunner(const Scheduler& clock,
                       HookOptions options,
                       Acknowledge acknowledge,
                       Log log)
    : clock_(clock),
      options_(std::move(options)),
      acknowledge_(std::move(acknowledge)),
      log_(std::move(log)) {
    if (const auto text = read_file(options_.state, 4u << 20)) {
        told_ = parse_told(*text);
    }
}

void HookRunner::take(const EventDocument& document) {
    const auto news = changes(told_, document, options_.machine);
    if (news.empty()) {
        return;
    }
    std::vector<std::string> complaints;
    const auto hooks = find_hooks(options_.directories, complaints);
    for (const std::string& line : complaints) {
        log_(line);
    }
    for (const Change& change : news) {
        std::erase_if(told_, [&](const Change& one) { return one.event.id == change.event.id; });
        if (change.stage != Stage::kGone) {
            told_.push_back(change);
        }
        log_(fmt::format(
            "event {}: {} {}", change.event.id, change.event.type, stage_name(change.stage)));
        Run run;
        run.change = change;
        run.hooks = hooks;
        runs_.push_back(std::move(run));
    }
    // Before anything runs: after a reboot that the event caused, its hooks shall not drain again.
    if (auto written = write_file_atomic(options_.state, told_text(told_), 0600); !written) {
        log_(written.error().message);
    }
}

Command HookRunner::command_of(const Run& run, int input) const {
    const ScheduledEvent& event = run.change.event;
    Command command;
    command.argv = {run.hooks[run.next]};
    command.environment = {
        {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
        {"TARN_EVENT_ID", without_nul(event.id)},
        {"TARN_EVENT_TYPE", without_nul(event.type)},
        {"TARN_EVENT_STAGE", std::string(stage_name(run.change.stage))},
        {"TARN_EVENT_STATUS", without_nul(event.status)},
        {"TARN_EVENT_NOT_BEFORE", without_nul(event.not_before)},
        {"TARN_EVENT_RESOURCES", without_nul(join(event.resources, " "))},
        {"TARN_EVENT_LEADER", leads(event, options_.machine) ? "yes" : "no"},
    };
    command.directory = "/";
    command.input_fd = input;
    command.output_fd = STDERR_FILENO;
    command.merge_error = true;
    return command;
}

void HookRunner::start_next(Run& run) {
    const Fd input(memfd_create("event", MFD_CLOEXEC));
    const std::string text = event_text(run.change.event) + "\n";
    if (!input || !write_all(input.get(), text, "event") || lseek(input.get(), 0, SEEK_SET) != 0) {
        log_("cannot hand over an event");
    }
    auto child = Child::start(command_of(run, input.get()));
    if (child) {
        run.child.emplace(std::move(*child));
    } else {
        log_(child.error().message);
        run.good = false;
        ++run.next;
    }
}

// False when it is over.
bool HookRunner::advance(Run& run) {
    if (!run.end) {
        const Millis time =
            options_.longest > Millis(0) ? options_.longest : drain_time(run.change, clock_.wall());
        run.end = clock_.now() + time;
    }
    if (run.child) {
        const auto code = run.child->poll();
        if (code && !*code && clock_.now() < *run.end) {
            return true;
        }
        const bool ended = code && *code;
        if (!ended) {
            log_(fmt::format("{}: no end in time, killed", run.hooks[run.next]));
        } else if (**code != 0) {
            log_(fmt::format("{}: exit code {}", run.hooks[run.next], **code));
        }
        run.good = run.good && ended && **code == 0;
        run.child.reset();  // kills what still runs
        ++run.next;
    }
    if (clock_.now() >= *run.end && run.next < run.hooks.size()) {
        run.good = false;
        return false;
    }
    if (run.next < run.hooks.size()) {
        start_next(run);
        return true;
    }
    return false;
}

void HookRunner::finish(const Run& run) {
    const bool still = std::ranges::any_of(
        told_, [&](const Change& one) { return one.event.id == run.change.event.id; });
    if (run.change.stage != Stage::kScheduled || run.hooks.empty() || !still) {
        return;
    }
    if (!run.good) {
        log_(fmt::format("event {}: not acknowledged: a hook failed", run.change.event.id));
    } else if (leads(run.change.event, options_.machine)) {
        acknowledge_(run.change.event.id);
    }
}

bool HookRunner::step() {
    // One event's changes in order; different events at the same time.
    std::set<std::string> busy;
    for (auto run = runs_.begin(); run != runs_.end();) {
        if (!busy.insert(run->change.event.id).second || advance(*run)) {
            ++run;
            continue;
        }
        finish(*run);
        busy.erase(run->change.event.id);
        run = runs_.erase(run);
    }
    return !runs_.empty();
}

}  // namespace tarn::guest
