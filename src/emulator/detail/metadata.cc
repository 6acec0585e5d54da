// SPDX-License-Identifier: MIT
// 169.254.169.254: the metadata service.
#include "base/base64.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "emulator/detail/document.hh"
#include "emulator/detail/platform.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>
#include <set>

namespace tarn::emulator {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxTokens = 64;  // kept of one instance
constexpr double kAttestedFor = 6 * 3600;
constexpr const char* kTenant = "5b2ee0b5-5b9b-4d3c-8d31-7f4ef0e0a0d2";

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Answer refuse(const std::string& why) {
    return Answer::json(400, dump({{"error", "Bad request. " + why}}));
}

Answer identity_error(int status, const char* code, const std::string& description) {
    return Answer::json(status, dump({{"error", code}, {"error_description", description}}));
}

Answer wrong_version(const char* what) {
    const auto& versions = api_versions();
    Json newest = Json::array();
    for (std::size_t i = 0; i < 3; ++i) {
        newest.push_back(versions[i]);
    }
    return Answer::json(400,
                        dump({{"error", fmt::format("Bad request. api-version {}", what)},
                              {"newest-versions", newest}}));
}

// "MM/DD/YY hh:mm:ss -0000"
std::string attested_time(double wall) {
    const auto seconds = static_cast<std::time_t>(wall);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:02}/{:02}/{:02} {:02}:{:02}:{:02} -0000",
                       parts.tm_mon + 1,
                       parts.tm_mday,
                       parts.tm_year % 100,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

bool starts_a_path(const std::string& path, std::string_view root) {
    return path == root || path.starts_with(std::string(root) + "/");
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

Flaw flaw_of(const std::string& certificate) {
    return certificate == "wrong-name"  ? Flaw::kWrongName
           : certificate == "untrusted" ? Flaw::kUntrusted
           : certificate == "expired"   ? Flaw::kExpired
                                        : Flaw::kNone;
}

std::string flipped_uuid(std::string id) {
    id[0] = id[0] == '0' ? '1' : '0';
    return id;
}

// The identity a request means, null for the system's own; why it means none.
std::string choose_identity(const Request& request,
                            const Instance& instance,
                            const Identity*& identity) {
    int selectors = 0;
    bool found = true;
    const auto select = [&](const char* name, std::string Identity::* member) {
        if (const std::string* wanted = request.parameter(name)) {
            ++selectors;
            const auto each = std::ranges::find_if(instance.identities, [&](const Identity& one) {
                return to_lower(one.*member) == to_lower(*wanted);
            });
            found = each != instance.identities.end();
            identity = found ? &*each : nullptr;
        }
    };
    select("client_id", &Identity::client_id);
    select("object_id", &Identity::object_id);
    select("msi_res_id", &Identity::resource_id);
    if (selectors > 1) {
        return "At most one of client_id, object_id and msi_res_id may be given";
    }
    if (selectors == 0 && !instance.system_identity) {
        if (instance.identities.size() > 1) {
            return "Multiple user assigned identities exist, please specify the clientId / "
                   "resourceId of the identity in the token request";
        }
        found = !instance.identities.empty();
        identity = found ? &instance.identities.front() : nullptr;
    }
    return found ? "" : "Identity not found";
}

}  // namespace

Answer Platform::metadata(const Turn& turn, Spoken& spoken) {
    const Request& request = turn.request;
    const bool events = request.path == "/metadata/scheduledevents";
    if (request.method != "GET" && !(events && request.method == "POST")) {
        Answer answer = Answer::json(405, R"({"error":"Method not allowed"})");
        answer.headers.emplace_back("Allow", events ? "GET, POST" : "GET");
        return answer;
    }
    const std::string* asked = request.header("metadata");
    if (request.header("x-forwarded-for") != nullptr) {
        return refuse("X-Forwarded-For is not accepted");
    }
    if (asked == nullptr || to_lower(*asked) != "true") {
        return starts_a_path(request.path, "/metadata/identity")
                   ? identity_error(
                         400, "bad_request_102", "Required metadata header not specified")
                   : refuse("Required metadata header not specified");
    }
    std::set<std::string> names;
    for (const auto& [name, value] : request.query) {
        if (!names.insert(to_lower(name)).second) {
            return refuse(fmt::format("The parameter {} is given twice", name));
        }
    }
    if (request.path == "/metadata/versions") {
        return Answer::json(200, dump({{"apiVersions", api_versions()}}));
    }
    const std::string* version = request.parameter("api-version");
    if (version == nullptr || version->empty()) {
        return wrong_version("was not specified in the request");
    }
    return metadata_of_version(turn, *version, spoken);
}

Answer Platform::metadata_of_version(const Turn& turn, const std::string& version, Spoken& spoken) {
    const std::string& path = turn.request.path;
    if (path == "/metadata/identity/oauth2/token") {
        return is_one_of(version, {"2018-02-01", "2019-08-01", "2021-02-01"})
                   ? token(turn)
                   : identity_error(400, "invalid_request", "The api-version is not supported");
    }
    if (path == "/metadata/scheduledevents") {
        return is_one_of(version,
                         {"2020-07-01",
                          "2019-08-01",
                          "2019-04-01",
                          "2019-01-01",
                          "2017-11-01",
                          "2017-08-01"})
                   ? scheduled_events(turn, spoken)
                   : wrong_version("is invalid");
    }
    if (std::ranges::find(api_versions(), version) == api_versions().end()) {
        return wrong_version("is invalid");
    }
    constexpr std::string_view kInstance = "/metadata/instance";
    if (starts_a_path(path, kInstance)) {
        DocumentWish wish;
        wish.path = path.substr(kInstance.size());
        wish.version = version;
        const std::string* format = turn.request.parameter("format");
        if (format != nullptr && *format != "json" && *format != "text") {
            return refuse("format is json or text");
        }
        wish.text = format != nullptr && *format == "text";
        const std::string* extended = turn.request.parameter("extended");
        wish.extended = extended != nullptr && to_lower(*extended) == "true";
        wish.reorder_nics = turn.effect.reorder_nics;
        wish.set = turn.effect.set;
        return instance_document(*turn.state.instance, wish);
    }
    if (path == "/metadata/attested/document") {
        return attested(turn);
    }
    if (path == "/metadata/loadbalancer") {
        Json rules = Json::array(), addresses = Json::array();
        for (const Nic& nic : turn.state.instance->nics) {
            if (!nic.public_address.empty()) {
                addresses.push_back(
                    {{"frontendIpAddress", nic.public_address}, {"privateIpAddress", nic.address}});
            }
        }
        return Answer::json(200,
                            dump({{"loadbalancer",
                                   {{"publicIpAddresses", addresses},
                                    {"inboundRules", rules},
                                    {"outboundRules", rules}}}}));
    }
    // /metadata/reprovisiondata: nobody is assigned to a pooled machine here.
    return Answer::json(404, R"({"error":"Not found"})");
}

Result<const InstanceState::Token*> Platform::make_token(const Turn& turn,
                                                         const std::string& resource,
                                                         const Identity* identity) {
    const Instance& instance = *turn.state.instance;
    const std::string principal = identity != nullptr
                                      ? identity->object_id
                                      : sha256_hex("principal " + instance.name).substr(0, 32);
    auto& tokens = turn.state.tokens;
    const std::string key = principal + " " + resource;
    const double lifetime = scenario_.token_seconds;
    if (const auto kept = tokens.find(key);
        kept != tokens.end() && turn.now - kept->second.made < lifetime / 2) {
        return &kept->second;
    }
    if (tokens.size() >= kMaxTokens) {
        tokens.clear();
    }
    const auto now = static_cast<std::int64_t>(turn.wall);
    InstanceState::Token token;
    token.made = turn.now;
    token.expires = now + static_cast<std::int64_t>(scenario_.token_seconds);
    Json claims{{"aud", resource},
                {"iss", fmt::format("https://sts.windows.net/{}/", kTenant)},
                {"iat", now},
                {"nbf", now},
                {"exp", token.expires},
                {"idtyp", "app"},
                {"oid", principal},
                {"sub", principal},
                {"tid", kTenant},
                {"xms_mirid", identity != nullptr ? identity->resource_id : instance.vm_id}};
    if (identity != nullptr) {
        claims["appid"] = identity->client_id;
    }
    token.access = TARN_TRY(authority_.token(dump(claims)));
    return &(tokens[key] = std::move(token));
}

Answer Platform::token(const Turn& turn) {
    const Instance& instance = *turn.state.instance;
    const std::string* resource = turn.request.parameter("resource");
    if (resource == nullptr || resource->empty()) {
        return identity_error(
            400, "invalid_request", "Required query variable 'resource' is missing");
    }
    if (resource->find_first_of(" \t\"<>") != std::string::npos) {
        return identity_error(400, "invalid_resource", "The resource is no identifier of one");
    }
    const Identity* identity = nullptr;
    if (const std::string why = choose_identity(turn.request, instance, identity); !why.empty()) {
        return identity_error(400, "invalid_request", why);
    }
    const auto token = make_token(turn, *resource, identity);
    if (!token) {
        return identity_error(500, "unknown", token.error().message);
    }
    const auto now = static_cast<std::int64_t>(turn.wall);
    const std::int64_t begun =
        (*token)->expires - static_cast<std::int64_t>(scenario_.token_seconds);
    return Answer::json(
        200,
        dump({{"access_token", (*token)->access},
              {"client_id", identity != nullptr ? identity->client_id : ""},
              {"expires_in", std::to_string(std::max<std::int64_t>((*token)->expires - now, 0))},
              {"expires_on", std::to_string((*token)->expires)},
              {"ext_expires_in", std::to_string(scenario_.token_seconds)},
              {"not_before", std::to_string(begun)},
              {"refresh_token", ""},
              {"resource", *resource},
              {"token_type", "Bearer"}}));
}

Answer Platform::attested(const Turn& turn) {
    const Instance& instance = *turn.state.instance;
    const std::string* given = turn.request.parameter("nonce");
    if (given != nullptr && (given->size() > 10 || !parse_u64(*given))) {
        return refuse("nonce is a number of up to 10 digits");
    }
    const std::string& certificate = turn.effect.certificate;
    std::string nonce =
        given != nullptr ? *given : std::to_string(static_cast<std::int64_t>(turn.wall));
    if (certificate == "wrong-nonce") {
        nonce = "1" + nonce.substr(1) + "0";
    }
    const Json payload{
        {"licenseType", ""},
        {"nonce", nonce},
        {"plan", {{"name", ""}, {"product", ""}, {"publisher", ""}}},
        {"sku", ""},
        {"subscriptionId", "8d10da13-8125-4ba9-a717-bf7490507b3d"},
        {"timeStamp",
         {{"createdOn", attested_time(turn.wall)},
          {"expiresOn", attested_time(turn.wall + kAttestedFor)}}},
        {"vmId", certificate == "wrong-vm-id" ? flipped_uuid(instance.vm_id) : instance.vm_id}};
    auto signature = authority_.attest(dump(payload), flaw_of(certificate));
    if (!signature) {
        return Answer::json(500, dump({{"error", signature.error().message}}));
    }
    if (certificate == "altered") {
        const std::size_t at = signature->find(instance.vm_id);
        if (at != std::string::npos) {
            signature->replace(at, instance.vm_id.size(), flipped_uuid(instance.vm_id));
        }
    }
    return Answer::json(200, dump({{"encoding", "pkcs7"}, {"signature", base64(*signature)}}));
}

Answer Platform::scheduled_events(const Turn& turn, Spoken& spoken) {
    const Instance& instance = *turn.state.instance;
    if (turn.request.method == "GET") {
        const double on = events_.ask(instance, turn.now);
        const double wait = std::max(0.0, on - turn.now);
        spoken.at = std::max(spoken.at, turn.now + wait);
        return Answer::json(200, events_.document(instance, turn.now + wait, turn.wall + wait));
    }
    const auto body = nlohmann::json::parse(turn.request.body, nullptr, false);
    std::vector<std::string> ids;
    const auto requests = body.is_object() ? body.find("StartRequests") : body.end();
    if (!body.is_object() || requests == body.end() || !requests->is_array() || requests->empty()) {
        return refuse("StartRequests is missing");
    }
    for (const auto& each : *requests) {
        const auto id = each.is_object() ? each.find("EventId") : each.end();
        if (!each.is_object() || id == each.end() || !id->is_string()) {
            return refuse("a start request has no EventId");
        }
        ids.push_back(id->get<std::string>());
    }
    if (!events_.start(instance, ids, turn.now)) {
        return refuse("there is no such event");
    }
    return Answer::json(200, "");
}

}  // namespace tarn::emulator
