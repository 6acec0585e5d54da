// SPDX-License-Identifier: MIT
// Dependencies that stand in text files: first lines of scripts, pkg-config files, Python metadata.
#pragma once

#include "rpm/package.hh"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::rpm {

// The program of a "#!" line, /usr-merged, env(1) looked through: "/usr/bin/python3".
std::optional<std::string> script_interpreter(std::string_view text);

struct PkgConfig {
    std::string version;
    std::vector<Dependency> requires_;  // "pkgconfig(glib-2.0) >= 2.80"
};
// A .pc file: its variables are expanded; Requires and Requires.private.
PkgConfig read_pkg_config(std::string_view text);

struct PythonDistribution {
    std::string name;     // normalised as PEP 503 says
    std::string version;  // as rpm's own generator writes it: no trailing ".0", "1.0rc1" as "1~rc1"
};
// METADATA or PKG-INFO; nullopt without name and version.
std::optional<PythonDistribution> read_python_metadata(std::string_view text);

}  // namespace tarn::rpm
