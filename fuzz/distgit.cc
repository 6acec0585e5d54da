// rooms: distgit
// SPDX-License-Identifier: MIT
#include "distgit/detail/place.hh"
#include "distgit/detail/transport.hh"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// Three texts with a NUL between them: address, package and branch; each is also read as everything
// else that comes from outside.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::distgit;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto first = std::min(text.find('\0'), text.size());
    const auto second = std::min(text.find('\0', first + 1), text.size());
    const PackageSource source{std::string(text.substr(0, first)),
                               std::string(text.substr(std::min(first + 1, second),
                                                       second - std::min(first + 1, second))),
                               std::string(text.substr(std::min(second + 1, text.size())))};
    for (const auto& place : {detail::place_of(source), detail::place_of({source.url, "p", "b"})}) {
        if (!place) {
            continue;
        }
        const bool leaves = place->host.empty() || place->host.starts_with('.') ||
                            place->host.find('/') != std::string::npos ||
                            place->ref().find("..") != std::string::npos;
        if (leaves || place->url.starts_with('-')) {
            std::abort();
        }
        if (detail::reason(text, *place).find('\n') != std::string::npos) {
            std::abort();
        }
    }
    (void)detail::judge(text);
    (void)detail::parse_time(text);
    (void)detail::parse_commit(text);
    (void)lookaside_url(source.url, source.package, {source.branch, "SHA512", source.url});
    return 0;
}
