// rooms: guest_metadata
// SPDX-License-Identifier: MIT
// What the metadata service answers: tokens, documents, scheduled events, and what hooks remember.
#include "metadata/access.hh"
#include "metadata/document.hh"
#include "metadata/events.hh"
#include "metadata/hooks.hh"
#include "metadata/token.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tarn::guest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto token = parse_token(text)) {
        const TokenTimes times = token_times(*token, Millis(5000), 1'790'000'000, 0.5);
        if (times.refresh > times.end || times.refresh < Millis(5000)) {
            __builtin_trap();
        }
    }
    (void)parse_identity_error(text);
    if (const auto document = Document::parse(text)) {
        (void)document->find("compute/userData", Sight::kPublic);
        (void)document->find(text.substr(0, 64), Sight::kAll);
        (void)well_known(*document, "userdata", Sight::kAll);
    }
    if (const auto events = parse_events(text)) {
        const auto again = parse_events(document_text(*events));
        if (!again || *again != *events) {
            __builtin_trap();
        }
        for (const Change& change : changes({}, *events, "web_3")) {
            (void)drain_time(change, 1'790'000'000);
        }
    }
    const auto told = parse_told(text);
    if (parse_told(told_text(told)).size() != told.size()) {
        __builtin_trap();
    }
    (void)unit_of_cgroup(text);
    std::vector<std::string> complaints;
    Names names;
    names.user = names.group = [](const std::string&) { return std::nullopt; };
    (void)Access::parse(text, "x", names, complaints);
    return 0;
}
