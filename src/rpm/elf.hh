// SPDX-License-Identifier: MIT
// What a dynamically linked ELF file gives and needs, read from its dynamic segment with every
// offset and count checked. Source of the format: System V ABI, chapter 5, and the GNU symbol
// versioning sections of the LSB.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::rpm {

struct ElfVersion {
    std::string library, version;
};

struct ElfFacts {
    unsigned machine = 0;  // EM_X86_64, EM_AARCH64, ...
    bool is_64bit = false;
    bool is_library = false;  // a shared object that is no position independent executable
    std::string soname;
    std::vector<std::string> needed;
    std::vector<ElfVersion> defined;  // library: the name of the base definition
    std::vector<ElfVersion> required;
    bool has_hash = false, has_gnu_hash = false;
};

bool is_elf(std::string_view bytes);
// nullopt for what has no dynamic dependencies by nature: relocatable and static files, core dumps,
// other byte orders. kCorrupt when offsets or counts lead out of the file.
Result<std::optional<ElfFacts>> read_elf(std::string_view bytes);

}  // namespace tarn::rpm
