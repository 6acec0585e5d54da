// SPDX-License-Identifier: MIT
#pragma once

#include "emulator/media.hh"

namespace tarn::emulator {

// What every medium asks of its label and files; kUsage.
Result<void> check_media(const std::string& label, const std::vector<MediaFile>& files);

}  // namespace tarn::emulator
