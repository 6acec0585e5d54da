// SPDX-License-Identifier: MIT
// A medium that holds provisioning files: a CD or a disk, read as raw bytes. No file system is
// mounted and no kernel module loaded: the readers here take the few files that are wanted.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct Medium {
    std::string name;        // "/dev/sr0", for errors
    std::uint64_t size = 0;  // bytes
    // Exactly `size` bytes at `offset`; asked only within the medium's size.
    std::function<Result<std::string>(std::uint64_t offset, std::size_t size)> read_at;

    // kCorrupt beyond the end.
    Result<std::string> read(std::uint64_t offset, std::size_t count) const;
    static Medium of_bytes(std::string name, std::string_view bytes);  // not owned
};

// The files of a medium's root directory that were wanted.
struct MediumContents {
    std::string format;                        // "UDF", "ISO 9660", "FAT"
    std::string label;                         // of the volume
    std::map<std::string, std::string> files;  // by the wanted name
};
inline constexpr std::uint64_t kMediumFileLimit = 4u << 20;

// Names are found in any case. nullopt: a medium of another format. kCorrupt: one of this format
// that is broken or uses what is not supported.
Result<std::optional<MediumContents>> read_udf(const Medium& medium,
                                               const std::vector<std::string>& wanted);
Result<std::optional<MediumContents>> read_iso9660(const Medium& medium,
                                                   const std::vector<std::string>& wanted);
Result<std::optional<MediumContents>> read_fat(const Medium& medium,
                                               const std::vector<std::string>& wanted);
// The first of these that knows the medium.
Result<std::optional<MediumContents>> read_medium(const Medium& medium,
                                                  const std::vector<std::string>& wanted);

// UCS-2 big endian or little endian to UTF-8; what is no character becomes U+FFFD.
enum class ByteOrder { kBig, kLittle };
std::string from_utf16(std::string_view bytes, ByteOrder order);

}  // namespace tarn::guest
