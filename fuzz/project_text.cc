// rooms: project
// SPDX-License-Identifier: MIT
// A declaration file. What would make it look at the disk far and wide (includes, patterns of specs
// and of overlay files) is left out.
#include "project/detail/resolve.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    SourceMap sources;
    Diagnostics diagnostics(sources);
    declaration::FileReader files(sources, diagnostics, "/none", false);
    files.read_text("/none/tarn.toml", std::string(reinterpret_cast<const char*>(data), size));
    declaration::Collected& collected = files.collected();
    collected.groups.clear();
    collected.defaults.overlay_files.reset();
    for (auto& [name, component] : collected.components) {
        component.overlay_files.reset();
    }
    for (auto& [name, distro] : collected.distros) {
        for (auto& [version_name, version] : distro.version_configs) {
            version.defaults.overlay_files.reset();
        }
    }
    declaration::Resolver(files, diagnostics, false).resolve();
    static_cast<void>(diagnostics.draw());
    return 0;
}
