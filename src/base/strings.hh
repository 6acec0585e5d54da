// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::vector<std::string_view> split_words(std::string_view text);  // on runs of white space
// Lines without their "\n"; a last line without newline counts, an empty rest does not.
std::vector<std::string_view> split_lines(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower(std::string_view text);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
bool contains(std::string_view text, std::string_view part);
std::optional<std::uint64_t> parse_u64(std::string_view text, int base = 10);

std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidates nearest to a mistyped name, best first, at most `limit`; none when all are far.
std::vector<std::string> nearest(std::string_view name,
                                 const std::vector<std::string>& candidates,
                                 std::size_t limit = 3);
// "did you mean `x`?" or "did you mean `x` or `y`?"; empty without candidates.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

// Shell-style glob over a path: '*' and '?' stop at '/', "**" does not, [...] and {a,b} as in
// doublestar; '\' escapes.
bool glob_match(std::string_view pattern, std::string_view path);

// "288.1 MB" (decimal, one digit), "3 s", "2 m 31 s", "0.4 s".
std::string human_size(std::uint64_t bytes);
std::string human_time(double seconds);

}  // namespace tarn
