// SPDX-License-Identifier: MIT
#include "emulator/detail/platform.hh"

#include "base/strings.hh"
#include "emulator/detail/document.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace tarn::emulator {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kGeneralRate = 5, kIdentityRate = 20;
constexpr unsigned kIdentityAtOnce = 5;
constexpr std::size_t kMaxPaths = 64;

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::uint64_t mixed(std::uint64_t value) {  // splitmix64
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

double wall_clock() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

bool below(const std::string& path, std::string_view root) {
    return path == root || (path.starts_with(root) && path[root.size()] == '/');
}

}  // namespace

bool Bucket::take(double now, double rate) {
    level_ = used_ ? std::min(rate, level_ + (now - at_) * rate) : rate;
    used_ = true;
    at_ = now;
    if (level_ < 1) {
        return false;
    }
    level_ -= 1;
    return true;
}

Platform::Platform(const Scenario& scenario, Authority authority, Say on_event, Say on_request)
    : scenario_(scenario),
      authority_(std::move(authority)),
      events_(scenario),
      on_event_(std::move(on_event)),
      on_request_(std::move(on_request)) {
    states_.resize(scenario.instances.size());
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Instance& instance = scenario.instances[i];
        states_[i].instance = &instance;
        by_name_[instance.name] = i;
        if (const auto source = parse_ipv4(instance.source)) {
            by_source_[*source] = i;
        }
    }
}

InstanceState* Platform::find(std::uint32_t source) {
    if (states_.size() == 1 && states_.front().instance->source.empty()) {
        return &states_.front();
    }
    const auto found = by_source_.find(source);
    return found == by_source_.end() ? nullptr : &states_[found->second];
}

Effect Platform::faults(InstanceState& state, const std::string& path) {
    Effect effect;
    if (state.fault_counts.empty()) {
        state.fault_counts.resize(scenario_.faults.size());
    }
    for (std::size_t i = 0; i < scenario_.faults.size(); ++i) {
        const Fault& fault = scenario_.faults[i];
        if (!glob_match(fault.instance, state.instance->name) || !glob_match(fault.path, path)) {
            continue;
        }
        const std::uint64_t count = ++state.fault_counts[i];
        if (count < fault.first || (fault.last != 0 && count > fault.last) ||
            (count - fault.first) % fault.every != 0) {
            continue;
        }
        const auto number = static_cast<std::uint64_t>(state.instance - scenario_.instances.data());
        const std::uint64_t dice =
            mixed(scenario_.seed ^ mixed(number * 1'000'003 + i) ^ mixed(count));
        if (static_cast<double>(dice >> 11) * 0x1p-53 >= fault.share) {
            continue;
        }
        effect.any = true;
        effect.delay += fault.latency_ms / 1000.0;
        effect.status = effect.status != 0 ? effect.status : fault.status;
        effect.drop = effect.drop || fault.drop;
        effect.garbage = effect.garbage || fault.garbage;
        effect.reorder_nics = effect.reorder_nics || fault.reorder_nics;
        effect.cut_after = effect.cut_after ? effect.cut_after : fault.cut_after;
        if (fault.slow_pause_ms > 0) {
            effect.slow_pause = fault.slow_pause_ms / 1000.0;
            effect.slow_piece = fault.slow_piece;
        }
        effect.certificate = effect.certificate.empty() ? fault.certificate : effect.certificate;
        effect.set.insert(fault.set.begin(), fault.set.end());
    }
    return effect;
}

bool Platform::throttled(InstanceState& state, bool identity, double now) const {
    if (!scenario_.rate_limits) {
        return false;
    }
    if (identity) {
        return state.identity_running >= kIdentityAtOnce ||
               !state.identity.take(now, kIdentityRate);
    }
    return !state.general.take(now, kGeneralRate);
}

Spoken Platform::of_instance(const Request& request, Role role, InstanceState& state, double now) {
    Spoken spoken;
    spoken.at = now;
    ++state.requests;
    if (state.by_path.contains(request.path) || state.by_path.size() < kMaxPaths) {
        ++state.by_path[request.path];
    }
    spoken.effect = faults(state, request.path);
    spoken.at += spoken.effect.delay;
    const Turn turn{request, state, spoken.effect, now, wall_clock()};
    const bool metadata_path = below(request.path, "/metadata");
    const bool identity = below(request.path, "/metadata/identity");
    if (metadata_path && role != Role::kWireserver && throttled(state, identity, now)) {
        ++state.throttled;
        spoken.answer = Answer::json(429, R"({"error":"Too many requests"})");
        spoken.answer.headers.emplace_back("Retry-After", "1");
        return spoken;
    }
    if (identity) {
        ++state.identity_running;
        spoken.identity = &state;
    }
    if (spoken.effect.any) {
        ++state.faulted;
    }
    if (spoken.effect.status != 0) {
        spoken.answer =
            Answer::json(spoken.effect.status,
                         R"({"error":"unknown","error_description":"a fault of the scenario"})");
    } else if (metadata_path && role != Role::kWireserver) {
        spoken.answer = metadata(turn, spoken);
    } else if (!metadata_path && role != Role::kMetadata) {
        spoken.answer = wireserver(turn);
    } else {
        spoken.answer = Answer::json(404, R"({"error":"Not found"})");
    }
    if (spoken.answer.status == 400 || spoken.answer.status == 405) {
        ++state.refused;
    }
    return spoken;
}

Spoken Platform::speak(const Request& request, Role role, std::uint32_t source, double now) {
    Spoken spoken;
    InstanceState* state = nullptr;
    if (below(request.path, "/emulator")) {
        spoken.at = now;
        spoken.answer = control(request, role);
    } else if ((state = find(source)) == nullptr) {
        spoken.at = now;
        spoken.answer =
            Answer::text(404, "no instance has the address " + ipv4_text(source) + "\n");
    } else {
        spoken = of_instance(request, role, *state, now);
    }
    if (on_request_) {
        on_request_(fmt::format("{} {} {} {}",
                                state != nullptr ? state->instance->name : "-",
                                request.method,
                                request.path,
                                spoken.answer.status));
    }
    return spoken;
}

Answer Platform::describe(const std::string& path) const {
    Json list = Json::array();
    const auto one = [](const InstanceState& state) {
        Json health = Json::array();
        for (const HealthReport& report : state.health) {
            health.push_back({{"state", report.state},
                              {"substatus", report.substatus},
                              {"description", report.description},
                              {"form", report.form},
                              {"agent", report.agent},
                              {"seconds", report.seconds}});
        }
        return Json{{"instance", state.instance->name},
                    {"vm-id", state.instance->vm_id},
                    {"source", state.instance->source},
                    {"requests", state.requests},
                    {"throttled", state.throttled},
                    {"refused", state.refused},
                    {"faulted", state.faulted},
                    {"paths", state.by_path},
                    {"health", std::move(health)}};
    };
    if (path.empty()) {
        Json totals{{"instances", states_.size()}, {"ready", 0}, {"failed", 0}, {"silent", 0}};
        for (const InstanceState& state : states_) {
            const bool told = !state.health.empty();
            const char* kind = !told                                                   ? "silent"
                               : state.health.back().state == "Ready"                  ? "ready"
                               : state.health.back().substatus == "ProvisioningFailed" ? "failed"
                                                                                       : "silent";
            totals[kind] = totals[kind].get<std::uint64_t>() + 1;
        }
        return Answer::json(200, dump(totals));
    }
    const auto found = by_name_.find(path);
    if (found == by_name_.end()) {
        return Answer::json(404, R"({"error":"no such instance"})");
    }
    return Answer::json(200, dump(one(states_[found->second])));
}

Answer Platform::control(const Request& request, Role role) const {
    const std::string path = request.path.substr(std::string_view("/emulator").size());
    if (request.method != "GET") {
        return Answer::text(405, "only GET\n");
    }
    if (path == "/ca/intermediate.cer") {
        return {200, "application/pkix-cert", authority_.intermediate_der(), {}};
    }
    if (path == "/ca/root.pem") {
        return {200, "application/x-pem-file", authority_.root_pem(), {}};
    }
    if (path == "/keys") {
        return Answer::json(200, authority_.jwks());
    }
    if (role == Role::kAll && (path == "/instances" || path.starts_with("/instances/"))) {
        return describe(path.substr(std::min<std::size_t>(path.size(), 11)));
    }
    return Answer::text(404,
                        "there are /emulator/instances[/NAME], /emulator/keys, "
                        "/emulator/ca/root.pem and /emulator/ca/intermediate.cer\n");
}

}  // namespace tarn::emulator
