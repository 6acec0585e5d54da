// rooms: upstream solve
// SPDX-License-Identifier: MIT
// Packages, Sources, and the relations in them as far as the solver.
#include "solve/solve.hh"
#include "upstream/debian/archive.hh"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)tarn::debian::parse_sources(text, "fuzz", {"a"});
    const auto packages = tarn::debian::parse_packages(text, "fuzz");
    if (!packages || packages->empty()) {
        return 0;
    }
    tarn::Universe universe(tarn::VersionScheme::kDeb, "amd64");
    for (const tarn::debian::BinaryPackage& package : *packages) {
        tarn::SolvePackage one;
        one.name = package.package;
        one.evr = package.version;
        one.arch = package.architecture;
        one.requires_ = {package.depends};
        one.conflicts = {package.conflicts};
        one.provides = {package.provides};
        universe.add(one);
    }
    (void)universe.solve({.install = {packages->front().package}});
    return 0;
}
