// SPDX-License-Identifier: MIT
// What other programs wait for: cloud-init's files and WALinuxAgent's.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

// Says that cloud-init was given the document.
inline constexpr const char* kHandedOver = "/etc/cloud/cloud.cfg.d/90-tarn-provision.cfg";

struct CloudInitMarkers {
    std::string source;  // "azure" becomes DataSourceAzure
    std::string instance_id;
    std::vector<std::string> errors;  // empty: all went well
    bool finished = true;             // false: under way, no result yet
};
// /run/cloud-init/{status,result}.json, /var/lib/cloud/data/{status,result}.json with the same, and
// once finished /var/lib/cloud/instance/boot-finished with instance-id beside it. Nothing when the
// document was handed over: cloud-init writes its own.
Result<void> write_cloud_init_markers(const Machine& machine, const CloudInitMarkers& markers);

// /var/lib/waagent/ovf-env.xml (its passwords and custom data taken out already) when it is not
// empty, and the file `provisioned` with the instance's id.
Result<void> write_waagent_markers(const Machine& machine,
                                   std::string_view redacted_ovf_env,
                                   const std::string& instance_id);

// Whether cloud-init is on this machine.
bool has_cloud_init(const Machine& machine);

}  // namespace tarn::guest
