// rooms: evidence
// SPDX-License-Identifier: MIT
// License expressions, DSSE envelopes, in-toto statements and tables of licenses.
#include "base/base64.hh"
#include "evidence/evidence.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const tarn::evidence::License license = tarn::evidence::normalize_license(text);
    if (license.expression.empty()) {
        __builtin_trap();
    }
    // What was made an expression is one.
    if (tarn::evidence::normalize_license(license.expression).expression != license.expression) {
        __builtin_trap();
    }
    static_cast<void>(tarn::evidence::parse_statement(text));
    static_cast<void>(tarn::evidence::parse_licenses(text));
    if (const auto bytes = tarn::from_base64(text)) {
        const std::string again = tarn::base64(*bytes);
        if (tarn::from_base64(again) != bytes) {
            __builtin_trap();
        }
    }
    static const tarn::Keyring nobody = *tarn::Keyring::load({});
    static_cast<void>(tarn::evidence::verify_envelope(text, nobody));
    return 0;
}
