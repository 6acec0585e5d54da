// SPDX-License-Identifier: MIT
#include "vm/detail/results.hh"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "base/fs.hh"
#include "base/strings.hh"
#include "solve/solve.hh"

namespace tarn::vm {

namespace {

// "a b rest of it" -> a, b, rest.
std::vector<std::string> fields(std::string_view text, std::size_t count) {
    std::vector<std::string> out;
    while (out.size() + 1 < count) {
        const std::size_t at = text.find(' ');
        out.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return out;
        }
        text.remove_prefix(at + 1);
    }
    out.emplace_back(text);
    return out;
}

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < 8; ++i) {
        out += (i == 0 ? "" : ", ") + names[i];
    }
    return names.size() > 8 ? fmt::format("{} and {} more", out, names.size() - 8) : out;
}

std::string package_line(const ManifestPackage& package) {
    return fmt::format(
        "{} {} {}", package.nevra.name, package.nevra.evr.to_string(), package.nevra.arch);
}

std::vector<std::string> package_lines(const Manifest& manifest) {
    std::vector<std::string> out;
    for (const ManifestPackage& package : manifest.packages) {
        out.push_back(package_line(package));
    }
    return out;
}

BootCheck packages_check(const std::vector<std::string>& lines, const Manifest& manifest) {
    std::set<std::string> seen(lines.begin(), lines.end());
    std::vector<std::string> missing;
    for (const ManifestPackage& package : manifest.packages) {
        const std::string line = package_line(package);
        if (seen.erase(line) == 0) {
            missing.push_back(package.nevra.to_string());
        }
    }
    BootCheck check{"packages-equal-manifest", missing.empty() && seen.empty(), false, {}};
    if (check.passed) {
        check.detail = fmt::format("{} packages", manifest.packages.size());
    } else {
        const std::vector<std::string> more(seen.begin(), seen.end());
        check.detail = fmt::format("missing: {}; unknown: {}", listed(missing), listed(more));
    }
    return check;
}

std::vector<BootCheck> floor_checks(const std::vector<std::string>& lines, const Image& image) {
    std::map<std::string, std::string> installed;
    for (const std::string& line : lines) {
        const auto parts = fields(line, 3);
        if (parts.size() == 3) {
            installed[parts[0]] = parts[1];
        }
    }
    std::vector<BootCheck> checks;
    for (const auto& [name, floor] : image.version_floors) {
        const auto found = installed.find(name);
        BootCheck check{"version-" + name, false, false, {}};
        if (found == installed.end()) {
            check.detail = "not installed";
        } else {
            // The epoch is the packager's, not the software's.
            const std::size_t colon = found->second.find(':');
            const std::string version = found->second.substr(
                colon == std::string::npos ? 0 : colon + 1);
            check.passed = compare_evr(VersionScheme::kRpm, version, floor) >= 0;
            check.detail = fmt::format("{}, at least {}", version, floor);
        }
        checks.push_back(std::move(check));
    }
    return checks;
}

BootCheck verify_check(const std::vector<std::string>& lines, const Image& image) {
    std::vector<std::string> bad;
    for (const std::string& line : lines) {
        const std::size_t slash = line.find('/');
        const std::string path = slash == std::string::npos ? line : line.substr(slash);
        bool excepted = false;
        for (const NameReason& exception : image.verify_exceptions) {
            excepted = excepted || glob_match(exception.name, path);
        }
        if (!excepted && !trim(line).empty()) {
            bad.push_back(line);
        }
    }
    BootCheck check{"rpm-verify", bad.empty(), false, {}};
    check.detail = bad.empty() ? "clean but for declared exceptions" : listed(bad);
    return check;
}

}  // namespace

GuestResults parse_results(std::string_view text) {
    GuestResults results;
    for (std::string_view line : split_lines(text)) {
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line == "BEGIN") {
            results.begun = true;
        } else if (line == "END") {
            results.ended = true;
        } else if (line.starts_with("CHECK ")) {
            const auto parts = fields(line.substr(6), 3);
            if (parts.size() >= 2) {
                results.checks.push_back(
                    {parts[0], parts[1] == "pass", false, parts.size() > 2 ? parts[2] : ""});
            }
        } else if (line.starts_with("DATA ")) {
            const auto parts = fields(line.substr(5), 2);
            if (parts.size() == 2) {
                results.data[parts[0]].push_back(parts[1]);
            }
        }
    }
    return results;
}

bool watch_results(const std::string& path, std::uint64_t limit, const std::stop_token& done,
                   const std::function<void()>& begun) {
    bool seen = false;
    while (!done.stop_requested()) {
        std::error_code problem;
        const std::uintmax_t size = std::filesystem::file_size(path, problem);
        if (!problem && size > limit) {
            return true;
        }
        if (!seen) {
            // The firmware writes to every serial port, so only the guest's own word counts.
            const auto said = read_file(path, limit);
            if (said && parse_results(*said).begun) {
                seen = true;
                begun();
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

std::vector<BootCheck> host_checks(const GuestResults& guest,
                                   const Manifest& manifest,
                                   const Image& image) {
    const auto lines = [&](const char* name) {
        const auto found = guest.data.find(name);
        return found == guest.data.end() ? std::vector<std::string>{} : found->second;
    };
    std::vector<BootCheck> checks;
    const bool has_rpm = std::ranges::any_of(
        manifest.packages, [](const auto& package) { return package.nevra.name == "rpm"; });
    if (!has_rpm && !lines("no-rpm").empty()) {
        for (const char* name : {"packages-equal-manifest", "rpm-verify"}) {
            checks.push_back({name, false, true, "the image has no rpm to ask"});
        }
        for (BootCheck& check : floor_checks(package_lines(manifest), image)) {
            checks.push_back(std::move(check));
        }
        return checks;
    }
    checks.push_back(packages_check(lines("rpm"), manifest));
    for (BootCheck& check : floor_checks(lines("rpm"), image)) {
        checks.push_back(std::move(check));
    }
    checks.push_back(verify_check(lines("verify"), image));
    return checks;
}

}  // namespace tarn::vm
