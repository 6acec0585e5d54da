// SPDX-License-Identifier: MIT
// GUIDs and text as UEFI writes them.
#pragma once

#include "base/bytes.hh"

#include <string>
#include <string_view>

namespace tarn::efi {

// The 16 bytes of "8be4df61-93ca-11d2-aa0d-00e098032b8c": the first three groups little-endian.
// A text that is no GUID is a bug of the caller.
std::string guid_bytes(std::string_view text);
// ASCII as UTF-16LE, without a NUL at the end.
std::string utf16(std::string_view ascii);

}  // namespace tarn::efi
