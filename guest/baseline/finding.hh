// SPDX-License-Identifier: MIT
// What judging one rule brought; the superset of what the report formats can say.
#pragma once

#include "baseline/rule.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

enum class Status {
    kPass,
    kFail,
    kError,  // could not be judged: something was expected to be readable and was not
    kNotApplicable,
    kNotChecked,  // not judged, and `reason` says why
    kInformational,
    kFixed,
};
std::string_view to_string(Status status);  // "pass", "fail", "error", "notapplicable", ...

enum class Remediation { kNone, kAvailable, kApplied, kNeedsReboot };
std::string_view to_string(Remediation remediation);

struct Evidence {
    std::string what;  // "net.ipv4.tcp_syncookies, now"
    Status status = Status::kPass;
    std::string actual;  // "0", "not set"
    std::string source;  // "/proc/sys/net/ipv4/tcp_syncookies", "/etc/sysctl.d/99-x.conf:3"
    std::vector<Evidence> parts{};
};

struct Finding {
    const Rule* rule = nullptr;
    Status status = Status::kNotChecked;
    std::string expected, actual, source;
    std::string reason;  // of everything but a pass, in one line
    std::vector<Evidence> evidence;
    Remediation remediation = Remediation::kNone;
    std::uint64_t duration_us = 0;
    const Exception* exception = nullptr;  // allows the failure; the status stays
};

struct Report {
    std::string target, profile;
    std::string machine;  // vmId, machine-id or the image's name
    std::vector<std::string> roles;
    std::int64_t started = 0, ended = 0;  // seconds since the epoch
    std::vector<Finding> findings;

    std::size_t count(Status status) const;
    std::size_t excepted() const;  // failures that an exception allows
    // Of what was judged (pass, fixed, fail, error) the part that is right, 0 to 100, rounded down.
    unsigned score() const;
    bool compliant() const;  // no failure or error without exception
};

}  // namespace tarn::guest::baseline
