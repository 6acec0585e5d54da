// SPDX-License-Identifier: MIT
#include "base/base64.hh"

#include "provision/state.hh"
#include <nlohmann/json.hpp>

namespace tarn::guest {

namespace {

using nlohmann::json;

std::string dump(const json& value) {
    // What is no UTF-8 in a message is replaced; payloads are base64.
    return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

json addresses_json(const std::vector<IpAddress>& list) {
    json out = json::array();
    for (const IpAddress& each : list) {
        out.push_back({{"address", each.address}, {"prefix", each.prefix}});
    }
    return out;
}
std::vector<IpAddress> addresses_of(const json& list) {
    std::vector<IpAddress> out;
    for (const json& each : list) {
        out.push_back({each.at("address").get<std::string>(), each.at("prefix").get<unsigned>()});
    }
    return out;
}

// Members that are text and may be any bytes.
struct Payload {
    const char* name;
    std::string Settings::* member;
};
constexpr Payload kPayloads[] = {{"custom_data", &Settings::custom_data},
                                 {"user_data", &Settings::user_data},
                                 {"vendor_data", &Settings::vendor_data},
                                 {"network_config", &Settings::network_config}};
constexpr Payload kTexts[] = {{"source", &Settings::source},
                              {"instance_id", &Settings::instance_id},
                              {"hostname", &Settings::hostname},
                              {"user", &Settings::user}};

}  // namespace

std::string status_json(const Status& status) {
    json steps = json::array();
    for (const DoneStep& step : status.steps) {
        steps.push_back({{"name", step.name}, {"seconds", step.seconds}});
    }
    return dump({{"version", 1},
                 {"status", status.status},
                 {"stage", status.stage},
                 {"source", status.source},
                 {"instance_id", status.instance_id},
                 {"platform_ready", status.platform_ready},
                 {"workload_ready", status.workload_ready},
                 {"errors", status.errors},
                 {"warnings", status.warnings},
                 {"payload_errors", status.payload_errors},
                 {"ready_seconds", status.ready_seconds},
                 {"end_seconds", status.end_seconds},
                 {"steps", steps}});
}

Result<Status> parse_status(std::string_view text) {
    try {
        const json value = json::parse(text);
        Status out;
        out.status = value.at("status").get<std::string>();
        out.stage = value.at("stage").get<std::string>();
        out.source = value.at("source").get<std::string>();
        out.instance_id = value.at("instance_id").get<std::string>();
        out.platform_ready = value.at("platform_ready").get<bool>();
        out.workload_ready = value.at("workload_ready").get<bool>();
        out.errors = value.at("errors").get<std::vector<std::string>>();
        out.warnings = value.at("warnings").get<std::vector<std::string>>();
        out.payload_errors = value.at("payload_errors").get<std::vector<std::string>>();
        out.ready_seconds = value.at("ready_seconds").get<double>();
        out.end_seconds = value.at("end_seconds").get<double>();
        for (const json& step : value.at("steps")) {
            out.steps.push_back(
                {step.at("name").get<std::string>(), step.at("seconds").get<double>()});
        }
        return out;
    } catch (const std::exception& problem) {
        return fail(ErrorKind::kCorrupt, "status.json: {}", problem.what());
    }
}

std::string told_json(const Told& told) {
    return dump(
        {{"version", 1}, {"ready", told.ready}, {"seconds", told.seconds}, {"error", told.error}});
}

std::optional<Told> parse_told(std::string_view text) {
    try {
        const json value = json::parse(text);
        return Told{value.at("ready").get<bool>(),
                    value.at("seconds").get<double>(),
                    value.at("error").get<std::string>()};
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::string settings_json(const Settings& settings) {
    json out = {{"version", 1},
                {"disable_password_authentication", settings.disable_password_authentication},
                {"ssh_keys", settings.ssh_keys},
                {"metadata", settings.metadata},
                {"warnings", settings.warnings}};
    for (const Payload& each : kTexts) {
        out[each.name] = settings.*each.member;
    }
    for (const Payload& each : kPayloads) {
        out[each.name] = base64(settings.*each.member);
    }
    json nics = json::array();
    for (const Nic& nic : settings.nics) {
        nics.push_back({{"mac", nic.mac},
                        {"ipv4", addresses_json(nic.ipv4)},
                        {"ipv6", addresses_json(nic.ipv6)}});
    }
    out["nics"] = nics;
    return dump(out);
}

Result<Settings> parse_settings(std::string_view text) {
    try {
        const json value = json::parse(text);
        Settings out;
        out.disable_password_authentication =
            value.at("disable_password_authentication").get<bool>();
        out.ssh_keys = value.at("ssh_keys").get<std::vector<std::string>>();
        out.metadata = value.at("metadata").get<std::map<std::string, std::string>>();
        out.warnings = value.at("warnings").get<std::vector<std::string>>();
        for (const Payload& each : kTexts) {
            out.*each.member = value.at(each.name).get<std::string>();
        }
        for (const Payload& each : kPayloads) {
            auto bytes = from_base64(value.at(each.name).get<std::string>());
            if (!bytes) {
                return fail(ErrorKind::kCorrupt, "settings.json: {} is not base64", each.name);
            }
            out.*each.member = std::move(*bytes);
        }
        for (const json& nic : value.at("nics")) {
            out.nics.push_back({nic.at("mac").get<std::string>(),
                                addresses_of(nic.at("ipv4")),
                                addresses_of(nic.at("ipv6"))});
        }
        return out;
    } catch (const std::exception& problem) {
        return fail(ErrorKind::kCorrupt, "settings.json: {}", problem.what());
    }
}

}  // namespace tarn::guest
