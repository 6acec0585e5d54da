// SPDX-License-Identifier: MIT
#include "distgit/detail/place.hh"

#include "base/hash.hh"
#include "base/strings.hh"

#include <algorithm>
#include <array>
#include <chrono>

namespace tarn::distgit::detail {
namespace {

constexpr std::size_t kLongest = 2048;
constexpr std::array<std::string_view, 5> kSchemes = {"https", "http", "git", "ssh", "file"};

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
    });
}

// What can be printed of a text from outside.
std::string printable(std::string_view text) {
    std::string shown(text.substr(0, 200));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return has_control({&c, 1}) && c != ' '; }, '?');
    return shown;
}

// The rules of `git check-ref-format` for one part of a reference.
bool is_reference_part(std::string_view part) {
    return !part.empty() && !part.starts_with('.') && !part.ends_with('.') &&
           !part.ends_with(".lock") && !contains(part, "..") && !contains(part, "@{") &&
           part.find_first_of("~^:?*[\\") == std::string_view::npos && !has_control(part);
}

bool is_branch(std::string_view branch) {
    const auto parts = split(branch, '/');
    return branch.size() <= 200 && !branch.starts_with('-') && branch != "@" &&
           std::all_of(parts.begin(), parts.end(), is_reference_part);
}

bool is_package(std::string_view package) {
    return package.size() <= 200 && is_reference_part(package) && !package.starts_with('-') &&
           std::all_of(package.begin(), package.end(), [](char c) {
               return is_alnum(c) || c == '+' || c == '.' || c == '_' || c == '-';
           });
}

std::string directory_name(std::string_view host) {
    std::string name;
    for (const char c : to_lower(host)) {
        const bool plain = is_alnum(c) || c == '-' || (c == '.' && !name.empty());
        name += plain ? std::string(1, c)
                      : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return name;
}

Failure bad_url(std::string_view url, std::string_view why) {
    return fail(error(ErrorKind::kUsage, "dist-git address `{}`: {}", printable(url), why)
                    .advise("`dist-git-base-uri` is https://, http://, git://, ssh:// or file://, "
                            "a host and a path with $pkg in it"));
}

Result<void> split_url(std::string_view url, Place& place) {
    if (url.empty() || url.size() > kLongest) {
        return bad_url(url, url.empty() ? "is empty" : "is too long");
    }
    if (url.starts_with('-') || has_control(url)) {
        return bad_url(url, "begins with `-`, or has a blank or control character");
    }
    const std::size_t colon = url.find("://");
    const std::string_view scheme = url.substr(0, colon);
    if (colon == std::string_view::npos ||
        std::find(kSchemes.begin(), kSchemes.end(), scheme) == kSchemes.end()) {
        return bad_url(url, "unknown kind of address");
    }
    const std::string_view rest = url.substr(colon + 3);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view authority = rest.substr(0, slash);
    const std::size_t at = authority.rfind('@');
    const std::string_view user = at == std::string_view::npos ? "" : authority.substr(0, at);
    const std::string_view host =
        at == std::string_view::npos ? authority : authority.substr(at + 1);
    const bool file = scheme == "file";
    if (host.starts_with('-') || user.starts_with('-')) {
        return bad_url(url, "the host begins with `-`");
    }
    if (host.empty() != file || slash == rest.size()) {
        return bad_url(url, file ? "file:// takes an absolute path" : "it has no host or no path");
    }
    const std::string name(user.substr(0, user.find(':')));
    place.shown = fmt::format("{}://{}{}{}{}",
                              scheme,
                              name,
                              at == std::string_view::npos ? "" : "@",
                              host,
                              rest.substr(slash));
    place.host = file ? "file" : directory_name(host);
    return {};
}

struct Reader {
    std::string_view text;
    std::size_t at = 0;
    bool good = true;

    int number(std::size_t digits) {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i, ++at) {
            if (at >= text.size() || text[at] < '0' || text[at] > '9') {
                good = false;
                return 0;
            }
            value = value * 10 + (text[at] - '0');
        }
        return value;
    }
    void skip(std::string_view any) {
        if (at >= text.size() || any.find(text[at]) == std::string_view::npos) {
            good = false;
            return;
        }
        ++at;
    }
    bool is(char c) const { return at < text.size() && text[at] == c; }
};

// Seconds east of UTC.
int read_offset(Reader& reader) {
    if (reader.is('Z') || reader.is('z')) {
        ++reader.at;
        return 0;
    }
    const int sign = reader.is('-') ? -1 : 1;
    reader.skip("+-");
    const int hours = reader.number(2);
    reader.skip(":");
    const int minutes = reader.number(2);
    reader.good = reader.good && hours < 24 && minutes < 60;
    return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

std::string Place::ref() const {
    return fmt::format("refs/tarn/{}/{}/{}", key, package, replace_all(branch, "/", "%2F"));
}

Result<Place> place_of(const PackageSource& source) {
    if (!is_package(source.package)) {
        return fail(error(ErrorKind::kUsage,
                          "`{}` is no name of a dist-git package",
                          printable(source.package))
                        .advise("a name is of letters, digits and . _ + -, and does not begin "
                                "with - or a dot"));
    }
    if (!is_branch(source.branch)) {
        return fail(error(ErrorKind::kUsage,
                          "{}: `{}` is no name of a branch",
                          source.package,
                          printable(source.branch))
                        .advise("`dist-git-branch` of the distro's version names it: \"f43\""));
    }
    Place place;
    TARN_TRY(split_url(source.url, place));
    place.url = source.url;
    place.key = sha256_hex(source.url).substr(0, 16);
    place.package = source.package;
    place.branch = source.branch;
    return place;
}

Result<std::int64_t> parse_time(std::string_view text) {
    Reader reader{text};
    const int year = reader.number(4);
    reader.skip("-");
    const int month = reader.number(2);
    reader.skip("-");
    const int day = reader.number(2);
    reader.skip("Tt ");
    const int hour = reader.number(2);
    reader.skip(":");
    const int minute = reader.number(2);
    reader.skip(":");
    const int second = reader.number(2);
    if (reader.is('.')) {
        ++reader.at;
        reader.number(1);
        while (reader.at < text.size() && text[reader.at] >= '0' && text[reader.at] <= '9') {
            ++reader.at;
        }
    }
    const int offset = read_offset(reader);
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!reader.good || reader.at != text.size() || !date.ok() || hour > 23 || minute > 59 ||
        second > 60) {
        return fail(error(ErrorKind::kUsage, "`{}` is no date and time", printable(text))
                        .advise("`snapshot` is as RFC 3339 has it: \"2026-02-24T00:00:00-08:00\""));
    }
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    return days * 86400 + hour * 3600 + minute * 60 + second - offset;
}

Result<std::string> parse_commit(std::string_view text) {
    const std::string id = to_lower(text);
    if (id.size() < 7 || id.size() > 40 ||
        id.find_first_not_of("0123456789abcdef") != std::string::npos) {
        return fail(error(ErrorKind::kUsage, "`{}` is no id of a commit", printable(text))
                        .advise("an id is 7 to 40 hex digits"));
    }
    return id;
}

}  // namespace tarn::distgit::detail
