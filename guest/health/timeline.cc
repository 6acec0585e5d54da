// SPDX-License-Identifier: MIT
#include "health/timeline.hh"

#include <algorithm>

#include "varlink/json.hh"

namespace tarn::guest {

Boot make_boot(const HealthInputs& inputs) {
    Boot boot;
    if (inputs.manager) {
        const auto& stamps = inputs.manager->timestamps;
        const auto at = [&](const char* name) {
            const auto found = stamps.find(name);
            return found == stamps.end() ? 0.0 : static_cast<double>(found->second) / 1e6;
        };
        const double firmware = at("Firmware"), loader = at("Loader"), initrd = at("InitRD");
        const double userspace = at("Userspace"), finish = at("Finish");
        const auto add = [&](const char* name, double start, double end) {
            if (end > start) {
                boot.phases.push_back({name, start, end - start});
            }
        };
        if (firmware > 0) {
            add("firmware", -firmware, -loader);
        }
        if (loader > 0) {
            add("loader", -loader, 0);
        }
        add("kernel", 0, initrd > 0 ? initrd : userspace);
        if (initrd > 0) {
            add("initrd", initrd, userspace);
        }
        add("userspace", userspace, finish);
        boot.total = finish > 0 ? finish + std::max(firmware, loader) : 0;
    }
    if (inputs.provisioning) {
        for (const auto& [name, seconds] : inputs.provisioning->steps) {
            boot.phases.push_back({"provision/" + name, 0, seconds});
        }
        if (inputs.provisioning->ready_seconds > 0) {
            boot.phases.push_back({"provision-ready", 0, inputs.provisioning->ready_seconds});
        }
    }
    return boot;
}

namespace {

nlohmann::json boot_json(const Boot& boot) {
    nlohmann::json phases = nlohmann::json::array();
    for (const Phase& phase : boot.phases) {
        nlohmann::json one = {{"name", phase.name}, {"seconds", phase.seconds}};
        if (!phase.name.starts_with("provision")) {
            one["start"] = phase.start;
        }
        phases.push_back(std::move(one));
    }
    return {{"boot_id", boot.boot_id},
            {"kernel", boot.kernel},
            {"time", boot.time},
            {"total_seconds", boot.total},
            {"phases", phases}};
}

}  // namespace

std::string boot_text(const Boot& boot) {
    return dump_json(boot_json(boot), 2) + "\n";
}

std::string add_boot(std::string_view history, const Boot& boot) {
    const auto json = parse_json(history);
    nlohmann::json boots = nlohmann::json::array();
    if (json && json->is_object()) {
        const auto old = json->find("boots");
        for (const auto& one : old != json->end() && old->is_array() ? *old : boots) {
            if (one.is_object() && text_member(one, "boot_id") != boot.boot_id) {
                boots.push_back(one);
            }
        }
    }
    boots.push_back(boot_json(boot));
    while (boots.size() > kMaxBoots) {
        boots.erase(boots.begin());
    }
    return dump_json({{"version", 1}, {"boots", boots}}, 1) + "\n";
}

}  // namespace tarn::guest
