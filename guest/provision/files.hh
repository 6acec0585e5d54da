// SPDX-License-Identifier: MIT
// write_files.
#pragma once

#include "base/result.hh"

#include "provision/cloud_config.hh"
#include "provision/machine.hh"

namespace tarn::guest {

// With its directories (0755). Below a home no link is followed, and what is made there belongs to
// who owns the home. Appending again after a kill adds nothing twice: `state` is a directory for
// remembering, `number` the file's place in the document.
Result<void> write_file(const Machine& machine,
                        const FileToWrite& file,
                        const std::string& state,
                        std::size_t number);

}  // namespace tarn::guest
