// SPDX-License-Identifier: MIT
// For tests: a machine of files that looks like one of Azure, a platform on loopback, and a plan
// whose steps write files.
#pragma once

#include "base/fs.hh"

#include "http/test_server.hh"
#include "provision/run.hh"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tarn::guest {

inline constexpr const char* kTestVmId = "0f0e0d0c-0b0a-4908-8706-050403020100";
inline constexpr const char* kTestKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ops";

// An ovf-env.xml; further elements of the configuration set and of the platform's settings.
std::string test_ovf(const std::string& more = {}, const std::string& platform = {});
std::string test_instance(const std::string& more_compute = {}, const std::string& extended = {});

// Answers both the metadata service's and the wireserver's requests.
class TestPlatform {
  public:
    TestPlatform() : server_([this](const SeenRequest& request) { return answer(request); }) {}
    Endpoint endpoint() const { return server_.endpoint(); }
    std::vector<std::string> health() const;  // bodies of the reports, in order
    std::vector<SeenRequest> seen() const { return server_.seen(); }

    // Set before requests come.
    std::string instance = test_instance();
    int instance_status = 200, goal_status = 200, health_status = 200, json_status = 404;
    std::string goal_state;  // empty: a good one

  private:
    TestServer::Answer answer(const SeenRequest& request);
    TestServer server_;
};

class TestMachine {
  public:
    TestMachine();
    const std::string& root() const { return dir_.path(); }
    Machine machine() const { return std::move(*Machine::open(root())); }
    void put(const std::string& path, const std::string& bytes) const;
    std::string get(const std::string& path) const;  // "" when there is none
    bool has(const std::string& path) const { return path_exists(root() + path); }

    void make_azure(const std::string& uuid = kTestVmId) const;
    void insert_media(const std::string& ovf) const;  // a UDF disc in /dev/sr0
    void eject_media() const;
    void give_lease() const;
    void reboot() const;         // what is of one boot is gone
    std::string report() const;  // what KVP says

  private:
    TempDir dir_;
};

// Steps: "hostname" (every boot early), "user:NAME", "host-keys", "payload" and the workload's
// "runcmd", each appending its name to /log and writing what it was told to /made/NAME.
Result<Plan> test_plan(const Settings& settings, const Machine& machine);

RunOptions test_options(const TestPlatform& platform);

}  // namespace tarn::guest
