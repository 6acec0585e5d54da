// SPDX-License-Identifier: MIT
// What a commit's spec says about version and release, as rpmautospec asks rpm.
#pragma once

#include "spec/macros.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::release {

struct SpecVersion {
    std::string problem;               // rpm would refuse the spec for it; the rest is not set then
    std::string epoch_version;         // "1:2.3"; macros that are not known stay in it
    std::vector<std::string> unknown;  // their names
    // Of the call of %autorelease in Release, when there is nothing else in it.
    bool prerelease = false;  // -p
    std::uint64_t base = 1;   // -b
    std::string tags;         // ".rc1.20200101" of -e and -s
};
// Specs with equal keys that have no problem have equal versions: the lines before %prep without
// comments and plain dependencies, sources and patches, which are what changes most.
std::string version_key(std::string_view spec);
SpecVersion read_version(std::string_view spec, const MacroTable& known);

}  // namespace tarn::release
