// SPDX-License-Identifier: MIT
// The QEMU command line, and the namespace a machine lives in.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/process.hh"
#include "emulator/network.hh"
#include "vm/vm.hh"

namespace tarn::vm {

struct Firmware {
    std::string code, variables;
};
// Secure Boot wants firmware that keeps its variables out of the system's reach: SMM on x86. For
// aarch64 there is none that does; it checks signatures all the same.
Result<Firmware> find_firmware(bool secure_boot, const std::string& architecture = "x86_64");
// The guest's device for what it finds out: a second serial port where the machine has one.
std::string results_port(const std::string& architecture);

struct Machine {
    std::string architecture = "x86_64";
    std::string disk;
    std::string variables;  // a private copy of the firmware's variable store
    bool secure_boot = false;
    unsigned memory_mib = 2048;
    unsigned cpus = 2;
    Accelerator accelerator = Accelerator::kTcg;
    // systemd credentials handed over through SMBIOS: name -> bytes. This boot gets them, the
    // image never has them.
    std::map<std::string, std::string> credentials;
    // chardev arguments of the first and second serial port: "stdio", "file,path=..."
    std::string console = "stdio";
    std::string results{};  // empty: no second port
    std::string uuid{};     // of the machine; empty: QEMU's own
    std::string asset_tag{};  // of its chassis
    std::vector<std::string> macs{};  // "00:0d:3a:..." of its network cards; empty: one, QEMU's
    std::string medium{};     // a file in its CD drive; empty: it has no drive
};
std::vector<std::string> qemu_command(const Machine& machine, const Firmware& firmware);

// A network namespace with nothing in it but its own loopback, which has the addresses of the
// platform's servers. The first child started in it makes
// it; later ones join. No packet of a guest can leave it.
class PrivateNetwork {
  public:
    // `serve` runs in the new namespace: its pid keeps the namespace alive.
    static Result<PrivateNetwork> make(Command serve);
    // Makes `command` start inside.
    void enter(Command& command) const;

  private:
    explicit PrivateNetwork(Child child) : child_(std::move(child)) {}
    Child child_;
};

// Doubles commas, as QEMU options want.
std::string option_value(std::string_view text);

}  // namespace tarn::vm
