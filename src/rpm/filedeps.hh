// SPDX-License-Identifier: MIT
// Dependencies that follow from files, as rpm's generators find them: ELF sonames with symbol
// versions both ways, rtld(GNU_HASH), interpreters of scripts, pkg-config, python dist-info, accounts in
// sysusers.d.
#pragma once

#include "base/result.hh"
#include "rpm/package.hh"
#include "store/store.hh"

#include <vector>

namespace tarn::rpm {

struct FileDependencies {
    std::vector<Dependency> provides, requires_;  // sorted, unique
};

// Malformed ELF files give no dependencies and one line in `warnings`.
Result<FileDependencies> file_dependencies(const Store& store,
                                           const Tree& tree,
                                           std::vector<std::string>& warnings);

}  // namespace tarn::rpm
