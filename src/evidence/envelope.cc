// SPDX-License-Identifier: MIT
// DSSE v1 (github.com/secure-systems-lab/dsse).
#include "base/base64.hh"
#include "evidence/detail/document.hh"
#include "evidence/evidence.hh"

#include "base/hash.hh"

namespace tarn::evidence {
namespace {

constexpr std::size_t kMaxEnvelope = 256U << 20;
constexpr std::size_t kMaxSignatures = 64;
// SubjectPublicKeyInfo of an Ed25519 key, up to the key (RFC 8410).
constexpr std::string_view kSpkiHead{"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12};

Failure malformed(std::string_view what) {
    return fail(ErrorKind::kCorrupt, "no DSSE envelope of a statement: {}", what);
}

std::optional<KeyInfo> signer_of(const std::string& encoded,
                                 const std::string& signature,
                                 const Keyring& keyring) {
    for (const KeyInfo& key : keyring.keys()) {
        if (!key.point.empty() && verify_ed25519(key.point, encoded, signature)) {
            return key;
        }
    }
    // 64 bytes are never an OpenPGP packet: those say more than the two numbers of a signature.
    if (signature.size() > 64) {
        if (auto signers = keyring.verify_detached(encoded, signature)) {
            return signers->front();
        }
    }
    return std::nullopt;
}

}  // namespace

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
    return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

std::string raw_key_id(std::string_view point) {
    return sha256_hex(std::string(kSpkiHead) + std::string(point));
}

std::string public_key_pem(std::string_view point) {
    return fmt::format("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
                       base64(std::string(kSpkiHead) + std::string(point)));
}

Result<std::string> sign_envelope(std::string_view payload,
                                  const SigningKey& key,
                                  std::int64_t when) {
    const std::string encoded = pre_authentication_encoding(kPayloadType, payload);
    const KeyInfo& info = key.info();
    const bool raw = info.algorithm == KeyAlgorithm::kEd25519 && !info.point.empty();
    const std::string signature =
        raw ? TARN_TRY(key.sign_ed25519(encoded)) : TARN_TRY(key.sign_detached(encoded, when));
    Json one;
    one["keyid"] = raw ? raw_key_id(info.point) : info.fingerprint;
    one["sig"] = base64(signature);
    Json out;
    out["payload"] = base64(payload);
    out["payloadType"] = kPayloadType;
    out["signatures"] = Json::array({std::move(one)});
    return out.dump() + "\n";
}

Result<Verified> verify_envelope(std::string_view envelope, const Keyring& keyring) {
    if (envelope.size() > kMaxEnvelope) {
        return malformed("too large");
    }
    const Json json = Json::parse(envelope, nullptr, false);
    if (!json.is_object()) {
        return malformed("not a JSON object");
    }
    const auto text = [&](const Json& object, const char* key) -> std::optional<std::string> {
        const auto found = object.find(key);
        if (found == object.end() || !found->is_string()) {
            return std::nullopt;
        }
        return found->get<std::string>();
    };
    const auto payload = text(json, "payload");
    const auto bytes = payload ? from_base64(*payload) : std::nullopt;
    if (!bytes) {
        return malformed("`payload` is no base64");
    }
    if (text(json, "payloadType") != kPayloadType) {
        return malformed(fmt::format("`payloadType` is not {}", kPayloadType));
    }
    const auto signatures = json.find("signatures");
    if (signatures == json.end() || !signatures->is_array() || signatures->empty() ||
        signatures->size() > kMaxSignatures) {
        return malformed("there are no signatures");
    }
    const std::string encoded = pre_authentication_encoding(kPayloadType, *bytes);
    std::vector<std::string> notes;
    for (const Json& one : *signatures) {
        const auto sig = one.is_object() ? text(one, "sig") : std::nullopt;
        const auto signature = sig ? from_base64(*sig) : std::nullopt;
        if (!signature) {
            return malformed("a signature is no base64");
        }
        if (auto signer = signer_of(encoded, *signature, keyring)) {
            return Verified{*bytes, std::move(*signer)};
        }
        notes.push_back("signed by key " + text(one, "keyid").value_or("(not named)"));
    }
    Error problem =
        error(ErrorKind::kCorrupt, "no signature of the provenance by a known key is valid");
    problem.notes = std::move(notes);
    return fail(std::move(problem));
}

}  // namespace tarn::evidence
