// SPDX-License-Identifier: MIT
// The second serial port of a boot test, and what the host makes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
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

// Calls `begun` once when the guest's first word has arrived in the file, and looks on until `done`
// or, true, until the file has more than `limit` bytes.
bool watch_results(const std::string& path, std::uint64_t limit, const std::stop_token& done,
                   const std::function<void()>& begun);

// Checks the host makes of the guest's data: packages against the manifest, versions against the
// floors, rpm -Va against the declared exceptions.
std::vector<BootCheck> host_checks(const GuestResults& guest, const Manifest& manifest,
                                   const Image& image);

}  // namespace tarn::vm
