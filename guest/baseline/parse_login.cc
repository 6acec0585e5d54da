// SPDX-License-Identifier: MIT
// sshd_config, KEY VALUE files, accounts, PAM, sudoers.
#include "base/strings.hh"

#include "baseline/detail/parsers.hh"

#include <algorithm>

namespace tarn::guest::baseline {
namespace {

constexpr int kSshdDepth = 16;  // as sshd's own
constexpr std::size_t kSshdOptions = 20'000;

std::string at_line(const std::string& file, std::size_t line) {
    return fmt::format("{}:{}", file, line);
}

// Words as sshd's argument splitter takes them: quotes group, '#' starts a comment.
std::vector<std::string> sshd_words(std::string_view line) {
    std::vector<std::string> out;
    std::string word;
    bool any = false;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                word.push_back(c);
            }
        } else if (c == '"' || c == '\'') {
            quote = c;
            any = true;
        } else if (c == '#' && !any) {
            break;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            if (any) {
                out.push_back(std::move(word));
            }
            word.clear();
            any = false;
        } else {
            word.push_back(c);
            any = true;
        }
    }
    if (any) {
        out.push_back(std::move(word));
    }
    return out;
}

struct SshdParser {
    const SshdInclude& include;
    std::vector<SshdOption> out{};
    std::string match{};

    Result<void> parse(std::string_view text, const std::string& file, int depth) {
        if (depth > kSshdDepth) {
            return fail(ErrorKind::kCorrupt, "{}: Include nested deeper than {}", file, kSshdDepth);
        }
        std::size_t number = 0;
        for (const std::string_view raw : split_lines(text)) {
            ++number;
            TARN_TRY(line(raw, file, number, depth));
            if (out.size() > kSshdOptions) {
                return fail(ErrorKind::kCorrupt, "{}: more than {} options", file, kSshdOptions);
            }
        }
        return {};
    }

    Result<void> line(std::string_view raw,
                      const std::string& file,
                      std::size_t number,
                      int depth) {
        // "Keyword=value" and "Keyword = value" are as good as "Keyword value".
        std::string text(trim(raw));
        const std::size_t end = text.find_first_of(" \t=\"");
        if (end != std::string::npos) {
            const std::size_t sign = text.find_first_not_of(" \t", end);
            if (sign != std::string::npos && text[sign] == '=') {
                text[sign] = ' ';
            }
        }
        const std::vector<std::string> words = sshd_words(text);
        if (words.empty()) {
            return {};
        }
        SshdOption option;
        option.keyword = to_lower(words[0]);
        option.value = join({words.begin() + 1, words.end()}, " ");
        option.match = match;
        option.where = at_line(file, number);
        if (option.keyword == "match") {
            match = option.value;
        } else if (option.keyword == "include") {
            // A Match of an included file ends with it.
            const std::string outer = match;
            for (std::size_t i = 1; i < words.size(); ++i) {
                const SshdFiles files = TARN_TRY(include(words[i]));
                for (const auto& [name, content] : files) {
                    TARN_TRY(parse(content, name, depth + 1));
                    match = outer;
                }
            }
        } else {
            out.push_back(std::move(option));
        }
        return {};
    }
};

std::optional<std::uint32_t> id_of(std::string_view text) {
    const auto value = parse_u64(text);
    return value && *value <= 0xffffffffu ? std::optional(static_cast<std::uint32_t>(*value))
                                          : std::nullopt;
}

std::optional<long> days(std::string_view text) {
    const bool negative = text.starts_with('-');
    const auto value = parse_u64(negative ? text.substr(1) : text);
    if (!value || *value > 1'000'000'000) {
        return std::nullopt;
    }
    return negative ? -static_cast<long>(*value) : static_cast<long>(*value);
}

// Lines with ':' between fields, at least `fields` of them.
template <class Make>
void each_record(std::string_view text, std::size_t fields, std::string_view file, Make make) {
    std::size_t number = 0;
    for (const std::string_view line : split_lines(text)) {
        ++number;
        const auto parts = split(line, ':');
        // "+" and "-" ask NIS, as of old: they count as lines of their own.
        if (line.empty() || line[0] == '#' || (parts.size() < fields && line[0] != '+')) {
            continue;
        }
        std::vector<std::string_view> padded(parts);
        padded.resize(std::max(padded.size(), fields));
        make(padded, fmt::format("{}:{}", file, number));
    }
}

}  // namespace

Result<std::vector<SshdOption>> parse_sshd(std::string_view text,
                                           const std::string& file,
                                           const SshdInclude& include) {
    SshdParser parser{include};
    TARN_TRY(parser.parse(text, file, 0));
    return std::move(parser.out);
}

std::vector<Setting> parse_settings(std::string_view text,
                                    SettingFormat format,
                                    const std::string& file) {
    std::vector<Setting> out;
    std::string section;
    std::size_t number = 0;
    for (const std::string_view raw : split_lines(text)) {
        ++number;
        const std::string_view line = trim(raw);
        if (line.empty() || line[0] == '#' || (line[0] == ';' && format == SettingFormat::kIni)) {
            continue;
        }
        if (format == SettingFormat::kIni && line[0] == '[') {
            const std::size_t end = line.find(']');
            section = std::string(line.substr(1, end == std::string_view::npos ? end : end - 1));
            continue;
        }
        const std::size_t end =
            format == SettingFormat::kWords ? line.find_first_of(" \t") : line.find('=');
        Setting setting;
        setting.section = section;
        setting.key = std::string(trim(line.substr(0, end)));
        if (end != std::string_view::npos) {
            setting.value = std::string(trim(line.substr(end + 1)));
        }
        std::string& value = setting.value;
        if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        setting.where = at_line(file, number);
        out.push_back(std::move(setting));
    }
    return out;
}

std::vector<Account> parse_passwd(std::string_view text) {
    std::vector<Account> out;
    each_record(text, 7, "/etc/passwd", [&](const auto& part, std::string where) {
        out.push_back({std::string(part[0]),
                       std::string(part[5]),
                       std::string(part[6]),
                       id_of(part[2]),
                       id_of(part[3]),
                       std::move(where)});
    });
    return out;
}

std::vector<Shadow> parse_shadow(std::string_view text) {
    std::vector<Shadow> out;
    each_record(text, 9, "/etc/shadow", [&](const auto& part, std::string where) {
        out.push_back({std::string(part[0]),
                       std::string(part[1]),
                       days(part[3]),
                       days(part[4]),
                       days(part[5]),
                       days(part[6]),
                       std::move(where)});
    });
    return out;
}

std::vector<Group> parse_group(std::string_view text) {
    std::vector<Group> out;
    each_record(text, 4, "/etc/group", [&](const auto& part, std::string where) {
        Group group{
            std::string(part[0]), std::string(part[1]), id_of(part[2]), {}, std::move(where)};
        for (const std::string_view member : split(part[3], ',')) {
            if (!member.empty()) {
                group.members.emplace_back(member);
            }
        }
        out.push_back(std::move(group));
    });
    return out;
}

std::vector<PamLine> parse_pam(std::string_view text, const std::string& file) {
    std::vector<PamLine> out;
    std::size_t number = 0;
    for (const std::string_view raw : split_lines(text)) {
        ++number;
        std::string_view line = trim(raw.substr(0, raw.find('#')));
        auto words = split_words(line);
        if (words.size() == 2 && words[0] == "@include") {
            out.push_back({"*", "include", std::string(words[1]), {}, at_line(file, number)});
            continue;
        }
        if (words.size() < 3) {
            continue;
        }
        PamLine pam;
        pam.type = std::string(words[0].starts_with('-') ? words[0].substr(1) : words[0]);
        std::size_t next = 1;
        pam.control = std::string(words[next++]);
        while (pam.control.starts_with('[') && !pam.control.ends_with(']') && next < words.size()) {
            pam.control += " " + std::string(words[next++]);
        }
        if (next >= words.size()) {
            continue;
        }
        const std::string_view module = words[next++];
        pam.module = std::string(module.substr(module.rfind('/') + 1));
        for (; next < words.size(); ++next) {
            pam.arguments.emplace_back(words[next]);
        }
        pam.where = at_line(file, number);
        out.push_back(std::move(pam));
    }
    return out;
}

std::vector<SudoersLine> parse_sudoers(std::string_view text, const std::string& file) {
    std::vector<SudoersLine> out;
    std::string whole;
    std::size_t number = 0;
    for (const std::string_view raw : split_lines(text)) {
        ++number;
        if (raw.ends_with('\\')) {
            whole += std::string(raw.substr(0, raw.size() - 1)) + " ";
            continue;
        }
        whole += raw;
        const std::string line(trim(whole));
        whole.clear();
        const auto words = split_words(line);
        if (words.empty() || (line[0] == '#' && !line.starts_with("#include"))) {
            continue;
        }
        SudoersLine one;
        one.defaults = words[0].starts_with("Defaults");
        one.who = std::string(words[0]);
        one.text = std::string(trim(std::string_view(line).substr(words[0].size())));
        one.where = at_line(file, number);
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace tarn::guest::baseline
