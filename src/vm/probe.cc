// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "vm/vm.hh"

namespace tarn {

namespace {

// A boot sector that leaves real mode, runs a loop in protected mode and asks QEMU's debug-exit
// device to end: exit code 85 = (0x2a << 1) | 1. An accelerator that cannot do that much hangs or
// aborts here and not in a kernel.
std::string probe_sector() {
    static constexpr unsigned char kCode[] = {
        0xfa,                                      // cli
        0x31, 0xc0, 0x8e, 0xd8,                    // xor ax,ax; mov ds,ax
        0x0f, 0x01, 0x16, 0x40, 0x7c,              // lgdt [0x7c40]
        0x0f, 0x20, 0xc0, 0x66, 0x83, 0xc8, 0x01,  // mov eax,cr0; or eax,1
        0x0f, 0x22, 0xc0,                          // mov cr0,eax
        0xea, 0x19, 0x7c, 0x08, 0x00,              // jmp 8:0x7c19
        // 32-bit code at 0x7c19
        0xb9, 0x00, 0x00, 0x10, 0x00,  // mov ecx,0x100000
        0x49, 0x75, 0xfd,              // 1: dec ecx; jnz 1b
        0xb0, 0x2a,                    // mov al,0x2a
        0x66, 0xba, 0xf4, 0x00,        // mov dx,0xf4
        0xee,                          // out dx,al
        0xf4, 0xeb, 0xfd,              // 2: hlt; jmp 2b
    };
    static constexpr unsigned char kTables[] = {
        // 0x7c40: limit, base of the table at 0x7c48
        0x17, 0x00, 0x48, 0x7c, 0x00, 0x00, 0x00, 0x00,
        // null, code, data
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xcf, 0x00,
        0xff, 0xff, 0x00, 0x00, 0x00, 0x92, 0xcf, 0x00,
    };
    std::string sector(512, '\0');
    std::copy(std::begin(kCode), std::end(kCode), sector.begin());
    std::copy(std::begin(kTables), std::end(kTables), sector.begin() + 0x40);
    sector[510] = '\x55';
    sector[511] = '\xaa';
    return sector;
}

}  // namespace

AcceleratorProbe probe_accelerator(const std::string& architecture) {
    const auto tcg = [](std::string why) { return AcceleratorProbe{Accelerator::kTcg, std::move(why)}; };
#if defined(__x86_64__)
    const bool own = architecture == "x86_64";
#else
    const bool own = false;  // the probe is a program for x86
#endif
    if (!own) {
        return tcg(fmt::format("{} is emulated here", architecture));
    }
    if (!path_exists("/dev/kvm")) {
        return tcg("there is no /dev/kvm");
    }
    if (::access("/dev/kvm", R_OK | W_OK) != 0) {
        return tcg("/dev/kvm may not be used by this user");
    }
    auto directory = TempDir::make();
    if (!directory) {
        return tcg(directory.error().message);
    }
    const std::string sector = directory->path() + "/probe.img";
    if (auto written = write_file_atomic(sector, probe_sector()); !written) {
        return tcg(written.error().message);
    }
    Command command;
    command.argv = {"qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
                    "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "64",
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
                    "-drive", "format=raw,if=ide,snapshot=on,file=" + sector};
    command.timeout = std::chrono::seconds(10);
    const auto result = run(command);
    if (!result) {
        return tcg(result.error().message);
    }
    if (result->timed_out) {
        return tcg("KVM present but unusable: guest probe timed out");
    }
    if (result->exit_code != 85) {
        return tcg(fmt::format("KVM present but unusable: guest probe ended with {}: {}",
                               result->exit_code,
                               trim(result->errors.substr(0, result->errors.find('\n')))));
    }
    return {Accelerator::kKvm, "KVM works"};
}

}  // namespace tarn
