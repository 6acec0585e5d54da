// SPDX-License-Identifier: MIT
// Release files: what an archive signed.
#include "base/fs.hh"
#include "base/strings.hh"
#include "upstream/debian/archive.hh"
#include "upstream/debian/detail/date.hh"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

namespace tarn::debian {
namespace detail {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<std::int64_t> number(std::string_view text, std::int64_t high) {
    const auto value = parse_u64(text);
    if (!value || *value > static_cast<std::uint64_t>(high)) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*value);
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) {
    std::vector<std::string_view> words = split_words(text);
    if (!words.empty() && words.front().ends_with(',')) {
        words.erase(words.begin());
    }
    if (words.size() != 5 || (words[4] != "UTC" && words[4] != "GMT" && words[4] != "+0000")) {
        return std::nullopt;
    }
    const auto* const month = std::find(kMonths.begin(), kMonths.end(), words[1]);
    const auto day = number(words[0], 31);
    const auto year = number(words[2], 9999);
    const std::vector<std::string_view> clock = split(words[3], ':');
    if (month == kMonths.end() || !day || !year || clock.size() != 3) {
        return std::nullopt;
    }
    const auto hour = number(clock[0], 23);
    const auto minute = number(clock[1], 59);
    const auto second = number(clock[2], 60);
    const std::chrono::year_month_day date{
        std::chrono::year(static_cast<int>(*year)),
        std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day))};
    if (!hour || !minute || !second || !date.ok()) {
        return std::nullopt;
    }
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    return days * 86400 + *hour * 3600 + *minute * 60 + *second;
}

}  // namespace detail

namespace {

constexpr std::uint64_t kReleaseLimit = 16U << 20;
constexpr std::size_t kMaxIndexFiles = 100'000;

std::string value_of(const Stanza& stanza, const std::string& field) {
    const auto found = stanza.find(field);
    return found == stanza.end() ? std::string() : found->second;
}

// Lines "<sha256> <size> <path>".
Result<std::vector<IndexFile>> parse_files(const std::string& list, const std::string& name) {
    std::vector<IndexFile> files;
    for (const std::string_view line : split_lines(list)) {
        const std::vector<std::string_view> words = split_words(line);
        if (words.empty()) {
            continue;
        }
        const auto size = words.size() == 3 ? parse_u64(words[1]) : std::nullopt;
        const auto digest = size ? Digest::from_hex(words[0], *size) : std::nullopt;
        if (!digest || !safe_relative_path(words[2], Absolute::kRefuse) ||
            files.size() == kMaxIndexFiles) {
            return fail(ErrorKind::kCorrupt,
                        "{}: SHA256: expected `<sha256> <size> <path>`, found `{}`",
                        name,
                        line.substr(0, 120));
        }
        files.push_back({std::string(words[2]), *digest});
    }
    std::sort(files.begin(), files.end(), [](const IndexFile& a, const IndexFile& b) {
        return a.path < b.path;
    });
    return files;
}

// "2026-10-30" as seconds at its begin.
std::optional<std::int64_t> parse_day(std::string_view text) {
    const auto parts = split(text, '-');
    if (text.size() != 10 || parts.size() != 3) {
        return std::nullopt;
    }
    const auto year = parse_u64(parts[0]);
    const auto month = parse_u64(parts[1]);
    const auto day = parse_u64(parts[2]);
    if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) {
        return std::nullopt;
    }
    std::tm date{};
    date.tm_year = static_cast<int>(*year) - 1900;
    date.tm_mon = static_cast<int>(*month) - 1;
    date.tm_mday = static_cast<int>(*day);
    return ::timegm(&date);
}

// An accepted expired Release may be old, but not older than what the project was made with.
Result<void> check_not_replayed(const Release& release,
                                const DistroVersion& version,
                                const std::string& url) {
    const std::string& oldest = version.expired_release.not_before;
    const auto day = parse_day(oldest);
    if (!day) {
        return fail(error(ErrorKind::kUsage,
                          "version `{}`: not-before: `{}` is no date",
                          version.name,
                          oldest)
                        .advise("write it as YYYY-MM-DD"));
    }
    const auto made = detail::parse_date(release.date);
    if (!made || *made < *day) {
        return fail(
            error(ErrorKind::kCorrupt, "{} of {} is older than {}", url, release.date, oldest)
                .note("version `" + version.name + "` accepts no expired Release before that day")
                .advise("name a mirror that is up to date with --mirror URL or TARN_DEBIAN_MIRROR"));
    }
    return {};
}

Result<void> check_fresh(const Release& release,
                         const DistroVersion& version,
                         const std::string& url,
                         std::int64_t now) {
    if (release.valid_until.empty()) {
        return {};
    }
    const auto until = detail::parse_date(release.valid_until);
    if (!until) {
        return fail(
            ErrorKind::kCorrupt, "{}: Valid-Until: `{}` is not a date", url, release.valid_until);
    }
    if (now <= *until) {
        return {};
    }
    if (version.expired_release.accept) {
        return check_not_replayed(release, version, url);
    }
    return fail(
        error(ErrorKind::kCorrupt, "{} has expired: valid until {}", url, release.valid_until)
            .note("an old Release may hide that security updates exist")
            .advise("name a mirror that is up to date with --mirror URL or TARN_DEBIAN_MIRROR")
            .advise(fmt::format("or accept it for version `{}`: expired-release = "
                                "{{ accept = true, reason = \"...\", not-before = \"YYYY-MM-DD\" }}",
                                version.name)));
}

}  // namespace

const IndexFile* Release::find(std::string_view path) const {
    const auto found = std::lower_bound(
        files.begin(), files.end(), path, [](const IndexFile& file, std::string_view p) {
            return file.path < p;
        });
    return found != files.end() && found->path == path ? &*found : nullptr;
}

Result<Release> parse_release(std::string_view text, const std::string& name) {
    std::optional<Stanza> only;
    TARN_TRY(parse_control(text, name, [&](Stanza&& stanza) -> Result<void> {
        if (only) {
            return fail(ErrorKind::kCorrupt, "{}: more than one paragraph", name);
        }
        only = std::move(stanza);
        return {};
    }));
    if (!only) {
        return fail(ErrorKind::kCorrupt, "{}: it is empty", name);
    }
    Release release;
    release.suite = value_of(*only, "Suite");
    release.codename = value_of(*only, "Codename");
    release.date = value_of(*only, "Date");
    release.valid_until = value_of(*only, "Valid-Until");
    release.acquire_by_hash = value_of(*only, "Acquire-By-Hash") == "yes";
    release.files = TARN_TRY(parse_files(value_of(*only, "SHA256"), name));
    if ((release.suite.empty() && release.codename.empty()) || release.date.empty() ||
        release.files.empty()) {
        return fail(
            ErrorKind::kCorrupt, "{}: it lacks Suite or Codename, Date, or the SHA256 list", name);
    }
    return release;
}

Result<Release> fetch_release(const Store& store,
                              const std::string& mirror,
                              const DistroVersion& version,
                              const Keyring& keyring,
                              std::int64_t now,
                              const FetchOptions& options) {
    const std::string url = fmt::format("{}/dists/{}/InRelease", mirror, version.suite);
    auto document = fetch_text(url, kReleaseLimit, options);
    if (!document) {
        if (document.error().kind == ErrorKind::kNotFound) {
            return fail(error(ErrorKind::kNotFound,
                              "the mirror has no suite `{}`: there is no {}",
                              version.suite,
                              url)
                            .advise("check the name of the suite, or name another mirror with "
                                    "--mirror URL or TARN_DEBIAN_MIRROR"));
        }
        return fail(document.error());
    }
    if (!contains(*document, "-----BEGIN PGP SIGNED MESSAGE-----")) {
        return fail(error(ErrorKind::kCorrupt, "{} is not signed", url)
                        .note("expected a cleartext-signed document")
                        .advise("name another mirror with --mirror URL or TARN_DEBIAN_MIRROR"));
    }
    auto verified = keyring.verify_cleartext(*document);
    if (!verified) {
        return fail(std::move(verified.error()).context(url));
    }
    Release release = TARN_TRY(parse_release(verified->text, url));
    if (release.suite != version.suite && release.codename != version.suite) {
        return fail(ErrorKind::kCorrupt,
                    "{} is the Release of `{}` ({}), not of `{}`",
                    url,
                    release.codename,
                    release.suite,
                    version.suite);
    }
    TARN_TRY(check_fresh(release, version, url, now));
    release.signer = verified->signers.front().fingerprint;
    release.document = TARN_TRY(store.put(*document));
    return release;
}

}  // namespace tarn::debian
