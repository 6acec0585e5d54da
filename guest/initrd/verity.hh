// SPDX-License-Identifier: MIT
// dm-verity (kernel Documentation/admin-guide/device-mapper/verity.rst): from the superblock of a
// hash partition and a root hash to the table the device mapper takes. Nothing here touches the
// machine. The superblock is not to be trusted: what it says enters the root hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::initrd {

struct VeritySuperblock {
    std::string uuid;  // lower case, no dashes: as the device mapper's names have it
    std::string algorithm;
    std::string salt;  // hexadecimal; "-" when there is none
    std::uint64_t data_block = 0, hash_block = 0, data_blocks = 0;
};

inline constexpr std::size_t kVeritySuperblockBytes = 512;
std::optional<VeritySuperblock> parse_verity_superblock(std::string_view head);

// Partition UUIDs by which a root hash finds its partitions (Discoverable Partitions
// Specification): its first 128 bits and its last. Empty unless the hash has 64 lower-case digits.
std::string verity_data_uuid(std::string_view root_hash);
std::string verity_hash_uuid(std::string_view root_hash);

// Words as of systemd.verity_root_options= to words of the device mapper; unknown ones are named in
// `unknown`.
std::vector<std::string> verity_options(std::string_view options,
                                        std::vector<std::string>& unknown);

struct VerityTable {
    std::uint64_t sectors = 0;
    std::string parameters;
};
VerityTable verity_table(const VeritySuperblock& superblock,
                         std::string_view root_hash,
                         std::string_view data_device,
                         std::string_view hash_device,
                         const std::vector<std::string>& options);

}  // namespace tarn::initrd
