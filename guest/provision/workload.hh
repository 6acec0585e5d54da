// SPDX-License-Identifier: MIT
// What the machine's owner wants to run: bootcmd, runcmd, scripts, the final message, power_state.
// Output goes to the journal and to kOutputLog.
#pragma once

#include "base/result.hh"

#include "provision/cloud_config.hh"
#include "provision/machine.hh"
#include "provision/tools.hh"

#include <string>

namespace tarn::guest {

// Written to `directory`/`name`, 0700, and run by its own first line. Any exit code but 0 fails.
Result<void> run_script(const Machine& machine,
                        const Tools& tools,
                        const std::string& directory,
                        const std::string& name,
                        const std::string& text,
                        const std::string& instance_id);

// $UPTIME, $TIMESTAMP, $DATASOURCE and $VERSION are filled in, in any case of letters.
Result<void> say_final_message(const Machine& machine,
                               const Tools& tools,
                               const std::string& text,
                               const std::string& source);

// A condition that is not met is no error.
Result<void> change_power(const Machine& machine,
                          const Tools& tools,
                          const CloudConfig& config,
                          const std::string& directory,
                          const std::string& instance_id);

}  // namespace tarn::guest
