// SPDX-License-Identifier: MIT
// A NoCloud seed: meta-data (YAML or JSON: instance-id, local-hostname, public-keys), user-data,
// vendor-data and network-config, from a medium, from SMBIOS or from an HTTP server.
#pragma once

#include "base/result.hh"

#include "imds/imds.hh"
#include "provision/media.hh"
#include "provision/settings.hh"

#include <map>
#include <string>

namespace tarn::guest {

// kUsage with line and column when meta-data is broken or has no instance-id. `overrides` is what
// SMBIOS says; it wins.
Result<Settings> nocloud_settings(const NoCloudSeed& seed,
                                  const std::map<std::string, std::string>& overrides);

// "http://ADDRESS[:PORT]/path/" with a numeric address: meta-data, user-data, vendor-data and
// network-config below it; only meta-data must be there. kUsage for another URL.
Result<NoCloudSeed> fetch_nocloud_seed(const std::string& url, const RetryPolicy& policy);

}  // namespace tarn::guest
