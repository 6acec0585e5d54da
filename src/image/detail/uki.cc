// SPDX-License-Identifier: MIT
#include "image/detail/uki.hh"

#include "image/detail/pe.hh"

namespace tarn::image {

Result<std::string> make_uki(const UkiInput& input) {
    // The kernel runs where it lies when its section has the room it asks for.
    const std::uint64_t kernel_memory = TARN_TRY(pe_memory_size(input.kernel));
    return append_sections(input.stub,
                           {{".osrel", input.os_release, 0},
                            {".cmdline", input.command_line, 0},
                            {".uname", input.kernel_version, 0},
                            {".initrd", input.initrd, 0},
                            {".linux", input.kernel, kernel_memory}});
}

}  // namespace tarn::image
