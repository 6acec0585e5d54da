// SPDX-License-Identifier: MIT
// Rules as declared (docs/guest/tarn-baseline.md), read from TOML.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::guest::baseline {

class Target;

enum class Severity { kLow, kMedium, kHigh, kCritical };
std::string_view to_string(Severity severity);

// What putting it right may do to the machine; also the order in which it is done.
enum class Risk {
    kSafe,     // takes effect at once, nothing is restarted
    kRestart,  // a service is reloaded or restarted, or the machine has to boot
    kLockOut,  // can keep an administrator out: undone by itself unless confirmed
};
std::string_view to_string(Risk risk);

// What a value has to be. Written
//   "1"   ">= 2048"   "<= 3"   "15..300"   "1 | 2"   "!= none"   "any" (never wrong: informational)
// Numbers are compared as numbers; "<= 10:30:60" part by part; words without regard to case.
struct Expectation {
    enum class Kind { kAny, kOneOf, kAtLeast, kAtMost, kRange, kNot };
    Kind kind = Kind::kAny;
    std::vector<std::string> values;  // kRange: from, to
    std::string text;                 // as written
    bool met(std::string_view value) const;
};
Result<Expectation> parse_expectation(std::string_view text);

struct Rule {
    std::string id;                       // "net-tcp-syncookies": never changes
    std::string title;                    // what is so when it passes
    std::string section;                  // "B1"
    std::vector<std::string> references;  // "CIS 3.3.10"
    Severity severity = Severity::kMedium;
    Risk risk = Risk::kSafe;
    std::string procedure;
    Expectation expect;
    std::vector<std::string> profiles;
    std::vector<std::string> only_roles;    // n.a. without one of them
    std::vector<std::string> unless_roles;  // n.a. with one of them
    std::vector<std::string> needs;         // n.a. when none of these paths is there
    bool informational = false;             // told, never a failure
    bool slow = false;                      // walks file systems or runs rpm
    std::string why;
    std::string remedy;  // for people, where it is not put right by itself
    std::string where;   // "20-network.toml:12"
    std::vector<std::pair<std::string, std::vector<std::string>>> parameters;

    const std::vector<std::string>& list(std::string_view name) const;
    std::string text(std::string_view name, std::string_view otherwise = {}) const;
    bool flag(std::string_view name) const;
};

inline constexpr const char* kProfiles[] = {"minimal", "azure", "cis-l1", "cis-l2"};

// Reads one file of rules. kUsage: file:line:column, what was expected, "did you mean".
Result<std::vector<Rule>> parse_rules(std::string_view text, std::string_view file);
// Every *.toml of a directory (of a target, of this machine), in order; an id given twice is
// kUsage.
Result<std::vector<Rule>> load_rules(const Target& target, const std::string& directory);
Result<std::vector<Rule>> load_rules(const std::string& directory);

// Why a rule may be broken on this machine, and until when.
struct Exception {
    std::string rule, reason, who;
    std::string expires;  // "2027-01-31": the last day
    std::string where;
};
struct MachineConfig {
    std::vector<std::string> roles;
    std::string profile;
    std::vector<Exception> exceptions;
};
// /etc/tarn/baseline.d/*.toml: `roles`, `profile`, [[exception]].
Result<MachineConfig> parse_machine_config(std::string_view text, std::string_view file);

}  // namespace tarn::guest::baseline
