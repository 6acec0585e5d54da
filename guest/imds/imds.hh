// SPDX-License-Identifier: MIT
// The instance metadata service of Azure: its rules for callers, and the instance document.
// Source: learn.microsoft.com "Azure Instance Metadata Service"; every primitive is a JSON string.
#pragma once

#include "base/result.hh"

#include "http/client.hh"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

inline constexpr const char* kImdsAddress = "169.254.169.254";
inline constexpr const char* kWireserverAddress = "168.63.129.16";
inline constexpr const char* kInstanceTarget =
    "/metadata/instance?api-version=2023-11-15&extended=true";
// What is asked when the service answers 400 to the version above.
inline constexpr const char* kInstanceTargetOlder = "/metadata/instance?api-version=2019-06-01";

// What to do after an attempt, by status; a failed connection is status 0.
//   400 one older version, then final; 404 408 0 429 5xx again; 410 again, for up to
//   70 s; any other is final.
enum class Verdict { kDone, kAgain, kOlderVersion, kFinal };
Verdict judge(int status);

struct RetryPolicy {
    std::chrono::milliseconds total{300'000};
    std::chrono::milliseconds first_try{2000}, later_tries{5000};     // timeout of one attempt
    std::chrono::milliseconds first_pause{100}, longest_pause{2000};  // doubles, with jitter
    std::chrono::milliseconds after_5xx{1000};                        // at least
    std::chrono::milliseconds gone{70'000};                           // how long 410 is believed
    // No route to the link-local address yet: how long to go on all the same.
    std::chrono::milliseconds without_route{30'000};
};

// GET with "Metadata: true" and a fresh x-ms-client-request-id, until an answer of 200, a final one
// or the end of the policy's time. The error names the URL, the last status and what to look at.
// `tries`, when given, is told of each attempt ("http 500 after 12 ms"), for the log.
Result<std::string> imds_get(const Endpoint& server,
                             const std::string& target,
                             const std::string& older_target,
                             const RetryPolicy& policy,
                             const std::string& source_address = {},
                             const std::function<void(const std::string&)>& tries = {});

struct IpAddress {
    std::string address;
    unsigned prefix = 0;  // of its subnet; 24 (IPv4) or 128 (IPv6) when the service does not say
};
struct Nic {
    std::string mac;                    // "00:0d:3a:11:22:33"
    std::vector<IpAddress> ipv4, ipv6;  // the first of a family comes by DHCP, others are static
};
struct InstanceDocument {
    std::string vm_id, name, location, environment, vm_size, scale_set, zone, fault_domain,
        priority;
    std::string admin_user, computer_name;
    bool disable_password_authentication = true;
    std::vector<std::string> public_keys;  // as given: may hold CRLF, or no OpenSSH key at all
    std::string user_data;                 // decoded
    bool has_custom_data = false;
    std::string pps_type;  // "None" or a kind of pre-provisioned pool
    std::string secure_boot_enabled, virtual_tpm_enabled;  // "true", "false", ""
    std::map<std::string, std::string> tags;
    std::vector<Nic> nics;
};
// kCorrupt with the JSON path that is wrong ("network.interface[1].macAddress"). Unknown members
// are ignored; limits: 4 MiB, depth 32, 64 NICs, 512 addresses each.
Result<InstanceDocument> parse_instance(std::string_view json);

}  // namespace tarn::guest
