// SPDX-License-Identifier: MIT
// The broker as a program: everything put together, until it is told to end or is not needed.
#pragma once

#include <optional>
#include <string>

#include "base/result.hh"
#include "http/client.hh"
#include "metadata/loop.hh"

namespace tarn::guest {

struct ServeOptions {
    Endpoint server;
    std::string socket;  // made when systemd passes none
    std::string configuration = "/etc/tarn/metadata.conf.d";
    Millis exit_when_idle{600'000};  // 0: never
    std::string dmi_uuid_file = "/sys/class/dmi/id/product_uuid";
};
// Ends on SIGTERM, SIGINT and when idle; SIGHUP reads the configuration again.
Result<void> serve(const ServeOptions& options);

// Lines for the journal on standard error.
void log_line(const std::string& line);

}  // namespace tarn::guest
