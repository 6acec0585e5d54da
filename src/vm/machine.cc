// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "base/base64.hh"
#include "base/fs.hh"
#include "vm/detail/machine.hh"

namespace tarn::vm {

namespace {

Result<Firmware> find_pair(std::initializer_list<Firmware> pairs, const char* package) {
    for (const Firmware& pair : pairs) {
        if (path_exists(pair.code) && path_exists(pair.variables)) {
            return pair;
        }
    }
    return fail(error(ErrorKind::kNotFound,
                      "there is no {} on this machine",
                      pairs.begin()->code)
                    .advise(fmt::format("install the package {}", package)));
}

}  // namespace

Result<Firmware> find_firmware(bool secure_boot, const std::string& architecture) {
    if (architecture == "aarch64") {
        // One build for both: it checks signatures once keys are enrolled.
        return find_pair({{"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"}},
                         "qemu-efi-aarch64");
    }
    if (secure_boot) {
        return find_pair(
            {{"/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"}},
            "ovmf");
    }
    return find_pair({{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
                      {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"}},
                     "ovmf");
}

std::string results_port(const std::string& architecture) {
    return architecture == "aarch64" ? "/dev/virtio-ports/tarn.results" : "/dev/ttyS1";
}

std::string option_value(std::string_view text) {
    // QEMU's own escape: a comma ends a value, two are one.
    std::string out;
    for (const char c : text) {
        out.append(c == ',' ? 2 : 1, c);
    }
    return out;
}

namespace {

// A network of QEMU's user mode for each card.
std::vector<std::string> network_options(const Machine& machine) {
    if (machine.macs.empty()) {
        return {"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="};
    }
    std::vector<std::string> argv;
    for (std::size_t i = 0; i < machine.macs.size(); ++i) {
        argv.insert(argv.end(),
                    {"-netdev",
                     fmt::format("user,id=net{},net=10.0.{}.0/24", i, i + 2),
                     "-device",
                     fmt::format("virtio-net-pci,netdev=net{},mac={},romfile=", i, machine.macs[i])});
    }
    return argv;
}

// What tells the machine who it is.
std::vector<std::string> platform_options(const Machine& machine) {
    std::vector<std::string> argv;
    if (!machine.uuid.empty()) {
        argv.insert(argv.end(), {"-uuid", machine.uuid});
    }
    if (!machine.asset_tag.empty()) {
        argv.insert(argv.end(), {"-smbios", "type=3,asset=" + machine.asset_tag});
    }
    if (!machine.medium.empty()) {
        const bool arm = machine.architecture == "aarch64";
        argv.insert(argv.end(), {"-drive", "if=none,id=medium,format=raw,readonly=on,file=" +
                                               option_value(machine.medium)});
        if (arm) {
            argv.insert(argv.end(), {"-device", "virtio-scsi-pci"});
        }
        argv.insert(argv.end(), {"-device", arm ? "scsi-cd,drive=medium" : "ide-cd,drive=medium"});
    }
    return argv;
}

}  // namespace

std::vector<std::string> qemu_command(const Machine& machine, const Firmware& firmware) {
    const bool arm = machine.architecture == "aarch64";
    std::vector<std::string> argv = {"qemu-system-" + machine.architecture,
                                     "-nodefaults",
                                     "-no-user-config",
                                     "-display",
                                     "none",
                                     "-no-reboot"};
    const auto add = [&](std::string option, std::string value) {
        argv.push_back(std::move(option));
        argv.push_back(std::move(value));
    };
    const bool kvm = machine.accelerator == Accelerator::kKvm;
    if (arm) {
        add("-machine", "virt");
    } else if (machine.secure_boot) {
        add("-machine", "q35,smm=on,hpet=off");
        add("-global", "driver=cfi.pflash01,property=secure,value=on");
        add("-global", "ICH9-LPC.disable_s3=1");
    } else {
        add("-machine", "q35,smm=off,hpet=off");
    }
    add("-accel", kvm ? "kvm" : "tcg,thread=multi");
    // A real one: `max` has what takes long to emulate (pointer authentication).
    add("-cpu", kvm ? "host" : arm ? "cortex-a72" : "max");
    add("-smp", std::to_string(machine.cpus));
    add("-m", std::to_string(machine.memory_mib));
    add("-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + option_value(firmware.code));
    add("-drive", "if=pflash,format=raw,unit=1,file=" + option_value(machine.variables));
    // Writes go to an anonymous temporary file: the image stays as it is.
    add("-drive", "if=none,id=disk,format=raw,snapshot=on,discard=unmap,file=" + option_value(machine.disk));
    add("-device", "nvme,drive=disk,serial=tarn,bootindex=0");
    for (std::string& option : network_options(machine)) {
        argv.push_back(std::move(option));
    }
    add("-device", "virtio-rng-pci");
    for (std::string& option : platform_options(machine)) {
        argv.push_back(std::move(option));
    }
    add("-chardev", machine.console + ",id=console");
    add("-serial", "chardev:console");
    if (!machine.results.empty()) {
        add("-chardev", machine.results + ",id=results");
        if (arm) {  // the board has one serial port
            add("-device", "virtio-serial-pci");
            add("-device", "virtserialport,chardev=results,name=tarn.results");
        } else {
            add("-serial", "chardev:results");
        }
    }
    for (const auto& [name, bytes] : machine.credentials) {
        add("-smbios", "type=11,value=io.systemd.credential.binary:" + name + "=" + base64(bytes));
    }
    return argv;
}

Result<PrivateNetwork> PrivateNetwork::make(Command serve) {
    serve.before_exec = [parent = ::getpid()] {
        const int problem = emulator::unshare_network();
        return problem != 0 ? problem : emulator::end_with_parent(parent);
    };
    auto child = Child::start(serve);
    if (!child) {
        return fail(std::move(child.error())
                        .context("cannot make a network namespace")
                        .advise("user namespaces must be permitted, or run as root"));
    }
    return PrivateNetwork(std::move(*child));
}

void PrivateNetwork::enter(Command& command) const {
    emulator::enter_network_of(command, child_.pid());
}

}  // namespace tarn::vm
