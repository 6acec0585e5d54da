// SPDX-License-Identifier: MIT
#include "health/manager.hh"

#include <algorithm>
#include <array>

#include "varlink/client.hh"
#include "varlink/json.hh"

namespace tarn::guest {

namespace {

constexpr std::chrono::milliseconds kPatience{2000};

std::optional<std::uint64_t> number(const nlohmann::json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    if (!object.is_object() || found == object.end() || !found->is_number_unsigned()) {
        return std::nullopt;
    }
    return found->get<std::uint64_t>();
}

}  // namespace

Result<ManagerState> parse_manager(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return fail(ErrorKind::kCorrupt, "the system manager's answer is no JSON object");
    }
    const auto runtime = json->find("runtime");
    if (runtime == json->end() || !runtime->is_object()) {
        return fail(ErrorKind::kCorrupt, "the system manager's answer has no `runtime`");
    }
    ManagerState state;
    state.system_state = text_member(*runtime, "SystemState");
    state.failed_units = number(*runtime, "NFailedUnits");
    state.units = number(*runtime, "NNames");
    state.jobs = number(*runtime, "NJobs");
    static constexpr std::array<const char*, 6> kNames{
        "Firmware", "Loader", "Kernel", "InitRD", "Userspace", "Finish"};
    for (const char* name : kNames) {
        const auto stamp = runtime->find(std::string(name) + "Timestamp");
        if (stamp == runtime->end()) {
            continue;
        }
        // 0: it has not happened; the kernel began at 0.
        if (const auto monotonic = number(*stamp, "monotonic"); monotonic.value_or(0) > 0) {
            state.timestamps.emplace(name, *monotonic);
        }
    }
    return state;
}

std::optional<std::string> parse_failed_unit(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return std::nullopt;
    }
    const auto runtime = json->find("runtime");
    const auto context = json->find("context");
    if (runtime == json->end() || context == json->end() ||
        text_member(*runtime, "ActiveState") != "failed") {
        return std::nullopt;
    }
    std::string name = text_member(*context, "ID");
    return name.empty() ? std::nullopt : std::optional(std::move(name));
}

Result<ManagerState> ask_manager(const std::string& socket) {
    VarlinkClient client = TARN_TRY(VarlinkClient::connect(socket));
    const Reply reply = TARN_TRY(client.call("io.systemd.Manager.Describe", "{}", kPatience));
    if (!reply.error.empty()) {
        return fail(ErrorKind::kFailed, "the system manager: {}", reply.error);
    }
    return parse_manager(reply.parameters);
}

Result<std::vector<std::string>> ask_failed_units(const std::string& socket, std::size_t limit) {
    VarlinkClient client = TARN_TRY(VarlinkClient::connect(socket));
    TARN_TRY(client.send("io.systemd.Unit.List", "{}", true));
    std::vector<std::string> names;
    for (int i = 0; i < 10'000; ++i) {
        const Reply reply = TARN_TRY(client.next(kPatience));
        if (!reply.error.empty()) {
            return fail(ErrorKind::kFailed, "the system manager: {}", reply.error);
        }
        auto name = parse_failed_unit(reply.parameters);
        if (name && names.size() < limit) {
            names.push_back(std::move(*name));
        }
        if (!reply.continues) {
            break;
        }
    }
    std::ranges::sort(names);
    return names;
}

}  // namespace tarn::guest
