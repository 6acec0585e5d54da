// SPDX-License-Identifier: MIT
// The instance document and the ways into it. Every primitive is a string.
#pragma once

#include "emulator/detail/http.hh"
#include "emulator/scenario.hh"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::emulator {

// Newest first.
const std::vector<std::string>& api_versions();

struct DocumentWish {
    std::string path;  // below /metadata/instance, without slashes around: "compute/vmId"
    std::string version;
    bool extended = false;
    bool text = false;
    bool reorder_nics = false;
    std::map<std::string, std::string> set;
};
Answer instance_document(const Instance& instance, const DocumentWish& wish);

}  // namespace tarn::emulator
