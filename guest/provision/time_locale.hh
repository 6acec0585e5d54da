// SPDX-License-Identifier: MIT
// Time zone, locale, time servers.
#pragma once

#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/tools.hh"

#include <string>
#include <vector>

namespace tarn::guest {

// /etc/localtime as a link into /usr/share/zoneinfo. kUsage when there is no such zone.
Result<void> set_timezone(const Machine& machine, const std::string& zone);

// LANG in /etc/locale.conf; what else is in it stays.
Result<void> set_locale(const Machine& machine, const std::string& locale);

// In chrony's configuration instead of the servers there, or as a drop-in of systemd-timesyncd.
// The host's clock (a refclock) stays. kFailed when the machine has neither.
Result<void> set_time_servers(const Machine& machine,
                              const Tools& tools,
                              const std::vector<std::string>& servers,
                              const std::vector<std::string>& pools);

}  // namespace tarn::guest
