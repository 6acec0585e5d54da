// SPDX-License-Identifier: MIT
#include <algorithm>
#include <nlohmann/json.hpp>

#include "vm/vm.hh"

namespace tarn {

bool BootReport::passed() const {
    return !checks.empty() && std::all_of(checks.begin(), checks.end(), [](const BootCheck& check) {
        return check.passed || check.skipped;
    });
}

std::string BootReport::to_json() const {
    nlohmann::ordered_json root;
    root["version"] = 1;
    root["passed"] = passed();
    root["accelerator"] = accelerator.accelerator == Accelerator::kKvm ? "kvm" : "tcg";
    root["accelerator-reason"] = accelerator.why;
    root["ready-seconds"] = ready_seconds;
    if (provisioned_seconds > 0) {
        root["provisioned-seconds"] = provisioned_seconds;
    }
    root["phases"] = nlohmann::ordered_json::array();
    for (const BootPhase& phase : phases) {
        root["phases"].push_back({{"name", phase.name}, {"seconds", phase.seconds}});
    }
    root["checks"] = nlohmann::ordered_json::array();
    for (const BootCheck& check : checks) {
        root["checks"].push_back({{"name", check.name},
                                  {"result", check.skipped  ? "skipped"
                                             : check.passed ? "passed"
                                                            : "failed"},
                                  {"detail", check.detail}});
    }
    root["console-log"] = console_log;
    return root.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace tarn
