// SPDX-License-Identifier: MIT
// A unified kernel image: systemd's stub with kernel, initrd, command line and os-release.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>

namespace tarn::image {

struct UkiInput {
    std::string_view stub, kernel, initrd, os_release;
    std::string command_line, kernel_version;
};

Result<std::string> make_uki(const UkiInput& input);

}  // namespace tarn::image
