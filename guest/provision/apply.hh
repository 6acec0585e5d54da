// SPDX-License-Identifier: MIT
// Makes a machine what its settings say. Every step can be done again after a kill and ends in the
// same state; what is done once per instance is remembered by the caller (see state.hh).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "provision/machine.hh"
#include "provision/settings.hh"

namespace tarn::guest {

// When a step may run.
enum class Phase {
    kEarly,     // before the network is configured: hostname, accounts, keys, files, disks
    kWorkload,  // after the machine is reported ready: packages, commands, scripts
};
struct Step {
    std::string name;      // "hostname", "user:ops", "write-file:0:/etc/motd", "runcmd"; stable
    Phase phase = Phase::kEarly;
    bool every_boot = false;  // else once per instance
    std::function<Result<void>(const Machine&)> run;
    // What the machine's owner asked for beyond base provisioning. When it fails, the steps behind it
    // run all the same: the machine is reported ready, and its workload failed.
    bool from_payload = false;
    // What it depends on, without secrets: a step that was done with other inputs is done again
    // (keys that only the metadata service knew). Empty: the name says all.
    std::string inputs{};
};

// What the payload turned out to be.
enum class PayloadKind { kNone, kNative, kCloudInit };
struct Plan {
    std::vector<Step> steps;  // in order
    PayloadKind payload = PayloadKind::kNone;
    // kCloudInit: "user-data:12:3: `lxd` is no key that is applied natively"; the steps then do base
    // provisioning only, and the last one hands the whole document to cloud-init when the machine
    // has it. Without it planning fails with the same words: nothing is applied in part.
    std::string why_cloud_init;
    std::vector<std::string> notes;  // for the log: a payload that is none, ...
};
// Reads the payload as a whole before there is any step. Errors are the document's: line and
// column, what was expected, "did you mean". `machine` is only asked what there is.
Result<Plan> plan(const Settings& settings, const Machine& machine);
// The same with other programs, for tests.
struct Tools;
Result<Plan> plan_with(const Tools& tools, const Settings& settings, const Machine& machine);

}  // namespace tarn::guest
