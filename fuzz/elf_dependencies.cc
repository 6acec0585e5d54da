// rooms: rpm
// SPDX-License-Identifier: MIT
#include "rpm/elf.hh"
#include "rpm/detail/textdeps.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    static_cast<void>(rpm::read_elf(bytes));
    static_cast<void>(rpm::script_interpreter(bytes));
    static_cast<void>(rpm::read_pkg_config(bytes));
    static_cast<void>(rpm::read_python_metadata(bytes));
    return 0;
}
