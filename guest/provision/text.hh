// SPDX-License-Identifier: MIT
// Small things that several parts of tarn-provision say or compare.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::guest {

inline constexpr const char* kAgent = "tarn-provision/0.1.0";

// A UUID in lower case, or "" when it is none.
std::string canonical_uuid(std::string_view text);
// The first three groups byte-swapped: how firmware of a first-generation machine shows it.
std::string swapped_uuid(std::string_view uuid);
// The same machine: in any case, swapped or not; other identifiers byte for byte.
bool same_instance(std::string_view a, std::string_view b);

// A name for a directory: the identifier itself when it is harmless, else made of its hash.
std::string directory_name(std::string_view instance_id);

std::uint64_t fnv64(std::string_view text);
// UTF-8 cut at `bytes` without half a character at its end.
std::string_view cut_text(std::string_view text, std::size_t bytes);
// Printable ASCII and UTF-8 on one line: control characters become blanks.
std::string one_line(std::string_view text);

// "2026-05-04T10:11:12+00:00", of the clock as it is.
std::string timestamp_now();
// Since power-on, whatever the clock is set to.
std::chrono::milliseconds boot_time();

}  // namespace tarn::guest
