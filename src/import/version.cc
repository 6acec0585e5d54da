// SPDX-License-Identifier: MIT
// Versions: Debian policy 5.6.12 on one side, rpm-version(7) on the other.
#include "base/strings.hh"
#include "import/import.hh"

namespace tarn {

rpm::Evr convert_version(const std::string& debian_version, const std::string& release_suffix) {
    rpm::Evr evr;
    std::string_view rest = debian_version;
    if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
        const auto epoch = parse_u64(rest.substr(0, colon));
        if (epoch && *epoch > 0 && *epoch <= UINT32_MAX) {
            evr.epoch = static_cast<std::uint32_t>(*epoch);
        }
        rest.remove_prefix(colon + 1);
    }
    std::string_view revision = "1";  // a native package has none
    if (const std::size_t dash = rest.rfind('-'); dash != std::string_view::npos) {
        revision = rest.substr(dash + 1);
        rest = rest.substr(0, dash);
    }
    // "-" and ":" mean something in an EVR; every separator compares alike, so the order stays.
    evr.version = replace_all(replace_all(std::string(rest), "-", "_"), ":", "_");
    evr.release = fmt::format("{}{}", revision, release_suffix);
    return evr;
}

}  // namespace tarn
