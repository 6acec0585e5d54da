// SPDX-License-Identifier: MIT
// File capabilities as the kernel keeps them in security.capability: struct vfs_cap_data revision 2
// of linux/capability.h, from the text form of cap_from_text(3).
#include "base/strings.hh"
#include "import/detail/files.hh"

#include <linux/capability.h>

#include <array>
#include <optional>

namespace tarn::import {

namespace {

// By number.
constexpr std::array<std::string_view, 41> kNames{"chown",
                                                  "dac_override",
                                                  "dac_read_search",
                                                  "fowner",
                                                  "fsetid",
                                                  "kill",
                                                  "setgid",
                                                  "setuid",
                                                  "setpcap",
                                                  "linux_immutable",
                                                  "net_bind_service",
                                                  "net_broadcast",
                                                  "net_admin",
                                                  "net_raw",
                                                  "ipc_lock",
                                                  "ipc_owner",
                                                  "sys_module",
                                                  "sys_rawio",
                                                  "sys_chroot",
                                                  "sys_ptrace",
                                                  "sys_pacct",
                                                  "sys_admin",
                                                  "sys_boot",
                                                  "sys_nice",
                                                  "sys_resource",
                                                  "sys_time",
                                                  "sys_tty_config",
                                                  "mknod",
                                                  "lease",
                                                  "audit_write",
                                                  "audit_control",
                                                  "setfcap",
                                                  "mac_override",
                                                  "mac_admin",
                                                  "syslog",
                                                  "wake_alarm",
                                                  "block_suspend",
                                                  "audit_read",
                                                  "perfmon",
                                                  "bpf",
                                                  "checkpoint_restore"};

std::optional<std::uint64_t> bit_of(std::string_view name) {
    if (!name.starts_with("cap_")) {
        return std::nullopt;
    }
    name.remove_prefix(4);
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) {
            return std::uint64_t{1} << i;
        }
    }
    return std::nullopt;
}

struct Sets {
    std::uint64_t permitted = 0, inheritable = 0;
    bool effective = false;
};

// One "cap_a,cap_b=ep".
bool add_clause(std::string_view clause, Sets& sets) {
    const std::size_t at = clause.find_first_of("=+");
    if (at == std::string_view::npos || at + 1 == clause.size()) {
        return false;
    }
    std::uint64_t bits = 0;
    for (const std::string_view name : split(clause.substr(0, at), ',')) {
        const auto bit = bit_of(to_lower(name));
        if (!bit) {
            return false;
        }
        bits |= *bit;
    }
    for (const char flag : clause.substr(at + 1)) {
        switch (flag) {
            case 'e':
                sets.effective = true;
                break;
            case 'p':
                sets.permitted |= bits;
                break;
            case 'i':
                sets.inheritable |= bits;
                break;
            default:
                return false;
        }
    }
    return true;
}

void put32(std::string& out, std::uint64_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>(static_cast<unsigned char>((value >> shift) & 0xff));
    }
}

}  // namespace

std::optional<std::string> capability_bytes(std::string_view text) {
    Sets sets;
    const std::vector<std::string_view> clauses = split_words(text);
    for (const std::string_view clause : clauses) {
        if (!add_clause(clause, sets)) {
            return std::nullopt;
        }
    }
    if (clauses.empty()) {
        return std::nullopt;
    }
    std::string out;
    put32(out, VFS_CAP_REVISION_2 | (sets.effective ? VFS_CAP_FLAGS_EFFECTIVE : 0u));
    put32(out, sets.permitted);
    put32(out, sets.inheritable);
    put32(out, sets.permitted >> 32);
    put32(out, sets.inheritable >> 32);
    return out;
}

}  // namespace tarn::import
