// SPDX-License-Identifier: MIT
// The command line of tarn-metadata.
#pragma once

#include <string>
#include <vector>

namespace tarn::guest {

// 0 done, 1 failed, 2 usage.
int run_metadata(const std::vector<std::string>& arguments);

}  // namespace tarn::guest
