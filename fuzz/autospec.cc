// rooms: release
// SPDX-License-Identifier: MIT
// Outside text in every place of a history: a spec, a message and a changelog file, parted by NUL.
// What is processed once stays as it is.
#include "release/autospec.hh"

#include "release/release.hh"

using namespace tarn;

namespace {

std::string next_part(std::string_view& rest) {
    const std::string part(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::vector<release::Revision> history(3);
    for (std::size_t i = 0; i < history.size(); ++i) {
        release::Revision& revision = history[i];
        revision.id = std::to_string(i);
        revision.spec = next_part(rest);
        revision.message = next_part(rest);
        revision.author = next_part(rest);
        if (const std::string text = next_part(rest); !text.empty()) {
            revision.changelog = text;
        }
        if (i + 1 < history.size()) {
            revision.parents = {i + 1};
        }
    }
    release::AutospecResult result;
    if (auto computed = release::compute(history)) {
        result = std::move(*computed);
    }
    const std::string& spec = *history[0].spec;
    const std::string once = release::process_spec(spec, result);
    // An entry may hold anything, a definition of autorelease as well: only the spec's own count.
    if (result.changelog.find('%') == std::string::npos) {
        // A call in front of %changelog stays, and asks again for the block on top.
        const std::string again = release::process_spec(once, result);
        const bool asks = release::features_of(once).autochangelog;
        TARN_CHECK(asks ? again.ends_with(once) : again == once);
    }
    if (release::classify(spec) == release::ReleaseKind::kStatic) {
        if (const auto bumped = release::bump_static(spec, 1)) {
            TARN_CHECK(release::classify(*bumped) == release::ReleaseKind::kStatic);
        }
    }
    return 0;
}
