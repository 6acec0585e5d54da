// rooms: guest_provision
// SPDX-License-Identifier: MIT
// #cloud-config: whatever is written in it, it is applied as values that hold, or told.
#include "provision/cloud_config.hh"

#include "provision/cloud_config_users.hh"
#include "provision/names.hh"
#include "provision/network.hh"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    CloudConfig config;
    Problems problems;
    const auto read = read_cloud_config("fuzz", text, config, problems);
    if (!problems.empty()) {
        static_cast<void>(problems_error("fuzz", text, problems));
    } else if (read) {
        for (const Account& each : config.users) {
            for (const std::string& rule : each.sudo) {
                if (!why_no_sudo_rule(rule).empty()) {
                    std::abort();
                }
            }
            if (!why_no_account_name(each.name).empty()) {
                std::abort();
            }
        }
        for (const FileToWrite& each : config.files) {
            if (!why_no_file_path(each.path).empty() || !why_not_written(each.path).empty()) {
                std::abort();
            }
        }
    }
    static_cast<void>(parse_network_config("fuzz", text));
    return 0;
}
