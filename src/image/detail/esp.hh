// SPDX-License-Identifier: MIT
// What the EFI system partition holds: the programs a machine boots, signed when the image is, and
// the rules their sizes obey.
#pragma once

#include "base/events.hh"
#include "efi/signer.hh"
#include "image/detail/fat.hh"
#include "store/store.hh"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

enum class Bootloader {
    kNone,         // "uki": the firmware starts it itself, as EFI/BOOT/BOOT<arch>.EFI
    kSystemdBoot,  // systemd-boot takes the newest UKI of EFI/Linux that has tries left
};
// "" and "uki", "systemd-boot"; kUsage otherwise.
Result<Bootloader> parse_bootloader(std::string_view name);

// The names firmware and systemd have for an architecture ("x86_64", "aarch64"); kUsage otherwise.
struct EfiNames {
    std::string boot;                    // "BOOTX64.EFI"
    std::string stub;                    // "usr/lib/systemd/boot/efi/linuxx64.efi.stub"
    std::string addon_stub;              // "usr/lib/systemd/boot/efi/addonx64.efi.stub"
    std::string loader;                  // "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
    std::string loader_name;             // "systemd-bootx64.efi"
    std::size_t command_line_limit = 0;  // of the kernel: COMMAND_LINE_SIZE, with its NUL
};
Result<EfiNames> efi_names(std::string_view architecture);

struct EspFile {
    std::string path;  // "EFI/BOOT/BOOTX64.EFI"
    std::string bytes;
};

struct EspInput {
    Bootloader bootloader = Bootloader::kNone;
    std::string architecture = "x86_64";
    std::string uki;  // unsigned
    // systemd-boot only: its program; the UKI becomes EFI/Linux/<entry>+<tries>.efi, without "+"
    // when `tries` is 0. The entry is "<id>_<version>": boot counting and systemd-sysupdate read
    // it.
    std::string loader;
    std::string entry;
    unsigned tries = 3;
    std::vector<std::string> loader_settings;  // lines of loader/loader.conf
    std::vector<EspFile> more;                 // as they are; programs (*.efi) are signed
    const efi::ImageSigner* signer = nullptr;  // nullptr: nothing is signed
};

// All files, sorted by path.
Result<std::vector<EspFile>> make_esp_files(const EspInput& input);
// EFI/Linux/<entry>+<tries>.efi
std::string uki_path(const EspInput& input);

enum class EspRule {
    kTwoUkis,    // two UKIs of the largest one's size and a quarter more must fit: an update
    kSingleUki,  // the image is never updated in place: it has only to fit
};
// kNoSpace when the rule is broken; a warning of a UKI above 30 MB.
Result<void> check_esp(std::string_view image,
                       const std::vector<EspFile>& files,
                       std::uint64_t size,
                       EspRule rule,
                       Reporter& reporter);

// kUsage when the kernel would cut the command line off, or it holds what is no text.
Result<void> check_command_line(std::string_view image,
                                std::string_view line,
                                std::string_view architecture);

struct EspPlace {
    std::uint64_t offset = 0, size = 0;  // of the partition on the disk
    std::uint32_t volume_id = 0;
    std::int64_t time = 0;
};
// As FAT32; `sink` gets offsets within the partition.
Result<void> write_esp(const std::vector<EspFile>& files,
                       const EspPlace& place,
                       const PieceSink& sink);

// A file that comes with the image's packages or with the tools; `package` for advice.
Result<Digest> find_boot_file(const Tree& system,
                              const Tree& tools,
                              std::string_view path,
                              std::string_view package);

}  // namespace tarn::image
