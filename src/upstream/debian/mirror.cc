// SPDX-License-Identifier: MIT
// Which mirror this machine uses, as its apt is configured: sources.list(5).
#include "base/fs.hh"
#include "base/strings.hh"
#include "upstream/debian/archive.hh"

#include <algorithm>
#include <cstdlib>

namespace tarn::debian {
namespace {

constexpr std::uint64_t kSourcesLimit = 1U << 20;

struct SourceEntry {
    std::vector<std::string> uris, suites, components;
    std::string signed_by;
};

std::string without_trailing_slash(std::string uri) {
    while (uri.ends_with('/')) {
        uri.pop_back();
    }
    return uri;
}

bool usable_scheme(std::string_view uri) {
    return uri.starts_with("http://") || uri.starts_with("https://") || uri.starts_with("file:///");
}

// The archive itself: neither the security archive, which has other suites, nor a third party's.
std::optional<std::string> debian_archive(const SourceEntry& entry) {
    const auto has_main = std::find(entry.components.begin(), entry.components.end(), "main");
    if (has_main == entry.components.end()) {
        return std::nullopt;
    }
    const bool security =
        std::all_of(entry.suites.begin(), entry.suites.end(), [](const std::string& suite) {
            return suite.ends_with("-security") || contains(suite, "/updates");
        });
    if (security) {
        return std::nullopt;
    }
    const bool debian_key = contains(entry.signed_by, "debian-archive");
    // A path names a keyring; a key written out in the file itself says nothing about whose it is.
    const bool other_key = entry.signed_by.starts_with('/') && !debian_key;
    for (const std::string& uri : entry.uris) {
        const std::string base = without_trailing_slash(uri);
        const bool named = base.ends_with("/debian");
        if (usable_scheme(base) && !contains(base, "debian-security") && !other_key &&
            (debian_key || named)) {
            return base;
        }
    }
    return std::nullopt;
}

// "deb [arch=amd64 signed-by=/x.gpg] uri suite component..."
std::optional<SourceEntry> parse_line(std::string_view line) {
    line = trim(line.substr(0, line.find('#')));
    if (!line.starts_with("deb ") && !line.starts_with("deb\t")) {
        return std::nullopt;
    }
    line = trim(line.substr(3));
    SourceEntry entry;
    if (line.starts_with('[')) {
        const std::size_t end = line.find(']');
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        for (const std::string_view option : split_words(line.substr(1, end - 1))) {
            if (option.starts_with("signed-by=")) {
                entry.signed_by = option.substr(10);
            }
        }
        line = line.substr(end + 1);
    }
    const std::vector<std::string_view> words = split_words(line);
    if (words.size() < 3) {
        return std::nullopt;
    }
    entry.uris.emplace_back(words[0]);
    entry.suites.emplace_back(words[1]);
    entry.components.assign(words.begin() + 2, words.end());
    return entry;
}

std::vector<SourceEntry> parse_list(std::string_view text) {
    std::vector<SourceEntry> entries;
    for (const std::string_view line : split_lines(text)) {
        if (auto entry = parse_line(line)) {
            entries.push_back(std::move(*entry));
        }
    }
    return entries;
}

// Field names are written by people here: any case.
std::string field(const Stanza& stanza, std::string_view wanted) {
    for (const auto& [name, value] : stanza) {
        if (to_lower(name) == wanted) {
            return value;
        }
    }
    return {};
}

std::vector<std::string> words_of(const std::string& text) {
    const std::vector<std::string_view> words = split_words(text);
    return {words.begin(), words.end()};
}

Result<std::vector<SourceEntry>> parse_deb822(const std::string& text, const std::string& name) {
    std::vector<SourceEntry> entries;
    TARN_TRY(parse_control(text, name, [&](Stanza&& stanza) -> Result<void> {
        const std::string enabled = to_lower(field(stanza, "enabled"));
        const std::vector<std::string> types = words_of(field(stanza, "types"));
        const bool off = enabled == "no" || enabled == "false" || enabled == "0";
        if (!off && std::find(types.begin(), types.end(), "deb") != types.end()) {
            entries.push_back({words_of(field(stanza, "uris")),
                               words_of(field(stanza, "suites")),
                               words_of(field(stanza, "components")),
                               field(stanza, "signed-by")});
        }
        return {};
    }));
    return entries;
}

// The files apt reads, in its order.
std::vector<std::string> source_files(const std::string& apt_directory) {
    std::vector<std::string> files = {join_path(apt_directory, "sources.list")};
    const std::string parts = join_path(apt_directory, "sources.list.d");
    const auto names = list_directory(parts);
    if (names) {
        for (const std::string& name : *names) {
            if (name.ends_with(".list") || name.ends_with(".sources")) {
                files.push_back(join_path(parts, name));
            }
        }
    }
    return files;
}

Error no_mirror(const std::string& message) {
    return error(ErrorKind::kNotFound, "{}", message)
        .advise(
            "name a mirror with --mirror URL or in the environment variable "
            "TARN_DEBIAN_MIRROR");
}

}  // namespace

Result<std::string> machine_mirror(const std::string& apt_directory) {
    std::vector<std::string> notes;
    for (const std::string& file : source_files(apt_directory)) {
        const auto text = read_file(file, kSourcesLimit);
        if (!text) {
            if (text.error().kind != ErrorKind::kNotFound) {
                notes.push_back(text.error().message);
            }
            continue;
        }
        auto entries = file.ends_with(".sources")
                           ? parse_deb822(*text, file)
                           : Result<std::vector<SourceEntry>>(parse_list(*text));
        if (!entries) {
            // apt itself would complain; another file may still name the mirror.
            notes.push_back(entries.error().message);
            continue;
        }
        for (const SourceEntry& entry : *entries) {
            if (auto uri = debian_archive(entry)) {
                return std::move(*uri);
            }
        }
    }
    Error none =
        no_mirror(fmt::format("apt's configuration in {} names no Debian archive", apt_directory));
    none.notes = std::move(notes);
    return fail(std::move(none));
}

Result<std::string> choose_mirror(const std::string& option, const std::string& apt_directory) {
    std::string chosen = option;
    std::string from = "--mirror";
    if (chosen.empty()) {
        const char* const variable = std::getenv("TARN_DEBIAN_MIRROR");
        chosen = variable == nullptr ? "" : variable;
        from = "TARN_DEBIAN_MIRROR";
    }
    if (chosen.empty()) {
        return machine_mirror(apt_directory);
    }
    chosen = without_trailing_slash(std::move(chosen));
    if (!usable_scheme(chosen)) {
        return fail(error(ErrorKind::kUsage, "{}: `{}` is not an address of a mirror", from, chosen)
                        .advise("it starts with http://, https:// or file:/// and ends before "
                                "/dists, as in file:///srv/debian"));
    }
    return chosen;
}

}  // namespace tarn::debian
