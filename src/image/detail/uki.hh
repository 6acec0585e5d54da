// SPDX-License-Identifier: MIT
// A unified kernel image: systemd's stub with kernel, initrd, command line and os-release.
#pragma once

#include "base/result.hh"
#include "image/detail/configuration.hh"
#include "store/store.hh"

#include <string>
#include <string_view>

namespace tarn::image {

struct UkiInput {
    std::string_view stub, kernel, initrd, os_release;
    std::string command_line, kernel_version;
};

Result<std::string> make_uki(const UkiInput& input);

// From the tree of a system: its kernel, an initrd of its modules, its os-release.
struct UkiSource {
    const Image* image = nullptr;
    const Tree* system = nullptr;
    const Tree* tools = nullptr;
    Kernel kernel{};
    std::string command_line;
    std::string architecture = "x86_64";
    std::int64_t time = 0;
};
// Unsigned. kUsage when the kernel would not take the command line.
Result<std::string> compose_uki(const Store& store, const UkiSource& source);

}  // namespace tarn::image
