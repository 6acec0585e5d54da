// SPDX-License-Identifier: MIT
// Azure's two sources made one: the media (ovf-env.xml) and the metadata service.
#pragma once

#include "base/result.hh"

#include "imds/imds.hh"
#include "provision/ovf.hh"
#include "provision/settings.hh"

#include <optional>
#include <string>

namespace tarn::guest {

struct AzureSources {
    std::string vm_id;  // of the firmware
    std::optional<OvfEnvironment> media;
    std::optional<InstanceDocument> metadata;
};
// Keys of both; host name, user and custom data of the media first; the password is only there.
// An error is the reason that is reported: a pool's machine, a host name or user that cannot be,
// custom data that is said to be there and is not.
Result<Settings> azure_settings(const AzureSources& sources);

}  // namespace tarn::guest
