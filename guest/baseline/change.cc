// SPDX-License-Identifier: MIT
#include "baseline/detail/change.hh"

#include "base/strings.hh"

namespace tarn::guest::baseline {
namespace {

std::string setting_line(const Change& change) {
    if (change.format == SettingFormat::kWords) {
        return change.key + "\t" + change.value;
    }
    if (change.value.empty()) {
        return change.key;
    }
    return change.key + (change.format == SettingFormat::kIni ? "=" : " = ") + change.value;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    for (const std::string_view line : split_lines(text)) {
        out.emplace_back(line);
    }
    return out;
}

std::string text_of(const std::vector<std::string>& lines) {
    return lines.empty() ? std::string() : join(lines, "\n") + "\n";
}

}  // namespace

std::string with_setting(std::string_view text, const Change& change) {
    std::vector<std::string> lines = lines_of(text);
    std::string section;
    std::size_t end_of_section = change.section.empty() ? lines.size() : std::string::npos;
    std::size_t said = std::string::npos;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string line(trim(lines[i]));
        if (change.format == SettingFormat::kIni && line.starts_with('[')) {
            section = line.substr(1, line.find(']') - 1);
        }
        if (section == change.section && !change.section.empty()) {
            end_of_section = i + 1;
        }
        const auto parsed = parse_settings(line, change.format, "");
        if (!parsed.empty() && parsed[0].key == change.key && section == change.section) {
            said = i;
        }
    }
    if (said != std::string::npos) {
        lines[said] = setting_line(change);
    } else if (end_of_section != std::string::npos) {
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(end_of_section),
                     setting_line(change));
    } else {
        lines.push_back("[" + change.section + "]");
        lines.push_back(setting_line(change));
    }
    return text_of(lines);
}

std::string with_line(std::string_view text, const Change& change) {
    std::vector<std::string> lines = lines_of(text);
    if (lines.empty()) {
        lines.emplace_back("# Written by tarn-baseline; `tarn-baseline undo` takes it back.");
    }
    for (std::string& line : lines) {
        const bool same = line.starts_with(change.key) &&
                          (line.size() == change.key.size() || line[change.key.size()] == ' ');
        if (same) {
            line = change.value;
            return text_of(lines);
        }
    }
    lines.push_back(change.value);
    return text_of(lines);
}

}  // namespace tarn::guest::baseline
