// rooms: guest_baseline
// SPDX-License-Identifier: MIT
// mountinfo, fstab, sockets, accounts, PAM, sudoers and the kernel's answers, of any bytes.
#include "baseline/detail/netlink.hh"
#include "baseline/detail/parsers.hh"

#include <cstdint>

using namespace tarn::guest::baseline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    for (const Mount& mount : parse_mountinfo(text)) {
        mount_unit_name(mount.point);
    }
    for (const Mount& mount : parse_fstab(text)) {
        mount_unit_name(mount.point);
    }
    parse_sockets(text, "tcp");
    parse_sockets(text, "udp");
    parse_passwd(text);
    parse_shadow(text);
    parse_group(text);
    parse_pam(text, "f");
    parse_sudoers(text, "f");
    audit_rule_text(text);
    input_chain_policy(text);
    return 0;
}
