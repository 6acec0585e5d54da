// SPDX-License-Identifier: MIT
#include "health/state.hh"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "base/fs.hh"
#include "base/strings.hh"
#include "varlink/json.hh"

namespace tarn::guest {

namespace {

constexpr std::size_t kMaxOpinions = 64, kMaxNames = 32, kMaxSteps = 512;

double number_member(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
}
bool flag_member(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

Result<Provisioning> parse_provisioning(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object() || text_member(*json, "status").empty()) {
        return fail(ErrorKind::kCorrupt, "status.json of provisioning has no `status`");
    }
    Provisioning out;
    out.status = text_member(*json, "status");
    out.source = text_member(*json, "source");
    out.platform_ready = flag_member(*json, "platform_ready");
    out.workload_ready = flag_member(*json, "workload_ready");
    out.ready_seconds = number_member(*json, "ready_seconds");
    out.end_seconds = number_member(*json, "end_seconds");
    const auto errors = json->find("errors");
    if (errors != json->end() && errors->is_array()) {
        for (const auto& one : *errors) {
            out.errors.push_back(one.is_string() ? one.get<std::string>() : dump_json(one));
        }
    }
    const auto steps = json->find("steps");
    if (steps != json->end() && steps->is_array()) {
        for (const auto& one : *steps) {
            if (one.is_object() && out.steps.size() < kMaxSteps) {
                out.steps.emplace_back(text_member(one, "name"), number_member(one, "seconds"));
            }
        }
    }
    return out;
}

Opinion parse_opinion(const std::string& name, std::string_view text, std::uint64_t age) {
    Opinion out;
    out.name = name;
    out.age = age;
    for (const std::string_view raw : split_lines(text.substr(0, 4096))) {
        const std::string_view line = trim(raw);
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        const auto words = split_words(line);
        if (words[0] == "max-age") {
            out.max_age = words.size() == 2 ? parse_u64(words[1]) : std::nullopt;
            if (!out.max_age) {
                return {name, "Unhealthy", "max-age is a number of seconds", {}, age};
            }
        } else if (out.state.empty() && (words[0] == "Healthy" || words[0] == "Unhealthy" ||
                                         words[0] == "Initializing")) {
            out.state = words[0];
            out.why = trim(line.substr(words[0].size()));
        } else {
            return {name, "Unhealthy", fmt::format("cannot understand `{}`", line), {}, age};
        }
    }
    if (out.state.empty()) {
        return {name, "Unhealthy", "expected Healthy, Unhealthy or Initializing", {}, age};
    }
    return out;
}

std::string_view state_name(HealthState state) {
    switch (state) {
        case HealthState::kInitializing:
            return "Initializing";
        case HealthState::kHealthy:
            return "Healthy";
        case HealthState::kUnhealthy:
            return "Unhealthy";
    }
    return "Unhealthy";
}

namespace {

// The worst that was said wins; all reasons are kept.
class Judge {
  public:
    void object(HealthState state, std::string why) {
        health_.reasons.push_back(std::move(why));
        const bool worse =
            state == HealthState::kUnhealthy || health_.state == HealthState::kHealthy;
        health_.state = worse ? state : health_.state;
    }
    Health done() { return std::move(health_); }

  private:
    Health health_;
};

void judge_provisioning(const Provisioning& provisioning, Judge& judge) {
    if (provisioning.status == "error") {
        judge.object(
            HealthState::kUnhealthy,
            "provisioning failed" +
                (provisioning.errors.empty() ? std::string() : ": " + provisioning.errors[0]));
    } else if (provisioning.status == "disabled") {
        return;
    } else if (!provisioning.platform_ready) {
        judge.object(HealthState::kInitializing, "provisioning has not ended");
    } else if (!provisioning.workload_ready) {
        judge.object(HealthState::kInitializing, "the user's commands have not ended");
    }
}

void judge_manager(const ManagerState& manager,
                   const std::vector<std::string>& names,
                   Judge& judge) {
    const std::string& state = manager.system_state;
    if (state == "initializing" || state == "starting") {
        judge.object(HealthState::kInitializing, "the system is " + state);
    } else if (state == "stopping" || state == "maintenance" || state == "offline") {
        judge.object(HealthState::kUnhealthy, "the system is in state " + state);
    }
    if (manager.failed_units.value_or(0) > 0) {
        judge.object(HealthState::kUnhealthy,
                     names.empty() ? fmt::format("{} failed units", *manager.failed_units)
                                   : "failed: " + join(names, ", "));
    }
}

}  // namespace

Health evaluate(const HealthInputs& inputs) {
    Judge judge;
    if (inputs.provisioning) {
        judge_provisioning(*inputs.provisioning, judge);
    }
    if (inputs.manager) {
        judge_manager(*inputs.manager, inputs.failed_units, judge);
    }
    for (const Opinion& one : inputs.opinions) {
        if (one.max_age && one.age > *one.max_age) {
            judge.object(HealthState::kUnhealthy,
                         fmt::format("{}: nothing new for {} s", one.name, one.age));
        } else if (one.state != "Healthy") {
            judge.object(
                one.state == "Initializing" ? HealthState::kInitializing : HealthState::kUnhealthy,
                one.name + (one.why.empty() ? std::string() : ": " + one.why));
        }
    }
    Health health = judge.done();
    health.custom_metrics = inputs.custom_metrics;
    return health;
}

std::string health_body(const Health& health) {
    nlohmann::json body = {{"ApplicationHealthState", std::string(state_name(health.state))}};
    if (!health.custom_metrics.empty()) {
        body["CustomMetrics"] = health.custom_metrics;
    }
    return dump_json(body) + "\n";
}

std::string verbose_body(const Health& health) {
    return dump_json({{"ApplicationHealthState", std::string(state_name(health.state))},
                      {"Reasons", health.reasons}}) +
           "\n";
}

namespace {

void read_opinions(const std::string& directory, std::map<std::string, Opinion>& out) {
    const auto names = list_directory(directory);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
        const std::string path = join_path(directory, name);
        struct stat info{};
        if (name.starts_with('.') || name == "custom-metrics.json" || out.size() >= kMaxOpinions ||
            stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            continue;
        }
        const auto text = read_file(path, 64u << 10);
        const std::int64_t age = std::time(nullptr) - info.st_mtime;
        // A name of /run takes the place of the same in /etc.
        out[name] =
            text ? parse_opinion(
                       name, *text, static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0)))
                 : Opinion{name, "Unhealthy", "cannot be read", {}, 0};
    }
}

}  // namespace

HealthInputs read_inputs(const std::string& root, const std::string& socket) {
    HealthInputs inputs;
    if (const auto text = read_file(join_path(root, "run/tarn/provision/status.json"), 1u << 20)) {
        if (auto provisioning = parse_provisioning(*text)) {
            inputs.provisioning = std::move(*provisioning);
        }
    }
    if (auto manager = ask_manager(socket)) {
        inputs.manager = std::move(*manager);
        if (inputs.manager->failed_units.value_or(0) > 0) {
            inputs.failed_units =
                ask_failed_units(socket, kMaxNames).value_or(std::vector<std::string>());
        }
    }
    std::map<std::string, Opinion> opinions;
    for (const char* directory : {"etc/tarn/health.d", "run/tarn/health.d"}) {
        const std::string path = join_path(root, directory);
        read_opinions(path, opinions);
        const auto custom = read_file(join_path(path, "custom-metrics.json"), 64u << 10);
        const auto json = custom ? parse_json(*custom) : std::nullopt;
        if (json && json->is_object()) {
            inputs.custom_metrics = dump_json(*json);
        }
    }
    for (auto& [name, opinion] : opinions) {
        inputs.opinions.push_back(std::move(opinion));
    }
    return inputs;
}

}  // namespace tarn::guest
