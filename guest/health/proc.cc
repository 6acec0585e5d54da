// SPDX-License-Identifier: MIT
#include "health/proc.hh"

#include <array>
#include <charconv>

#include "base/strings.hh"

namespace tarn::guest {

namespace {

constexpr double kTick = 100;  // USER_HZ of every architecture that is supported
constexpr std::size_t kMaxLines = 4096;

std::optional<double> decimal(std::string_view text) {
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = problem == std::errc() && end == text.data() + text.size();
    return whole && value >= 0 && value < 1e18 ? std::optional(value) : std::nullopt;
}

std::uint64_t number(const std::vector<std::string_view>& words, std::size_t at) {
    return at < words.size() ? parse_u64(words[at]).value_or(0) : 0;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    auto lines = split_lines(text.substr(0, 4u << 20));
    if (lines.size() > kMaxLines) {
        lines.resize(kMaxLines);
    }
    return lines;
}

}  // namespace

Pressure parse_pressure(std::string_view text) {
    Pressure out;
    for (const std::string_view line : lines_of(text)) {
        const auto words = split_words(line);
        if (words.empty() || (words[0] != "some" && words[0] != "full")) {
            continue;
        }
        const bool some = words[0] == "some";
        for (const std::string_view word : words) {
            if (word.starts_with("avg10=")) {
                (some ? out.some_avg10 : out.full_avg10) = decimal(word.substr(6));
            } else if (word.starts_with("total=")) {
                if (const auto micros = decimal(word.substr(6))) {
                    (some ? out.some_seconds : out.full_seconds) = *micros / 1e6;
                }
            }
        }
    }
    return out;
}

std::map<std::string, std::uint64_t> parse_pairs(std::string_view text) {
    std::map<std::string, std::uint64_t> out;
    for (const std::string_view line : lines_of(text)) {
        const auto words = split_words(line);
        const auto value = words.size() >= 2 ? parse_u64(words[1]) : std::nullopt;
        if (value) {
            std::string_view name = words[0];
            if (name.ends_with(':')) {
                name.remove_suffix(1);
            }
            out.emplace(name, *value);
        }
    }
    return out;
}

CpuTimes parse_stat(std::string_view text) {
    static constexpr std::array<const char*, 8> kModes{
        "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};
    CpuTimes out;
    for (const std::string_view line : lines_of(text)) {
        const auto words = split_words(line);
        if (words.size() < 2) {
            continue;
        }
        if (words[0] == "cpu") {
            for (std::size_t i = 0; i < kModes.size() && i + 1 < words.size(); ++i) {
                if (const auto ticks = parse_u64(words[i + 1])) {
                    out.seconds[kModes[i]] = static_cast<double>(*ticks) / kTick;
                }
            }
        } else if (words[0].starts_with("cpu")) {
            ++out.processors;
        } else if (words[0] != "intr" && words[0] != "softirq") {
            if (const auto value = parse_u64(words[1])) {
                out.counts.emplace(words[0], *value);
            }
        }
    }
    return out;
}

std::vector<Disk> parse_diskstats(std::string_view text) {
    std::vector<Disk> out;
    for (const std::string_view line : lines_of(text)) {
        const auto words = split_words(line);
        if (words.size() < 14) {
            continue;
        }
        const std::string_view name = words[2];
        if (name.starts_with("loop") || name.starts_with("ram") || name.starts_with("zram")) {
            continue;
        }
        constexpr std::uint64_t kSector = 512;
        Disk disk;
        disk.name = name;
        disk.reads = number(words, 3);
        disk.read_bytes = number(words, 5) * kSector;
        disk.read_seconds = static_cast<double>(number(words, 6)) / 1000;
        disk.writes = number(words, 7);
        disk.written_bytes = number(words, 9) * kSector;
        disk.write_seconds = static_cast<double>(number(words, 10)) / 1000;
        disk.in_flight = number(words, 11);
        disk.busy_seconds = static_cast<double>(number(words, 12)) / 1000;
        out.push_back(std::move(disk));
    }
    return out;
}

std::vector<NetDevice> parse_net_dev(std::string_view text) {
    std::vector<NetDevice> out;
    for (const std::string_view line : lines_of(text)) {
        const std::size_t colon = line.rfind(':');  // a name may hold one
        if (colon == std::string_view::npos || contains(line, "|")) {
            continue;
        }
        const auto words = split_words(line.substr(colon + 1));
        const std::string_view name = trim(line.substr(0, colon));
        if (words.size() < 16 || name.empty()) {
            continue;
        }
        NetDevice device;
        device.name = name;
        device.rx_bytes = number(words, 0);
        device.rx_packets = number(words, 1);
        device.rx_errors = number(words, 2);
        device.rx_dropped = number(words, 3);
        device.tx_bytes = number(words, 8);
        device.tx_packets = number(words, 9);
        device.tx_errors = number(words, 10);
        device.tx_dropped = number(words, 11);
        out.push_back(std::move(device));
    }
    return out;
}

std::map<std::string, std::uint64_t> parse_netstat(std::string_view text) {
    std::map<std::string, std::uint64_t> out;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
        const auto names = split_words(lines[i]);
        const auto values = split_words(lines[i + 1]);
        if (names.empty() || values.empty() || names[0] != values[0] || !names[0].ends_with(':')) {
            continue;
        }
        const std::string protocol(names[0].substr(0, names[0].size() - 1));
        for (std::size_t at = 1; at < names.size() && at < values.size(); ++at) {
            if (const auto value = parse_u64(values[at])) {
                out.emplace(protocol + "." + std::string(names[at]), *value);
            }
        }
    }
    return out;
}

namespace {

std::string without_escapes(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto code = text[i] == '\\' && text.size() - i >= 4
                              ? parse_u64(text.substr(i + 1, 3), 8)
                              : std::nullopt;
        if (code && *code < 256) {
            out += static_cast<char>(static_cast<unsigned char>(*code));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

std::vector<MountPoint> parse_mountinfo(std::string_view text) {
    std::vector<MountPoint> out;
    for (const std::string_view line : lines_of(text)) {
        const auto words = split_words(line);
        std::size_t dash = 6;  // after the optional fields
        while (dash < words.size() && words[dash] != "-") {
            ++dash;
        }
        if (words.size() < dash + 3 || dash >= words.size()) {
            continue;
        }
        MountPoint mount;
        mount.path = without_escapes(words[4]);
        mount.type = words[dash + 1];
        mount.source = without_escapes(words[dash + 2]);
        mount.options = words[5];
        for (const std::string_view option : split(words[5], ',')) {
            mount.read_only = mount.read_only || option == "ro";
        }
        out.push_back(std::move(mount));
    }
    return out;
}

}  // namespace tarn::guest
