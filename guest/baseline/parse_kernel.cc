// SPDX-License-Identifier: MIT
// sysctl.d, mounts, modprobe.d, audit rules, sockets, kernel configuration and command line.
#include "base/strings.hh"

#include "baseline/detail/parsers.hh"

#include <algorithm>

namespace tarn::guest::baseline {
namespace {

std::string at_line(const std::string& file, std::size_t line) {
    return fmt::format("{}:{}", file, line);
}

// The octal escapes of mountinfo and fstab: "\040" is a blank.
std::string unescape_octal(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && text.size() - i > 3) {
            const auto code = parse_u64(text.substr(i + 1, 3), 8);
            if (code && *code < 256) {
                out.push_back(static_cast<char>(*code));
                i += 3;
                continue;
            }
        }
        out.push_back(text[i]);
    }
    return out;
}

void append_options(std::vector<std::string>& out, std::string_view text) {
    for (const std::string_view one : split(text, ',')) {
        if (!one.empty()) {
            out.emplace_back(one);
        }
    }
}

}  // namespace

std::string sysctl_path(std::string_view key) {
    std::string out(trim(key));
    const std::size_t first = out.find_first_of("./");
    if (first != std::string::npos && out[first] == '.') {
        for (char& c : out) {
            c = c == '.' ? '/' : c == '/' ? '.' : c;
        }
    }
    return out;
}

void SysctlConfig::add(std::string_view text, const std::string& file) {
    std::size_t number = 0;
    for (const std::string_view raw : split_lines(text)) {
        ++number;
        std::string_view line = trim(raw);
        if (line.empty() || line[0] == '#' || line[0] == ';') {
            continue;
        }
        const bool dash = line[0] == '-';
        if (dash) {
            line.remove_prefix(1);
        }
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            if (dash) {
                excluded_.insert(sysctl_path(line));
            }
            continue;
        }
        const std::string key = sysctl_path(line.substr(0, equals));
        Said said{std::string(trim(line.substr(equals + 1))), at_line(file, number)};
        if (key.find_first_of("*?[") != std::string::npos) {
            patterns_.emplace_back(key, std::move(said));
        } else {
            named_[key] = std::move(said);
        }
    }
}

std::optional<Said> SysctlConfig::find(std::string_view key) const {
    const std::string path = sysctl_path(key);
    if (const auto found = named_.find(path); found != named_.end()) {
        return found->second;
    }
    if (excluded_.contains(path)) {
        return std::nullopt;
    }
    for (auto one = patterns_.rbegin(); one != patterns_.rend(); ++one) {
        if (glob_match(one->first, path)) {
            return one->second;
        }
    }
    return std::nullopt;
}

bool Mount::has(std::string_view option) const {
    return std::ranges::find(options, option) != options.end();
}

std::vector<Mount> parse_mountinfo(std::string_view text) {
    std::vector<Mount> out;
    for (const std::string_view line : split_lines(text)) {
        const auto words = split_words(line);
        // 36 35 98:0 /root /point options [tags...] - type source super-options
        const auto dash = std::ranges::find(words, "-");
        if (words.size() < 9 || dash - words.begin() < 6 || words.end() - dash < 3) {
            continue;
        }
        Mount mount;
        mount.point = unescape_octal(words[4]);
        append_options(mount.options, words[5]);
        mount.type = std::string(dash[1]);
        mount.source = unescape_octal(dash[2]);
        if (words.end() - dash > 3) {
            append_options(mount.options, dash[3]);
        }
        out.push_back(std::move(mount));
    }
    return out;
}

std::vector<Mount> parse_fstab(std::string_view text) {
    std::vector<Mount> out;
    for (const std::string_view line : split_lines(text)) {
        const auto words = split_words(line);
        if (words.size() < 3 || words[0].starts_with('#')) {
            continue;
        }
        Mount mount;
        mount.source = unescape_octal(words[0]);
        mount.point = unescape_octal(words[1]);
        mount.type = std::string(words[2]);
        append_options(mount.options, words.size() > 3 ? words[3] : "defaults");
        out.push_back(std::move(mount));
    }
    return out;
}

std::string mount_unit_name(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) {
        path.remove_suffix(1);
    }
    if (path == "/") {
        return "-.mount";
    }
    path.remove_prefix(path.starts_with('/') ? 1 : 0);
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const char c = path[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_' || c == ':' || (c == '.' && i > 0);
        if (c == '/') {
            out += '-';
        } else if (plain) {
            out += c;
        } else {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return out + ".mount";
}

std::string module_name(std::string_view name) {
    std::string out(name);
    std::ranges::replace(out, '-', '_');
    return out;
}

void ModprobeConfig::add(std::string_view text, const std::string& file) {
    std::size_t number = 0;
    for (const std::string_view line : split_lines(text)) {
        ++number;
        const auto words = split_words(line);
        if (words.size() >= 2 && words[0] == "blacklist") {
            blacklisted[module_name(words[1])] = {"", at_line(file, number)};
        } else if (words.size() >= 3 && words[0] == "install") {
            std::string command;
            for (std::size_t i = 2; i < words.size(); ++i) {
                command += (i > 2 ? " " : "") + std::string(words[i]);
            }
            installs[module_name(words[1])] = {std::move(command), at_line(file, number)};
        }
    }
}

namespace {

void read_field(AuditRule& rule, std::string_view field) {
    const auto value = [&](std::string_view name) -> std::optional<std::string_view> {
        return field.starts_with(name) ? std::optional(field.substr(name.size())) : std::nullopt;
    };
    if (const auto path = value("path=")) {
        rule.path = std::string(*path);
    } else if (const auto directory = value("dir=")) {
        rule.path = std::string(*directory);
    } else if (const auto permissions = value("perm=")) {
        rule.permissions = std::string(*permissions);
    } else if (const auto arch = value("arch=")) {
        rule.arch = std::string(*arch);
    }
}

void read_list(AuditRule& rule, std::string_view text) {
    for (const std::string_view one : split(text, ',')) {
        (one == "always" || one == "never" ? rule.action : rule.list) = std::string(one);
    }
}

}  // namespace

void AuditRules::add(std::string_view text, const std::string& file) {
    std::size_t number = 0;
    for (const std::string_view line : split_lines(text)) {
        ++number;
        const auto words = split_words(line);
        if (words.empty() || words[0].starts_with('#')) {
            continue;
        }
        if (words[0] == "-D") {
            rules.clear();
            continue;
        }
        AuditRule rule;
        rule.where = at_line(file, number);
        bool is_rule = false;
        for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
            const std::string_view value = words[i + 1];
            if (words[i] == "-w") {
                rule.path = std::string(value);
                rule.list = "exit";
                rule.action = "always";
                rule.permissions = rule.permissions.empty() ? "rwxa" : rule.permissions;
                is_rule = true;
            } else if (words[i] == "-p") {
                rule.permissions = std::string(value);
            } else if (words[i] == "-a" || words[i] == "-A") {
                read_list(rule, value);
                is_rule = true;
            } else if (words[i] == "-S") {
                append_options(rule.syscalls, value);
            } else if (words[i] == "-F") {
                read_field(rule, value);
            } else if (words[i] == "-e") {
                enabled = std::string(value);
            } else if (words[i] == "-b") {
                backlog = std::string(value);
            }
        }
        if (is_rule) {
            rules.push_back(std::move(rule));
        }
    }
}

std::vector<ListeningSocket> parse_sockets(std::string_view text, std::string_view protocol) {
    std::vector<ListeningSocket> out;
    for (const std::string_view line : split_lines(text)) {
        const auto words = split_words(line);
        if (words.size() < 4) {
            continue;
        }
        const std::size_t colon = words[1].rfind(':');
        const bool listens = words[3] == (protocol == "tcp" ? "0A" : "07");
        if (colon == std::string_view::npos || !listens) {
            continue;
        }
        const auto port = parse_u64(words[1].substr(colon + 1), 16);
        if (!port || *port == 0 || *port > 65535) {
            continue;
        }
        const std::string_view address = words[1].substr(0, colon);
        // Words of the address are printed as the machine stores them: little-endian.
        const bool local =
            address.size() == 8
                ? address.ends_with("7F")
                : address == "00000000000000000000000001000000" ||
                      (address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"));
        out.push_back({std::string(protocol), static_cast<std::uint16_t>(*port), local});
    }
    return out;
}

std::map<std::string, std::string> parse_kernel_config(std::string_view text) {
    std::map<std::string, std::string> out;
    for (const std::string_view line : split_lines(text)) {
        const std::size_t equals = line.find('=');
        if (line.starts_with("CONFIG_") && equals != std::string_view::npos) {
            out.emplace(line.substr(0, equals), trim(line.substr(equals + 1)));
        }
    }
    return out;
}

std::vector<std::string> parse_arguments(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ' ' || c == '\n' || c == '\t' || c == '\0')) {
            if (!word.empty()) {
                out.push_back(std::move(word));
            }
            word.clear();
        } else {
            word.push_back(c);
        }
    }
    if (!word.empty()) {
        out.push_back(std::move(word));
    }
    return out;
}

}  // namespace tarn::guest::baseline
