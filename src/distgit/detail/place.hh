// SPDX-License-Identifier: MIT
// Where a package lies: its repository's URL and branch, checked before anything is done with them.
#pragma once

#include "base/result.hh"
#include "distgit/distgit.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::distgit::detail {

struct Place {
    std::string url;      // as given, for git alone: it may hold a password
    std::string shown;    // for people: without password
    std::string host;     // name of the host's directory
    std::string key;      // first 16 hex digits of the URL's SHA-256
    std::string package;
    std::string branch;
    std::string ref() const;  // "refs/tarn/<key>/<package>/<branch, '/' as %2F>"
};

// kUsage when the URL has no known scheme or host, or a part of it could be taken for an option or a
// reference of another place.
Result<Place> place_of(const PackageSource& source);

// Seconds since 1970 of an RFC 3339 date and time; kUsage.
Result<std::int64_t> parse_time(std::string_view text);

// 7 to 40 hex digits in lower case; kUsage.
Result<std::string> parse_commit(std::string_view text);

}  // namespace tarn::distgit::detail
