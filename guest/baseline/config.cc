// SPDX-License-Identifier: MIT
#include "baseline/config.hh"

#include "base/strings.hh"

#include "baseline/detail/facts.hh"

namespace tarn::guest::baseline {

Result<MachineConfig> load_machine_config(const Target& target) {
    const Facts facts(target, {});
    MachineConfig all;
    for (const std::string& path :
         facts.drop_ins({"/etc/tarn/baseline.d", "/usr/lib/tarn/baseline.d"}, ".toml")) {
        const std::string text = TARN_TRY(target.read(path, 1u << 20));
        MachineConfig one = TARN_TRY(parse_machine_config(text, path));
        if (!one.profile.empty()) {
            all.profile = std::move(one.profile);
        }
        all.roles.insert(all.roles.end(), one.roles.begin(), one.roles.end());
        all.exceptions.insert(all.exceptions.end(), one.exceptions.begin(), one.exceptions.end());
    }
    return all;
}

std::vector<std::string> detect_roles(const Target& target) {
    const Facts facts(target, {});
    std::vector<std::string> roles;
    if (const auto line = target.command_line(); line && contains(*line, "roothash=")) {
        roles.emplace_back("immutable");
    }
    if (facts.unit_state("kdump.service") == UnitState::kEnabled) {
        roles.emplace_back("kdump");
    }
    if (target.live()) {
        const auto document = target.platform();
        const std::string flat = document ? replace_all(*document, "\\", "") : std::string();
        if (contains(to_lower(replace_all(flat, " ", "")), "\"securebootenabled\":\"true\"")) {
            roles.emplace_back("trusted-launch");
        }
    }
    return roles;
}

std::string machine_id(const Target& target) {
    for (const char* path : {"/sys/class/dmi/id/product_uuid", "/etc/machine-id"}) {
        const bool runtime = std::string_view(path).starts_with("/sys");
        if (runtime && !target.live()) {
            continue;
        }
        if (const auto text = target.read(path, 4096); text && trim(*text).size() > 30) {
            return to_lower(trim(*text));
        }
    }
    return {};
}

}  // namespace tarn::guest::baseline
