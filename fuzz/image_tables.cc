// rooms: image
// SPDX-License-Identifier: MIT
// Tables the composer reads from packages: depmod's, accounts, PE images.
#include "image/detail/accounts.hh"
#include "image/detail/kernel_modules.hh"
#include "image/detail/pe.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::image;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string_view first = text.substr(0, size / 2);
    const std::string_view second = text.substr(size / 2);
    if (const auto kernel = KernelModules::parse({first, second, second, first})) {
        if (const auto chosen = kernel->closure({"a", "nvme"})) {
            (void)kernel->aliases_of(*chosen);
        }
    }
    AccountFiles files;
    files.passwd = first;
    files.group = second;
    if (const auto locked = lock_accounts(files, 1)) {
        (void)parse_ids(*locked);
    }
    (void)append_sections(text, {{".linux", "kernel", 0x10000}});
    (void)pe_section(text, ".linux");
    return 0;
}
