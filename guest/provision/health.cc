// SPDX-License-Identifier: MIT
#include "provision/health.hh"

#include "base/strings.hh"

#include "provision/report.hh"
#include "provision/text.hh"
#include "provision/xml.hh"
#include <nlohmann/json.hpp>
#include <poll.h>

#include <algorithm>
#include <optional>

namespace tarn::guest {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kVersion = "2012-11-30";
constexpr std::size_t kAnswer = 1u << 20;

const XmlNode* below(const XmlNode* node, std::string_view name) {
    return node == nullptr ? nullptr : node->child(name);
}

// What an attempt came to.
struct Outcome {
    bool done = false;
    bool again = true;     // else nothing is better another time
    bool no_json = false;  // the JSON endpoint is not there
    bool no_route = false;
    std::string said;
};

class Wireserver {
  public:
    Wireserver(const Endpoint& server, const HealthPolicy& policy, const std::string& source) {
        request_.server = server;
        request_.source_address = source;
        request_.connect_timeout = policy.connect;
        request_.total_timeout = policy.attempt;
        request_.body_limit = kAnswer;
    }

    Outcome xml(const Health& health) {
        auto answer = send("GET", "/machine/?comp=goalstate", {}, "goal state");
        if (!answer.second.done) {
            return answer.second;
        }
        const auto goal = parse_goal_state(answer.first);
        if (!goal) {
            return {false, true, false, false, goal.error().message};
        }
        return send("POST", "/machine?comp=health", health_xml(*goal, health), "health report")
            .second;
    }
    Outcome json(const Health& health) {
        return send("POST", "/provisioning/health", health_json(health), "health report").second;
    }

  private:
    std::pair<std::string, Outcome> send(const char* method,
                                         const char* target,
                                         std::string body,
                                         std::string_view what) {
        request_.method = method;
        request_.target = target;
        request_.headers = {{"x-ms-agent-name", kAgent}, {"x-ms-version", kVersion}};
        if (contains(target, "provisioning")) {
            request_.headers = {{"x-ms-guest-agent-name", kAgent},
                                {"Content-Type", "application/json"}};
        } else if (!body.empty()) {
            request_.headers.emplace_back("Content-Type", "text/xml; charset=utf-8");
        }
        request_.body = std::move(body);
        auto response = http_request(request_);
        Outcome outcome;
        if (!response) {
            outcome.no_route = network_unreachable(response.error());
            outcome.again = response.error().kind != ErrorKind::kUsage;
            outcome.said = fmt::format("{}: {}", what, response.error().message);
            return {std::string(), outcome};
        }
        outcome.done = response->status == 200 || response->status == 201;
        outcome.no_json =
            response->status == 404 || response->status == 405 || response->status == 501;
        outcome.again = response->status >= 500 || response->status == 429 ||
                        response->status == 404 || response->status == 410;
        outcome.said = fmt::format("{}: http {}", what, response->status);
        return {std::move(response->body), outcome};
    }

    HttpRequest request_;
};

}  // namespace

Result<GoalState> parse_goal_state(std::string_view text) {
    const XmlNode root = TARN_TRY(parse_xml("goal state", text));
    if (root.name != "goalstate") {
        return fail(ErrorKind::kCorrupt, "goal state: the document is not a <GoalState>");
    }
    GoalState goal;
    goal.incarnation = root.text_of("incarnation");
    const XmlNode* container = root.child("container");
    const XmlNode* instance = below(below(container, "roleinstancelist"), "roleinstance");
    goal.container_id = container == nullptr ? "" : container->text_of("containerid");
    goal.instance_id = instance == nullptr ? "" : instance->text_of("instanceid");
    const std::pair<const char*, const std::string*> members[] = {
        {"Incarnation", &goal.incarnation},
        {"ContainerId", &goal.container_id},
        {"InstanceId", &goal.instance_id}};
    for (const auto& [name, value] : members) {
        if (value->empty()) {
            return fail(ErrorKind::kCorrupt, "goal state: there is no <{}>", name);
        }
    }
    return goal;
}

std::string health_xml(const GoalState& goal, const Health& health) {
    std::string state = "<State>Ready</State>";
    if (!health.ready) {
        state = fmt::format(
            "<State>NotReady</State><Details><SubStatus>ProvisioningFailed</SubStatus>"
            "<Description>{}</Description></Details>",
            escape_xml(cut_text(health.description, kHealthDescription)));
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
        "<Health xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">"
        "<GoalStateIncarnation>{}</GoalStateIncarnation>"
        "<Container><ContainerId>{}</ContainerId><RoleInstanceList><Role><InstanceId>{}</"
        "InstanceId>"
        "<Health>{}</Health></Role></RoleInstanceList></Container></Health>",
        escape_xml(goal.incarnation),
        escape_xml(goal.container_id),
        escape_xml(goal.instance_id),
        state);
}

std::string health_json(const Health& health) {
    nlohmann::json body = {{"state", health.ready ? "Ready" : "NotReady"}};
    if (!health.ready) {
        body["details"] = {
            {"subStatus", "ProvisioningFailed"},
            {"description", std::string(cut_text(health.description, kHealthDescription))}};
    }
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<void> report_health(const Endpoint& server,
                           const Health& health,
                           const HealthPolicy& policy,
                           const std::string& source_address,
                           const std::function<void(const std::string&)>& tries) {
    Wireserver wireserver(server, policy, source_address);
    const Clock::time_point end = Clock::now() + policy.total;
    std::optional<Clock::time_point> no_route_since;
    bool json = policy.json;
    auto pause = policy.pause;
    for (unsigned count = 1;; ++count) {
        const Clock::time_point begin = Clock::now();
        const Outcome outcome = json ? wireserver.json(health) : wireserver.xml(health);
        if (tries) {
            tries(outcome.said);
        }
        if (outcome.done) {
            return {};
        }
        if (json && outcome.no_json) {
            json = false;
            continue;
        }
        if (!outcome.no_route) {
            no_route_since.reset();
        } else if (!no_route_since) {
            no_route_since = begin;
        }
        const Clock::time_point next = Clock::now() + pause;
        if (!outcome.again || next >= end ||
            (no_route_since && next >= *no_route_since + policy.without_route)) {
            return fail(ErrorKind::kNetwork,
                        "wireserver {}: {} ({} {})",
                        server.address,
                        outcome.said,
                        count,
                        count == 1 ? "try" : "tries");
        }
        ::poll(nullptr, 0, static_cast<int>(pause.count()));
        pause = std::min(pause * 2, policy.longest_pause);
    }
}

}  // namespace tarn::guest
