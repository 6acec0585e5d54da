// SPDX-License-Identifier: MIT
// The kernel command line (Documentation/admin-guide/kernel-parameters.rst), as far as an initrd
// has to obey it. Later words win.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::initrd {

enum class RootKind { kNone, kPartUuid, kPartLabel, kUuid, kLabel, kDevice };

struct RootSpec {
    RootKind kind = RootKind::kNone;
    std::string value;  // UUIDs in lower case; kDevice: "/dev/..."
    std::string text;   // as written, for messages
};

struct CommandLine {
    RootSpec root;
    std::string filesystem;   // rootfstype=
    std::string flags;        // rootflags=
    bool read_write = false;  // rw; ro is the kernel's default
    std::string init;         // init=
    long root_wait = 30;      // seconds: rootdelay= when that is longer; -1 with rootwait: for ever
    long panic = 0;           // panic=
    bool quiet = false;
    std::string root_hash;  // roothash=, lower case: the root is verified by dm-verity
    RootSpec verity_data, verity_hash;  // systemd.verity_root_data=, systemd.verity_root_hash=
    // systemd.verity_root_options=
    std::string verity_options = "panic-on-corruption";
    bool shell_asked = false;  // rd.shell or rd.break: there is none
    // "module.parameter=value": module (with '_') -> "parameter=value"
    std::vector<std::pair<std::string, std::string>> module_parameters;
};

RootSpec parse_root(std::string_view value);
CommandLine parse_command_line(std::string_view text);
// What finit_module is given for a module: its parameters, separated by blanks.
std::string parameters_of(const CommandLine& command_line, std::string_view module);

}  // namespace tarn::initrd
