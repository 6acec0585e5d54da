// rooms: guest_initrd
// SPDX-License-Identifier: MIT
// What the initrd's init reads from disks, the kernel command line and its own lists.
#include "cmdline.hh"
#include "modules.hh"
#include "probe.hh"
#include "text.hh"
#include "verity.hh"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::initrd;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parameters_of(parse_command_line(text), "nvme_core");
    (void)parse_gpt(text);
    std::string disk(text);
    disk.resize(kGptHeadBytes, '\0');
    (void)parse_gpt(disk);
    (void)parse_superblock(disk);
    if (const auto superblock = parse_verity_superblock(disk)) {
        // Ten words: nothing of the disk adds one.
        const std::string table = verity_table(*superblock, "r", "a", "b", {}).parameters;
        if (words(table).size() != 10) {
            __builtin_trap();
        }
    }
    std::vector<std::string> unknown;
    (void)verity_options(text, unknown);
    const std::string_view half = text.substr(0, size / 2);
    ModuleTable table(half, text.substr(size / 2));
    table.device(half.substr(0, 64));
    while (!table.next().empty()) {
    }
    (void)glob(text.substr(0, 64), half);
    return 0;
}
