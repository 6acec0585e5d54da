// SPDX-License-Identifier: MIT
// What Microsoft asks of a WSL distribution, as rules a finished .wsl file is checked against.
// Source: "Build a Custom Linux Distribution for WSL" (learn.microsoft.com/windows/wsl/
// build-custom-distro); a rule cites the section it stands in.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn {

enum class WslLevel { kMust, kShould };  // a build fails for the first, warns for the second

struct WslRule {
    std::string_view id;  // "WSL-OOBE-COMMAND"
    WslLevel level = WslLevel::kMust;
    std::string_view text;     // what is asked
    std::string_view section;  // where
};
const std::vector<WslRule>& wsl_rules();

struct WslFinding {
    const WslRule* rule = nullptr;
    std::string what;               // "/etc/resolv.conf is in the archive"
    std::string to_string() const;  // with the id, the rule's text and its source
};

// In the order of the rules. kCorrupt when the bytes are no (uncompressed) tar.
Result<std::vector<WslFinding>> check_wsl_tar(std::string_view tar, const std::string& name);
// A .wsl file: its name and compression too.
Result<std::vector<WslFinding>> check_wsl_file(const std::string& path);

}  // namespace tarn
