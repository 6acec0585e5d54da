// SPDX-License-Identifier: MIT
// The command line of tarn-provision.
#pragma once

#include <string>
#include <vector>

namespace tarn::guest {

// 0 done, 1 failed, 2 usage; `status`: 0 fine, 1 failed, 2 with warnings.
int provision_main(const std::vector<std::string>& arguments);

}  // namespace tarn::guest
