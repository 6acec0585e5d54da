// SPDX-License-Identifier: MIT
// The lines of file_contexts(5) and of its substitution files, one by one.
#pragma once

#include "base/result.hh"
#include "store/tree.hh"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::selinux {

inline constexpr std::string_view kNoneContext = "<<none>>";

// `<expression> [<file type>] <context>`; std::nullopt for blank lines and comments. The Error's
// message has no place.
struct SpecLine {
    std::string_view expression, context;
    std::optional<EntryKind> kind;  // of the file type; sockets, which trees do not have: `never`
    bool never = false;
};
Result<std::optional<SpecLine>> parse_spec_line(std::string_view line);

// user:role:type and perhaps a range, in the characters a policy can have.
Result<void> check_context(std::string_view context);

// The bytes an expression stands for when it has no meta character; std::nullopt when it has one.
std::optional<std::string> literal_of(std::string_view expression);
// The bytes every match begins with; possibly none.
std::string fixed_prefix(std::string_view expression);
// The directories ("/usr/share") an expression is filed under: its literal leading parts, at most
// three.
std::string stem_of(std::string_view expression);
inline constexpr int kStemDepth = 3;

struct Substitution {
    std::string from, to;
};
// Later lines first, as they are tried. What has no second word is left out, as libselinux does.
std::vector<Substitution> parse_substitutions(std::string_view text);
std::optional<std::string> substitute(const std::vector<Substitution>& substitutions,
                                      std::string_view path);

}  // namespace tarn::selinux
