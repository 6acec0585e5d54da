// SPDX-License-Identifier: MIT
// The kernel's audit system and nf_tables, asked over netlink (linux/audit.h, nf_tables.h).
#pragma once

#include "baseline/target.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

Result<AuditState> netlink_audit();
Result<std::vector<std::string>> netlink_input_policies();

// One rule of AUDIT_LIST_RULES (struct audit_rule_data) in auditctl's words; empty when the bytes
// are none. Pure.
std::string audit_rule_text(std::string_view bytes);
// One chain of NFT_MSG_GETCHAIN, the attributes after its header: its policy when it is on the
// input hook, else empty. Pure.
std::string input_chain_policy(std::string_view attributes);

}  // namespace tarn::guest::baseline
