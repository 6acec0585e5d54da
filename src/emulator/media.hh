// SPDX-License-Identifier: MIT
// The provisioning medium: what is on it, and the two file systems it comes in. Both are written
// whole, with 2048-byte sectors and one directory.
#pragma once

#include "base/result.hh"
#include "emulator/scenario.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::emulator {

struct MediaFile {
    std::string name;  // at most 64 bytes of ASCII without '/'
    std::string bytes;
};

// ovf-env.xml of an instance: DMTF OVF environment with Azure's LinuxProvisioningConfigurationSet.
std::string ovf_environment(const Instance& instance);
// ovf-env.xml, and CustomData.bin when there is custom data.
std::vector<MediaFile> azure_files(const Instance& instance);
// user-data and meta-data of cloud-init's NoCloud.
std::vector<MediaFile> nocloud_files(const Instance& instance);

// ECMA-167 2nd edition with OSTA UDF 1.02, type-1 partition map, as it is on a CD. kUsage for a
// file or a label it cannot hold.
Result<std::string> udf_image(const std::string& label, const std::vector<MediaFile>& files);
// ISO 9660 with Rock Ridge and Joliet names.
Result<std::string> iso_image(const std::string& label, const std::vector<MediaFile>& files);

// The medium of an instance as the platform would put it in; for NoCloud the label is "cidata".
Result<std::string> azure_medium(const Instance& instance, MediaKind kind);
Result<std::string> nocloud_medium(const Instance& instance);

}  // namespace tarn::emulator
