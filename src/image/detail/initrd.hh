// SPDX-License-Identifier: MIT
// The initrd: the static init program of guest/initrd, the kernel modules an image names with all
// they need, and the lists by which init picks among them (docs/formats/image.md).
#pragma once

#include "base/result.hh"
#include "image/detail/kernel_modules.hh"
#include "store/store.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace tarn::image {

struct InitrdInput {
    const Tree* root = nullptr;  // has usr/lib/modules/<version>/, depmod's tables included
    Digest init{};               // static program
    std::string kernel_version;
    std::vector<std::string> modules;
    std::string release;  // text of /etc/initrd-release
    std::int64_t time = 0;
};

struct Initrd {
    std::string bytes;                 // zstd
    std::vector<std::string> modules;  // in load order
};

// Cached by its inputs.
Result<Initrd> make_initrd(const Store& store, const InitrdInput& input);

}  // namespace tarn::image
