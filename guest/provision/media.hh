// SPDX-License-Identifier: MIT
// Finding the media of a machine: Azure's provisioning CD, and a NoCloud seed.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/medium.hh"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace tarn::guest {

// A drive without a disc, or a device that is gone: nullopt, which is no error.
Result<std::optional<Medium>> open_medium(const Machine& machine, const std::string& device);

// Waits for udev to find an optical drive; false when there is none by then.
bool wait_for_drive(const Machine& machine, std::chrono::milliseconds limit);

struct AzureMedia {
    std::string device;
    std::string ovf;                         // ovf-env.xml
    std::optional<std::string> custom_data;  // CustomData.bin
};
// The first optical drive whose disc has an ovf-env.xml. A disc that cannot be read is an error
// only when no other has one.
Result<std::optional<AzureMedia>> find_azure_media(const Machine& machine);

struct NoCloudSeed {
    std::string where;  // device or URL
    std::string metadata, user_data, vendor_data, network_config;
};
// A medium whose volume is called "cidata", in any case.
Result<std::optional<NoCloudSeed>> find_nocloud_seed(const Machine& machine);

}  // namespace tarn::guest
