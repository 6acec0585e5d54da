// SPDX-License-Identifier: MIT
// The second serial port of a boot test, and what the host makes of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.hh"
#include "vm/vm.hh"

namespace tarn::vm {

struct GuestResults {
    bool begun = false, ended = false;
    std::vector<BootCheck> checks;
    std::map<std::string, std::vector<std::string>> data;
};
// Lines it does not know are ignored: a guest may say anything.
GuestResults parse_results(std::string_view text);

// Checks the host makes of the guest's data: packages against the manifest, versions against the
// floors, rpm -Va against the declared exceptions.
std::vector<BootCheck> host_checks(const GuestResults& guest, const Manifest& manifest,
                                   const Image& image);

}  // namespace tarn::vm
