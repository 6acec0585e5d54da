// SPDX-License-Identifier: MIT
// Reading a .deb (deb(5)): ar archive, control.tar.*, data.tar.*. Nothing is unpacked to disk:
// contents go to the store, names and attributes to a Tree. Refused: "..", absolute paths, hard
// links to what is not in the package, device nodes, names given twice, files below what is not a
// directory, NUL in names, more than 1 GiB or 200,000 entries. Symbolic links may point anywhere:
// they are values here. setuid, setgid and sticky bits are kept as attributes.
#pragma once

#include "base/result.hh"
#include "store/store.hh"
#include "upstream/debian/archive.hh"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tarn::debian {

struct DebPackage {
    Stanza control;
    std::map<std::string, std::string>
        scripts;                         // preinst, postinst, prerm, postrm, config, triggers
    std::vector<std::string> conffiles;  // absolute, as listed
    std::string md5sums;
    Tree data;  // user and group names as in the tar; paths as written without leading "./"
};

struct DebLimits {
    std::uint64_t data_bytes = 1ULL << 30;    // unpacked
    std::uint64_t control_bytes = 64U << 20;  // unpacked
    std::size_t entries = 200'000;
};

// The blob's digest is taken as verified: downloads were, when they came. Every error is kCorrupt
// and names `name`.
Result<DebPackage> read_deb(const Store& store, const Digest& deb, const std::string& name);
// The same from bytes.
Result<DebPackage> parse_deb(const Store& store,
                             std::string_view bytes,
                             const std::string& name,
                             const DebLimits& limits = {});

}  // namespace tarn::debian
