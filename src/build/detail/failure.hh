// SPDX-License-Identifier: MIT
// Reading rpmbuild's log after a build went wrong: in which section, what it said, and which
// package would have helped.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::build {

struct LogVerdict {
    std::string section;            // "%build", "%files", "spec", or "rpmbuild"
    std::string reason;             // the line that says it best; may be empty
    std::vector<std::string> tail;  // last lines before rpmbuild gave up
};

inline constexpr std::size_t kTailLines = 20;

// Control characters are taken out, lines cut: a log is what somebody else wrote.
LogVerdict read_log(std::string_view log, const std::string& spec_name);

// A piece of the log as it comes -> the section that began in it ("%check"), or empty.
std::string section_started(std::string_view piece);

// Advice for what is missing ("zlib.h is in zlib-devel; ..."). `owner` tells the package that has
// a file ("/usr/include/zlib.h") or provides a name ("pkgconfig(zlib)"), or "".
using OwnerOf = std::function<std::string(std::string_view)>;
std::vector<std::string> missing_advice(std::string_view log, const OwnerOf& owner);

}  // namespace tarn::build
