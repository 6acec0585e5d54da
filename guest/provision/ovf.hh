// SPDX-License-Identifier: MIT
// ovf-env.xml: what Azure's provisioning media says. Elements are found by their local name in any
// case; namespaces differ between platforms.
#pragma once

#include "base/result.hh"

#include "provision/settings.hh"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct OvfEnvironment {
    std::string hostname;
    std::string user;
    Secret password;
    std::optional<bool> disable_password_authentication;
    std::vector<std::string> keys;          // values as given
    std::vector<std::string> fingerprints;  // of keys that are named, not given
    std::string custom_data;                // decoded
    bool preprovisioned = false;
    std::string preprovisioned_type;  // "" or "None" when it is of no pool
    bool guest_proxy_agent = false;
};
// kCorrupt: no XML, no provisioning section, no HostName, a value that is none.
Result<OvfEnvironment> parse_ovf(std::string_view xml);

// What stands in place of a secret in a document that is kept.
inline constexpr const char* kRedacted = "REDACTED";
// The document without its password and custom data; kCorrupt when it cannot be told where they
// are.
Result<std::string> redact_ovf(std::string_view xml);

}  // namespace tarn::guest
