// SPDX-License-Identifier: MIT
#include "provision/password.hh"

#include "base/strings.hh"

#include "provision/names.hh"
#include <crypt.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <memory>

namespace tarn::guest {
namespace {

constexpr std::size_t kLongest = 72;
constexpr std::string_view kMethods[] = {
    "$y$", "$gy$", "$7$", "$2a$", "$2b$", "$2y$", "$6$", "$5$", "$1$"};

// Days of a civil date, by Howard Hinnant's counting.
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
    y -= m <= 2 ? 1 : 0;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    const auto yoe = static_cast<unsigned>(y - era * 400);
    const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

}  // namespace

bool is_password_hash(std::string_view text) {
    const bool method = std::any_of(std::begin(kMethods), std::end(kMethods), [&](auto each) {
        return text.starts_with(each) && text.find('$', each.size()) != std::string_view::npos;
    });
    return method && text.size() >= 20 && text.size() < 384 &&
           std::all_of(
               text.begin(),
               text.end(),
               [](char c) {
                   return c > 0x20 && c < 0x7f && c != ':' && c != '!' && c != '*' && c != '\\';
               });
}

std::string why_no_password(std::string_view text) {
    if (text.size() > kLongest) {
        return fmt::format(
            "the password has {} bytes, at most {} are taken", text.size(), kLongest);
    }
    if (!is_one_line(text)) {
        return "the password has control characters";
    }
    return {};
}

Result<Secret> hash_password(const Secret& password) {
    if (password.empty()) {
        return fail(ErrorKind::kUsage, "an empty password is none");
    }
    if (is_password_hash(password.reveal())) {
        return password;
    }
    if (const std::string why = why_no_password(password.reveal()); !why.empty()) {
        return fail(ErrorKind::kUsage, "{}", why);
    }
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (::crypt_gensalt_rn("$y$", 0, nullptr, 0, setting, sizeof setting) == nullptr) {
        return fail(sys_error("make a salt for", "a password"));
    }
    const auto data = std::make_unique<crypt_data>();
    const char* hash = ::crypt_rn(
        password.reveal().c_str(), setting, data.get(), static_cast<int>(sizeof(crypt_data)));
    if (hash == nullptr) {
        return fail(sys_error("hash", "a password"));
    }
    Secret result{std::string(hash)};
    explicit_bzero(data.get(), sizeof(crypt_data));
    return result;
}

std::optional<std::uint64_t> today() {
    constexpr std::int64_t kDay = 86400;
    constexpr std::int64_t kFirst = 19000;  // 2022
    constexpr std::int64_t kLast = 40000;   // 2079
    const std::int64_t day = static_cast<std::int64_t>(::time(nullptr)) / kDay;
    if (day < kFirst || day > kLast) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(day);
}

std::optional<std::uint64_t> day_of(std::string_view date) {
    const auto parts = split(date, '-');
    if (parts.size() != 3 || parts[0].size() != 4 || parts[1].size() != 2 || parts[2].size() != 2) {
        return std::nullopt;
    }
    const auto year = parse_u64(parts[0]);
    const auto month = parse_u64(parts[1]);
    const auto day = parse_u64(parts[2]);
    if (!year || !month || !day || *year < 1970 || *month < 1 || *month > 12 || *day < 1 ||
        *day > 31) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(days_from_civil(static_cast<std::int64_t>(*year),
                                                      static_cast<unsigned>(*month),
                                                      static_cast<unsigned>(*day)));
}

}  // namespace tarn::guest
