// SPDX-License-Identifier: MIT
#include "build/detail/failure.hh"

#include "base/strings.hh"
#include "build/detail/query.hh"

#include <algorithm>
#include <set>

namespace tarn::build {

namespace {

constexpr std::size_t kLineLimit = 300;
constexpr std::string_view kBadExit = "Bad exit status from ";
constexpr std::string_view kExecuting = "Executing(";

std::string readable(std::string_view line) {
    std::string text;
    bool escape = false;
    for (char c : line.substr(0, kLineLimit)) {
        if (c == '\x1b') {
            escape = true;
        } else if (escape) {
            escape = c == '[' || c == ';' || (c >= '0' && c <= '9');
        } else if (c == '\t') {
            text += "    ";
        } else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
            text += c;
        }
    }
    return text;
}

// "Bad exit status from /tmp/rpm-tmp.x (%build)" -> "%build".
std::string section_of(std::string_view line) {
    const std::size_t open = line.rfind('(');
    const std::size_t close = line.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return {};
    }
    const std::string_view inside = line.substr(open + 1, close - open - 1);
    return inside.starts_with('%') ? std::string(inside) : std::string();
}

// What rpmbuild itself says against the file lists.
bool about_files(std::string_view line) {
    static constexpr std::string_view kWords[] = {"File not found",
                                                  "Installed (but unpackaged)",
                                                  "Directory not found",
                                                  "Empty %files",
                                                  "File listed twice",
                                                  "Could not open %files"};
    return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
        return contains(line, word);
    });
}

std::string telling_line(const std::vector<std::string_view>& lines) {
    static constexpr std::string_view kSigns[] = {"error:",
                                                  "Error: ",
                                                  "undefined reference",
                                                  "FAIL:",
                                                  "*** ",
                                                  "command not found",
                                                  "CMake Error",
                                                  "No rule to make target"};
    for (std::string_view line : lines) {
        if (line.starts_with("error: ")) {
            continue;  // rpmbuild's own summary
        }
        for (std::string_view sign : kSigns) {
            if (contains(line, sign)) {
                return readable(trim(line));
            }
        }
    }
    return {};
}

// Text between `before` and `after` in a line, or empty.
std::string_view between(std::string_view line, std::string_view before, std::string_view after) {
    const std::size_t at = line.find(before);
    if (at == std::string_view::npos) {
        return {};
    }
    line.remove_prefix(at + before.size());
    const std::size_t end = line.find(after);
    return end == std::string_view::npos ? std::string_view{} : line.substr(0, end);
}

// What a line misses, as something a package may have.
std::vector<std::string> missing_in(std::string_view line) {
    if (const auto header = between(line, "fatal error: ", ": No such file"); !header.empty()) {
        return {"/usr/include/" + std::string(header),
                "/usr/include/x86_64-linux-gnu/" + std::string(header)};
    }
    if (contains(line, ": command not found")) {
        std::string_view name = line.substr(0, line.find(": command not found"));
        name =
            trim(name.substr(name.rfind(' ') == std::string_view::npos ? 0 : name.rfind(' ') + 1));
        return {"/usr/bin/" + std::string(name), "/usr/sbin/" + std::string(name)};
    }
    for (const auto& [before, after] :
         {std::pair<std::string_view, std::string_view>{"No package '", "' found"},
          {"Package '", "' not found"},
          {"Package '", "', required by"}}) {
        if (const auto name = between(line, before, after); !name.empty()) {
            return {"pkgconfig(" + std::string(name) + ")"};
        }
    }
    if (const auto library = between(line, "cannot find -l", ":"); !library.empty()) {
        return {"/usr/lib/x86_64-linux-gnu/lib" + std::string(library) + ".so"};
    }
    return {};
}

// Where the lines that matter end: at rpmbuild's verdict.
std::size_t verdict_line(const std::vector<std::string_view>& lines) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].starts_with("error: ") && !contains(lines[i], "rpmdb") &&
            !contains(lines[i], "Packages ")) {
            return i;
        }
    }
    return lines.size();
}

}  // namespace

LogVerdict read_log(std::string_view log, const std::string& spec_name) {
    const auto lines = split_lines(log);
    LogVerdict verdict;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].starts_with(kExecuting)) {
            begin = i;
        }
    }
    const std::size_t end = verdict_line(lines);
    begin = std::min(begin, end);
    const std::vector<std::string_view> section(lines.begin() + static_cast<std::ptrdiff_t>(begin),
                                                lines.begin() + static_cast<std::ptrdiff_t>(end));
    const std::vector<std::string_view> said(lines.begin() + static_cast<std::ptrdiff_t>(end),
                                             lines.end());
    for (std::string_view line : said) {
        if (contains(line, kBadExit)) {
            verdict.section = section_of(line);
        } else if (verdict.section.empty() && about_files(line)) {
            verdict.section = "%files";
        }
    }
    const auto complaints = spec_errors(log, spec_name);
    if (verdict.section.empty()) {
        const bool began = contains(log, kExecuting);
        verdict.section = began || complaints.empty() ? "rpmbuild" : "spec";
    }
    if (verdict.section == "spec" || verdict.section == "%files" || verdict.section == "rpmbuild") {
        verdict.reason = complaints.empty() ? std::string() : readable(complaints.front());
    } else {
        verdict.reason = telling_line(section);
    }
    const auto& shown = verdict.section == "%files" || section.empty() ? said : section;
    const std::size_t first = shown.size() > kTailLines ? shown.size() - kTailLines : 0;
    for (std::size_t i = first; i < shown.size(); ++i) {
        verdict.tail.push_back(readable(shown[i]));
    }
    return verdict;
}

std::string section_started(std::string_view piece) {
    const std::size_t at = piece.rfind(kExecuting);
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view name = between(piece.substr(at), kExecuting, ")");
    return name.starts_with('%') ? std::string(name) : std::string();
}

std::vector<std::string> missing_advice(std::string_view log, const OwnerOf& owner) {
    std::vector<std::string> advice;
    std::set<std::string> seen;
    for (std::string_view line : split_lines(log)) {
        for (const auto& what : missing_in(line)) {
            if (seen.size() >= 16 || !seen.insert(what).second) {
                continue;
            }
            if (const std::string package = owner(what); !package.empty()) {
                advice.push_back(fmt::format("{} is in {}; add `BuildRequires: {}`",
                                             what,
                                             package,
                                             what.starts_with("pkgconfig(") ? what : package));
            }
        }
    }
    return advice;
}

}  // namespace tarn::build
