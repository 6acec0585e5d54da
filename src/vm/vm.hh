// SPDX-License-Identifier: MIT
// Booting an image under QEMU with OVMF in a network namespace of its own, by hand or as a test.
// The image is never written: QEMU works on a throw-away overlay.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "project/model.hh"

namespace tarn {

enum class Accelerator { kKvm, kTcg };
struct AcceleratorProbe {
    Accelerator accelerator = Accelerator::kTcg;
    std::string why;  // "KVM present but unusable: guest probe timed out"
};
// Runs a real tiny guest with a time limit before trusting /dev/kvm. Another architecture than this
// machine's is emulated.
AcceleratorProbe probe_accelerator(const std::string& architecture = "x86_64");

struct BootRequest {
    std::string disk;          // raw image
    std::string manifest;      // path of manifest.json
    const Image* image = nullptr;
    std::string architecture = "x86_64";
    // Certificate file: the machine trusts boot programs of its key alone. Empty: of anyone.
    std::string secure_boot_certificate{};
    std::string repository;    // published snapshot served to the guest
    std::string work_dir;      // logs, report.json
    bool metadata = true;      // the machine finds an emulated platform: `tarn vm metadata`
    std::string metadata_file{};  // scenario of one instance; empty: one that is made up
    unsigned memory_mib = 2048;
    unsigned cpus = 2;
    unsigned timeout_seconds = 600;
    std::stop_token stop{};
};

struct BootCheck {
    std::string name;
    bool passed = false;
    bool skipped = false;
    std::string detail;  // what was seen, or why it was skipped
};
struct BootPhase {
    std::string name;  // firmware, kernel, initrd, userspace
    double seconds = 0;
};
struct BootReport {
    AcceleratorProbe accelerator;
    std::vector<BootPhase> phases;
    double ready_seconds = 0;  // power-on to ready
    double provisioned_seconds = 0;  // power-on to the report of Ready to the platform; 0: none came
    std::vector<BootCheck> checks;
    std::string console_log;   // path
    std::string to_json() const;
    bool passed() const;
};
Result<BootReport> boot_test(const BootRequest& request, Reporter& reporter);
// Console on this terminal (Ctrl-A X leaves), root logged in without a password by a credential
// that only this boot gets.
Result<int> boot_interactive(const BootRequest& request, Reporter& reporter);

}  // namespace tarn
