// SPDX-License-Identifier: MIT
#include "image/detail/uki.hh"

#include "base/fs.hh"
#include "image/detail/esp.hh"
#include "image/detail/initrd.hh"
#include "image/detail/pe.hh"

namespace tarn::image {
namespace {

constexpr std::string_view kInit = "usr/lib/tarn/initrd/init";

}  // namespace

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

Result<std::string> compose_uki(const Store& store, const UkiSource& source) {
    const EfiNames names = TARN_TRY(efi_names(source.architecture));
    TARN_TRY(check_command_line(source.image->name, source.command_line, source.architecture));
    const std::string release = TARN_TRY(read_tree_file(store, *source.system, "etc/os-release"));
    InitrdInput initrd;
    initrd.root = source.system;
    initrd.init = TARN_TRY(find_boot_file(*source.system, *source.tools, kInit, "tarn-initrd"));
    initrd.kernel_version = source.kernel.version;
    initrd.modules = source.image->initrd_modules;
    initrd.release = release;
    initrd.time = source.time;
    const Initrd made = TARN_TRY(make_initrd(store, initrd));
    const Digest stub_file = TARN_TRY(
        find_boot_file(*source.system, *source.tools, names.stub, "systemd-boot-unsigned"));
    const MemoryMap stub = TARN_TRY(store.map(stub_file));
    const MemoryMap kernel = TARN_TRY(store.map(source.kernel.image));
    return make_uki({stub.bytes(),
                     kernel.bytes(),
                     made.bytes,
                     release,
                     source.command_line,
                     source.kernel.version});
}

}  // namespace tarn::image
