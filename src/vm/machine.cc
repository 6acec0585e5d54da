// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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
    add("-netdev", "user,id=net");
    add("-device", "virtio-net-pci,netdev=net,romfile=");
    add("-device", "virtio-rng-pci");
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

namespace {

int raise_loopback() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const int problem = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
    ::close(fd);
    return problem;
}

// The machine and its servers end with the program that started them, however that ends.
int end_with(pid_t parent) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        return errno;
    }
    return ::getppid() == parent ? 0 : ECANCELED;
}

// Between fork and exec: a namespace of our own. Without root, a user namespace gives the right.
int unshare_network() {
    const int flags = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
    return ::unshare(flags) == 0 ? raise_loopback() : errno;
}

int join(const char* user, const char* network) {
    if (user[0] != '\0') {
        const int fd = ::open(user, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || ::setns(fd, CLONE_NEWUSER) != 0) {
            return errno;
        }
    }
    const int fd = ::open(network, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && ::setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
}

}  // namespace

Result<PrivateNetwork> PrivateNetwork::make(Command serve) {
    serve.before_exec = [parent = ::getpid()] {
        const int problem = unshare_network();
        return problem != 0 ? problem : end_with(parent);
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
    const std::string base = fmt::format("/proc/{}/ns/", child_.pid());
    const std::string user = ::geteuid() == 0 ? "" : base + "user";
    command.before_exec = [user, network = base + "net", parent = ::getpid()] {
        const int problem = join(user.c_str(), network.c_str());
        return problem != 0 ? problem : end_with(parent);
    };
}

}  // namespace tarn::vm
