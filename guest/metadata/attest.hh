// SPDX-License-Identifier: MIT
// The attested document: a CMS signature of the platform over what it says of this machine.
// Verified against certificate authorities of the machine; intermediates are fetched where
// certificates say (they rotate, so none is pinned).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace tarn::guest {

struct AttestedData {
    std::string nonce, vm_id, subscription_id, sku, license_type;
    std::int64_t created_on = 0, expires_on = 0;  // seconds since 1970
};
// The signed text. kCorrupt.
Result<AttestedData> parse_attested(std::string_view json);
// "11/28/18 00:16:17 -0000": month, day, year, time, zone.
std::optional<std::int64_t> parse_attested_time(std::string_view text);

struct AttestPolicy {
    std::string ca_file;               // PEM; empty: the machine's bundle
    std::int64_t now = 0;              // seconds since 1970; certificates are judged at this time
    std::optional<std::string> nonce;  // what was asked for
    std::string vm_id;                 // of the firmware; empty: not compared
    // The bytes at an http:// URL. Only asked when the signature does not hold the whole chain.
    std::function<Result<std::string>(const std::string& url)> fetch;
};
struct Attested {
    AttestedData data;
    std::string payload;             // the signed text
    std::string signer;              // subject of the leaf
    std::vector<std::string> chain;  // subjects, leaf first
};
// `signature` is base64 of DER. kCorrupt: no such thing, or not signed by the platform, or it is
// about another machine, question or time; says which.
Result<Attested> verify_attested(std::string_view signature, const AttestPolicy& policy);

// "metadata.azure.com", its names for other clouds, and names below them; `*` as a first label.
bool is_platform_name(std::string_view dns_name);

}  // namespace tarn::guest
