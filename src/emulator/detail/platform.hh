// SPDX-License-Identifier: MIT
// What the platform knows and answers, without any socket: a request of an instance at a time in,
// an answer and how it is to be spoilt out.
#pragma once

#include "emulator/detail/authority.hh"
#include "emulator/detail/events.hh"
#include "emulator/detail/http.hh"
#include "emulator/server.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tarn::emulator {

// What the faults of a scenario do to one answer.
struct Effect {
    double delay = 0;  // seconds
    int status = 0;
    bool drop = false, garbage = false, reorder_nics = false;
    std::optional<std::uint64_t> cut_after;
    double slow_pause = 0;
    unsigned slow_piece = 64;
    std::string certificate;
    std::map<std::string, std::string> set;
    bool any = false;
};

// So many at once, then so many a second.
class Bucket {
  public:
    bool take(double now, double rate);

  private:
    double level_ = 0, at_ = 0;
    bool used_ = false;
};

struct InstanceState {
    const Instance* instance = nullptr;
    std::uint64_t requests = 0, throttled = 0, faulted = 0, refused = 0;
    Bucket general, identity;
    unsigned identity_running = 0;
    std::vector<std::uint64_t> fault_counts;
    std::vector<HealthReport> health;
    std::map<std::string, std::uint64_t> by_path;  // of the platform's own paths
    struct Token {
        double made = 0;
        std::string body_head;  // up to the number of seconds it is good for
        std::int64_t expires = 0;
        std::string access;
    };
    std::map<std::string, Token> tokens;
};

struct Spoken {
    Answer answer;
    Effect effect;
    double at = 0;  // not before
    // To be told to `finished` when the answer is out or the connection gone.
    InstanceState* identity = nullptr;
};

class Platform {
  public:
    using Say = std::function<void(const std::string&)>;
    // `scenario` outlives it.
    Platform(const Scenario& scenario, Authority authority, Say on_event, Say on_request);

    Spoken speak(const Request& request, Role role, std::uint32_t source, double now);
    static void finished(InstanceState* identity) { --identity->identity_running; }
    const Authority& authority() const { return authority_; }

  private:
    struct Turn {  // of one request
        const Request& request;
        InstanceState& state;
        Effect& effect;
        double now, wall;
    };
    InstanceState* find(std::uint32_t source);
    Effect faults(InstanceState& state, const std::string& path);
    Answer control(const Request& request, Role role) const;
    Answer describe(const std::string& path) const;
    Spoken of_instance(const Request& request, Role role, InstanceState& state, double now);
    bool throttled(InstanceState& state, bool identity, double now) const;

    Answer metadata(const Turn& turn, Spoken& spoken);
    Answer metadata_of_version(const Turn& turn, const std::string& version, Spoken& spoken);
    Answer token(const Turn& turn);
    Result<const InstanceState::Token*> make_token(const Turn& turn,
                                                   const std::string& resource,
                                                   const Identity* identity);
    Answer attested(const Turn& turn);
    Answer scheduled_events(const Turn& turn, Spoken& spoken);

    Answer wireserver(const Turn& turn);
    Answer health_xml(const Turn& turn);
    Answer health_json(const Turn& turn);
    Answer goal_state(const Turn& turn) const;
    Answer record(const Turn& turn, HealthReport report);

    const Scenario& scenario_;
    Authority authority_;
    EventBook events_;
    Say on_event_, on_request_;
    std::vector<InstanceState> states_;
    std::unordered_map<std::uint32_t, std::size_t> by_source_;
    std::unordered_map<std::string, std::size_t> by_name_;
};

// Identifiers of an instance's container on its host, as the goal state has them.
std::string container_id(const Instance& instance);
std::string role_instance_id(const Instance& instance);

// The report in the XML of POST /machine?comp=health.
struct XmlHealth {
    std::string incarnation, container, instance;
    HealthReport report;
};
Result<XmlHealth> parse_health_xml(std::string_view xml);
// In the JSON of POST /provisioning/health.
Result<HealthReport> parse_health_json(std::string_view json);

}  // namespace tarn::emulator
