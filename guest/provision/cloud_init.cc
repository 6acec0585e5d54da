// SPDX-License-Identifier: MIT
#include "provision/cloud_init.hh"

#include "provision/markers.hh"
#include <nlohmann/json.hpp>

namespace tarn::guest {
namespace {

// JSON is YAML.
std::string dump(const nlohmann::json& value) {
    return value.dump(1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<void> hand_over_to_cloud_init(const Machine& machine,
                                     const Tools& tools,
                                     const Settings& settings) {
    const std::string seed = "/var/lib/cloud/seed/nocloud";
    TARN_TRY(machine.make_directory("/var/lib/cloud/seed", 0755, Owner{}));
    TARN_TRY(machine.make_directory(seed, 0700, Owner{}));
    nlohmann::json metadata = {{"instance-id", settings.instance_id}};
    for (const auto& [name, value] : settings.metadata) {
        if (name != "state_directory" && name != "ovf_file") {
            metadata[name] = value;
        }
    }
    if (!settings.hostname.empty()) {
        metadata["local-hostname"] = settings.hostname;
    }
    metadata["public-keys"] = settings.ssh_keys;
    const std::string& payload =
        settings.custom_data.empty() ? settings.user_data : settings.custom_data;
    TARN_TRY(machine.write(seed + "/user-data", payload, 0600, Owner{}));
    TARN_TRY(machine.write(seed + "/vendor-data", settings.vendor_data, 0600, Owner{}));
    TARN_TRY(machine.write(seed + "/meta-data", dump(metadata), 0600, Owner{}));

    nlohmann::json config = {{"datasource_list", {"NoCloud", "None"}},
                             {"network", {{"config", "disabled"}}},
                             {"ssh_deletekeys", false},
                             {"ssh_pwauth", !settings.disable_password_authentication}};
    if (!settings.user.empty()) {
        config["system_info"] = {{"default_user",
                                  {{"name", settings.user},
                                   {"lock_passwd", settings.password.empty()},
                                   {"sudo", {"ALL=(ALL) NOPASSWD:ALL"}}}}};
    }
    TARN_TRY(machine.make_directory("/etc/cloud/cloud.cfg.d", 0755, Owner{}));
    TARN_TRY(machine.write(
        kHandedOver,
        "#cloud-config\n# Written by tarn-provision, which hands over.\n" + dump(config),
        0600,
        Owner{}));
    TARN_TRY(machine.remove("/etc/cloud/cloud-init.disabled"));
    Program start{{"/usr/bin/systemctl", "--no-block", "start"}, {}, false, {}};
    for (const char* unit : {"cloud-init-main.service",
                             "cloud-init-local.service",
                             "cloud-init-network.service",
                             "cloud-init.service",
                             "cloud-config.service",
                             "cloud-final.service"}) {
        if (machine.exists(std::string("/usr/lib/systemd/system/") + unit)) {
            start.argv.emplace_back(unit);
        }
    }
    return start.argv.size() == 3 ? Result<void>() : run_checked(tools, machine, start);
}

}  // namespace tarn::guest
