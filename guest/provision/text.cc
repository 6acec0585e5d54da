// SPDX-License-Identifier: MIT
#include "provision/text.hh"

#include "base/strings.hh"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

namespace tarn::guest {

std::string canonical_uuid(std::string_view text) {
    std::string uuid = to_lower(trim(text));
    if (uuid.size() != 36) {
        return {};
    }
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool digit = (uuid[i] >= '0' && uuid[i] <= '9') || (uuid[i] >= 'a' && uuid[i] <= 'f');
        if (dash ? uuid[i] != '-' : !digit) {
            return {};
        }
    }
    // Firmware that was never told an identity shows one of these.
    if (uuid.find_first_not_of("0-") == std::string::npos ||
        uuid.find_first_not_of("f-") == std::string::npos) {
        return {};
    }
    return uuid;
}

std::string swapped_uuid(std::string_view text) {
    const std::string uuid = canonical_uuid(text);
    if (uuid.empty()) {
        return {};
    }
    std::string out;
    for (const auto& [at, size] : {std::pair(0u, 8u), std::pair(9u, 4u), std::pair(14u, 4u)}) {
        for (unsigned i = size; i > 0; i -= 2) {
            out += uuid.substr(at + i - 2, 2);
        }
        out += '-';
    }
    return out + uuid.substr(19);
}

bool same_instance(std::string_view a, std::string_view b) {
    const std::string left = canonical_uuid(a);
    const std::string right = canonical_uuid(b);
    if (left.empty() || right.empty()) {
        return !a.empty() && a == b;
    }
    return left == right || left == swapped_uuid(right);
}

std::string directory_name(std::string_view id) {
    const bool harmless = !id.empty() && id.size() <= 64 && id[0] != '.' &&
                          std::all_of(id.begin(), id.end(), [](char c) {
                              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                     (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
                          });
    return harmless ? std::string(id) : fmt::format(".id-{:016x}", fnv64(id));
}

std::uint64_t fnv64(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    return hash;
}

std::string_view cut_text(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) {
        return text;
    }
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) {
        --bytes;
    }
    return text.substr(0, bytes);
}

std::string one_line(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = ' ';
        }
    }
    return out;
}

std::string timestamp_now() {
    const time_t now = ::time(nullptr);
    tm parts{};
    ::gmtime_r(&now, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+00:00",
                       parts.tm_year + 1900,
                       parts.tm_mon + 1,
                       parts.tm_mday,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

std::chrono::milliseconds boot_time() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::milliseconds(now.tv_nsec / 1'000'000);
}

}  // namespace tarn::guest
