// SPDX-License-Identifier: MIT
#include "provision/detect.hh"

#include "base/strings.hh"

#include "provision/text.hh"

namespace tarn::guest {

namespace {

constexpr std::string_view kAzureTag = "7783-7084-3265-9085-8269-3286-77";
constexpr std::size_t kSmall = 64u << 10;

std::string small_file(const Machine& machine, const std::string& path) {
    const auto text = machine.read(path, kSmall);
    return text ? std::string(trim(*text)) : std::string();
}

}  // namespace

std::optional<std::map<std::string, std::string>> parse_seed_text(std::string_view text) {
    text = trim(text);
    std::map<std::string, std::string> seed;
    bool first = true;
    for (const std::string_view part : split(text, ';')) {
        const std::size_t equals = part.find('=');
        const std::string key = to_lower(trim(part.substr(0, equals)));
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view() : trim(part.substr(equals + 1));
        if (first) {
            const std::string name = to_lower(value);
            if (key != "ds" || (name != "nocloud" && name != "nocloud-net")) {
                return std::nullopt;
            }
            first = false;
            continue;
        }
        // Short and long names of the same settings.
        const std::string name = key == "h"   ? "local-hostname"
                                 : key == "i" ? "instance-id"
                                 : key == "s" ? "seedfrom"
                                              : key;
        if (!name.empty()) {
            seed[name] = value;
        }
    }
    return seed;
}

Detection detect(const Machine& machine) {
    Detection result;
    const std::string cmdline = small_file(machine, "/proc/cmdline");
    for (const std::string_view word : split_words(cmdline)) {
        if (word == "tarn.provision=off" || word == "tarn.provision=0") {
            result.switched_off = true;
            result.why = "the kernel's command line says tarn.provision=off";
            return result;
        }
    }
    const std::string dmi = "/sys/class/dmi/id/";
    if (small_file(machine, dmi + "chassis_asset_tag") == kAzureTag) {
        result.platform = Platform::kAzure;
        result.why = "the chassis' asset tag is Azure's";
        const std::string uuid = small_file(machine, dmi + "product_uuid");
        // Firmware of the first generation, which has no EFI, shows it byte-swapped.
        result.vm_id =
            machine.exists("/sys/firmware/efi") ? canonical_uuid(uuid) : swapped_uuid(uuid);
        return result;
    }
    auto seed = parse_seed_text(small_file(machine, dmi + "product_serial"));
    std::string why = "SMBIOS' serial number";
    for (const std::string_view word : split_words(cmdline)) {
        if (!seed) {
            seed = parse_seed_text(word);
            why = "the kernel's command line";
        }
    }
    if (seed) {
        result.platform = Platform::kNoCloud;
        result.why = why + " says ds=nocloud";
        result.seed = std::move(*seed);
    }
    return result;
}

}  // namespace tarn::guest
