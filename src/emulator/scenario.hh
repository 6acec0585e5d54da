// SPDX-License-Identifier: MIT
// What the emulated platform is: its instances, and what goes wrong on it. Declared in TOML
// (docs/formats/emulator.md) or generated; what is not said has a value that works.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::emulator {

struct Nic {
    std::string mac;  // 12 upper-case hex digits, as the service writes them
    std::string address, public_address;
    std::vector<std::string> secondary;  // further IPv4 addresses
    std::vector<std::string> ipv6;
    std::string subnet = "10.0.0.0";
    unsigned prefix = 24;
};

struct Identity {  // a user-assigned one
    std::string client_id, object_id, resource_id;
};

enum class MediaKind { kNone, kUdf, kIso };

struct Instance {
    std::string name;    // in the scenario and in the document
    std::string source;  // IPv4 address its connections come from; empty: any
    std::string vm_id;   // lower case
    std::string computer_name, admin_user = "ops";
    std::string password;  // only on the media
    bool disable_password_authentication = true;
    std::vector<std::string> ssh_keys;
    std::string custom_data, user_data;  // plain bytes
    std::string location = "emulated", zone, fault_domain = "0", vm_size = "Standard_D2s_v5";
    std::string scale_set, priority = "Regular";
    std::string pps_type = "None";
    bool secure_boot = false, virtual_tpm = false;
    std::map<std::string, std::string> tags;
    std::vector<Nic> nics;  // empty: one is made up
    bool system_identity = true;
    std::vector<Identity> identities;
    MediaKind media = MediaKind::kUdf;
};

// What is done to a request that matches. Several faults may match one request: all of them act;
// of two statuses the first stands.
struct Fault {
    std::string path = "**";      // glob over the path of the request
    std::string instance = "**";  // glob over the instance's name
    // Which of an instance's matching requests, from 1: `first` to `last` (0: no end), of these
    // every `every`th, of these a `share`, chosen by the seed.
    std::uint64_t first = 1, last = 0, every = 1;
    double share = 1;

    unsigned latency_ms = 0;
    int status = 0;                          // 0: as it is
    bool drop = false;                       // the connection is reset before there is an answer
    std::optional<std::uint64_t> cut_after;  // bytes of the answer, then the connection ends
    bool garbage = false;                    // an answer that is no HTTP
    unsigned slow_pause_ms = 0, slow_piece = 64;  // the answer comes in such pieces
    // Of the attested document: wrong-name, untrusted, expired, wrong-nonce, wrong-vm-id, altered.
    std::string certificate;
    bool reorder_nics = false;
    std::map<std::string, std::string> set;  // "compute/vmId" -> value: the document says this
};

// A scheduled event. Times are the platform's; see Scenario::compression.
struct Event {
    std::string id;                // upper-case UUID; empty: made up
    std::string type = "Reboot";   // Freeze, Reboot, Redeploy, Preempt, Terminate
    std::string instances = "**";  // glob: those it is about
    double after_seconds = 0;      // since scheduled events were switched on
    double notice_seconds = 900;   // 0: it comes as Started, with an empty NotBefore
    double lasts_seconds = 300;    // how long it is Started
    std::string description = "host servicing";
};

struct Scenario {
    std::vector<Instance> instances;
    std::vector<Fault> faults;
    std::vector<Event> events;
    bool rate_limits = true;
    // How much faster than the platform's clock the emulated one goes where waiting is all it does:
    // the two minutes until scheduled events are on, notices, durations.
    double compression = 100;
    unsigned token_seconds = 86400;
    std::uint64_t seed = 1;

    // kUsage with places. `directory` is where files that are named lie.
    static Result<Scenario> parse(std::string text,
                                  const std::string& shown,
                                  const std::string& directory);
    static Result<Scenario> read(const std::string& path);
    // `count` instances "node-1", ...; their sources are the addresses of `subnet` from its second
    // on. kUsage when it does not hold them. One instance without a subnet is any caller.
    static Result<Scenario> generated(std::size_t count,
                                      const std::string& subnet,
                                      const Instance& like = {});
};

// Fills in what is not said: identifiers and addresses follow from the name and are always the
// same. `number` counts from 0.
void complete(Instance& instance, std::size_t number);

// "10.7.0.0/16" -> host order. nullopt when it is none.
struct Subnet {
    std::uint32_t first = 0;
    unsigned prefix = 32;
    static std::optional<Subnet> parse(std::string_view text);
    std::uint64_t size() const { return 1ULL << (32 - prefix); }
};
std::optional<std::uint32_t> parse_ipv4(std::string_view text);  // host order
std::string ipv4_text(std::uint32_t address);

}  // namespace tarn::emulator
