// SPDX-License-Identifier: MIT
// The footer that makes a raw disk a fixed VHD (Virtual Hard Disk Image Format Specification,
// 2006). Creator "tarn" and the maximal geometry: readers then trust "current size".
#pragma once

#include "base/result.hh"
#include "image/detail/guid.hh"

#include <cstdint>
#include <string>

namespace tarn::image {

inline constexpr std::size_t kVhdFooterSize = 512;

// `size` must be a whole number of MiB (a rule of Azure). `time` in seconds since 1970; times
// before 2000-01-01 count as that day.
Result<std::string> make_vhd_footer(std::uint64_t size, std::int64_t time, const Guid& id);

}  // namespace tarn::image
