// SPDX-License-Identifier: MIT
// The platform's link-local servers: metadata (169.254.169.254) and wireserver (168.63.129.16), for
// every instance of a scenario, in one thread. Sources: learn.microsoft.com "Azure Instance
// Metadata Service", "Scheduled Events for Linux VMs", and what public agents send and expect.
#pragma once

#include "base/result.hh"
#include "emulator/scenario.hh"

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace tarn::emulator {

inline constexpr const char* kMetadataAddress = "169.254.169.254";
inline constexpr const char* kWireserverAddress = "168.63.129.16";

// What a listener answers; the control paths (/emulator/...) are answered by all but the platform's
// own two.
enum class Role { kAll, kMetadata, kWireserver };

struct Listener {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: a free one
    Role role = Role::kAll;
    static Result<Listener> parse(const std::string& text);  // "ADDRESS:PORT"
};

// What an instance has told about itself.
struct HealthReport {
    std::string state, substatus, description;
    std::string form;    // "xml" or "json"
    std::string agent;   // as it names itself
    double seconds = 0;  // since the server began
};

struct ServerOptions {
    Scenario scenario;
    std::vector<Listener> listeners;
    // One JSON object a line: {"event":"health",...}; see docs/formats/emulator.md.
    std::function<void(const std::string&)> on_event{};
    std::function<void(const std::string&)> on_request{};  // "web-3 GET /metadata/... 200"
};

class Server {
  public:
    // Keys are made and listeners bound: what connects from now on is served by run().
    static Result<Server> start(ServerOptions options);
    Server(Server&&) noexcept;
    ~Server();

    const std::vector<Listener>& listeners() const;  // with their real ports
    std::string root_certificate() const;            // PEM: who signs attested documents
    Result<void> run(const std::stop_token& stop);   // until stopped

  private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::emulator
