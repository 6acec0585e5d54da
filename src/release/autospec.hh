// SPDX-License-Identifier: MIT
// %autorelease and %autochangelog: what rpmautospec computes from a dist-git's history, natively.
// Rules: rpmautospec's documentation ("Principles", "Using the Release Field", "Changelog") and its
// behaviour at 0.8.3. Pure: history in, numbers and text out.
#pragma once

#include "base/result.hh"
#include "spec/macros.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::release {

// One commit of a dist-git as far as release and changelog depend on it.
struct Revision {
    std::string id;
    std::vector<std::size_t> parents;  // indexes into the history; beyond its end: not known
    std::string tree;                  // id; of use only for merges and what they merge
    std::string author, email;
    std::int64_t time = 0;            // committer time, seconds since 1970; changelogs are in UTC
    std::string message;              // subject, blank line, body
    std::optional<std::string> spec;  // text of the spec; nullopt: there is none
    std::optional<std::string> changelog;  // text of the file `changelog` beside it
};

struct AutospecResult {
    unsigned release_number = 1;  // what %autorelease counts to
    // Entries, newest first, as between the two markers, without the last newline. Empty when the
    // newest spec does not ask for it.
    std::string changelog;
    std::string epoch_version;  // "1:2.3" or "2.3" of the newest revision
    std::vector<std::string> warnings;
};

// history.front() is the newest; children come before their parents. `known` is what specs may use
// on top of rpm's own macros. kFailed names the commit: the newest one's version cannot be known,
// or parents are needed that are not (a shallow clone). An older spec that rpm would refuse counts
// as its neighbours' version and is warned of, as one whose version depends on an unknown macro.
Result<AutospecResult> compute(const std::vector<Revision>& history, const MacroTable& known = {});

struct Features {
    bool autorelease = false;        // %autorelease is called in a line before %changelog
    bool autochangelog = false;      // a line begins with %autochangelog, or there is no %changelog
    bool processed = false;          // it defines autorelease itself: process_spec leaves it alone
    std::vector<std::string> flags;  // of the first %autorelease: "-b 3", "-p", ...
};
Features features_of(std::string_view spec);

struct AutospecWording {
    std::string version = "0.8.3";  // written in the block on top
};
// The spec with the block on top that defines %autorelease, and the changelog between its markers.
// A spec that uses neither, or that is processed already, is returned as it is; line ends of one
// that is processed become "\n".
std::string process_spec(std::string_view spec,
                         const AutospecResult& result,
                         const AutospecWording& wording = {});

}  // namespace tarn::release
