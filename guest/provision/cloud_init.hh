// SPDX-License-Identifier: MIT
// The way out: a document that is not applied natively goes to cloud-init as a whole, through a
// NoCloud seed, after base provisioning.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/settings.hh"
#include "provision/tools.hh"

#include <string>

namespace tarn::guest {

// Writes /var/lib/cloud/seed/nocloud (0700) and /etc/cloud/cloud.cfg.d/90-tarn-provision.cfg, which
// says what base provisioning has done already, and starts cloud-init's units.
Result<void> hand_over_to_cloud_init(const Machine& machine,
                                     const Tools& tools,
                                     const Settings& settings);

}  // namespace tarn::guest
