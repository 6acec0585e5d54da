// SPDX-License-Identifier: MIT
// What one commit contributes: the magic comments in its message, and its changelog entry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::release {

struct MagicComments {
    bool skip_changelog = false;     // [skip changelog]
    std::uint64_t bump_release = 0;  // [bump release: N], the highest
    bool bump_too_high = false;      // one that was beyond kHighestRelease and does not count
};
constexpr std::uint64_t kHighestRelease = 1'000'000'000;
MagicComments magic_comments(std::string_view message);

// The entry's items: the subject, then the "-" items of a body that begins with one or with an
// ellipsis. '%' is doubled.
std::vector<std::u32string> changelog_items(std::string_view message);

// "Mon Nov 25 2019", in UTC.
std::string changelog_date(std::int64_t time);

struct EntryHead {
    std::int64_t time = 0;
    std::string author, email;
    std::string epoch_version, release;  // left out when the version is not known
};
std::string changelog_entry(const EntryHead& head, const std::vector<std::u32string>& items);

}  // namespace tarn::release
