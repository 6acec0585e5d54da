// SPDX-License-Identifier: MIT
// Telling Azure's wireserver that the machine is ready, or why it is not: goal state and health in
// XML, or the newer JSON endpoint.
#pragma once

#include "base/result.hh"

#include "http/client.hh"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace tarn::guest {

struct GoalState {
    std::string incarnation, container_id, instance_id;
};
// kCorrupt: no XML, or one of the three is missing.
Result<GoalState> parse_goal_state(std::string_view xml);

struct Health {
    bool ready = false;
    std::string description;  // of a failure; 512 characters of it are sent
};
std::string health_xml(const GoalState& goal, const Health& health);
std::string health_json(const Health& health);

struct HealthPolicy {
    std::chrono::milliseconds total{1'200'000};
    std::chrono::milliseconds connect{5000}, attempt{60'000};
    std::chrono::milliseconds pause{1000}, longest_pause{5000};
    // No route at all: the network is not there, and this is not how it comes.
    std::chrono::milliseconds without_route{30'000};
    bool json = false;  // the JSON endpoint first; XML when it is not there
};
// Until it is taken (200, 201) or the policy's time is over. kNetwork.
Result<void> report_health(const Endpoint& wireserver,
                           const Health& health,
                           const HealthPolicy& policy,
                           const std::string& source_address = {},
                           const std::function<void(const std::string&)>& tries = {});

}  // namespace tarn::guest
