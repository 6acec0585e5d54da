// SPDX-License-Identifier: MIT
// What a machine is told about itself when it boots: the emulated platform's instance, its medium
// and a key to log in with.
#pragma once

#include "base/process.hh"
#include "emulator/scenario.hh"
#include "emulator/ssh_key.hh"
#include "vm/vm.hh"

#include <optional>
#include <string>
#include <vector>

namespace tarn::vm {

// The chassis of every machine of the platform says so.
inline constexpr const char* kAssetTag = "7783-7084-3265-9085-8269-3286-77";

struct Provisioning {
    emulator::Instance instance;
    emulator::SshKey key;
    std::string key_file;  // the private half: 0600, in the working directory
    std::string medium;    // path; empty: there is none
    std::string log;       // what the emulator writes: one JSON object a line
    Command emulator;      // to be started in the machine's namespace
};
// nullopt when the request wants none. `scratch` is private to this run. kUsage for a scenario that
// is not of one machine.
Result<std::optional<Provisioning>> prepare_provisioning(const BootRequest& request,
                                                         const std::string& scratch,
                                                         const std::string& program);

// Of its network cards, as QEMU takes them.
std::vector<std::string> macs_of(const emulator::Instance& instance);

// Waits until the emulator listens.
Result<void> wait_for_emulator(const std::string& log);

// What the platform was told, out of the emulator's log.
struct Told {
    bool ready = false;
    double at = 0;     // seconds since 1970, of the first Ready
    std::string last;  // "Ready by tarn-provision/1", "NotReady: ProvisioningFailed: why"
};
Told parse_told(std::string_view log);

}  // namespace tarn::vm
