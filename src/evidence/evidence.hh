// SPDX-License-Identifier: MIT
// What an image is made of, for those who did not make it: SBOMs (SPDX 2.3, CycloneDX 1.6), the
// licences, and signed provenance (in-toto Statement v1, SLSA provenance v1, DSSE). Formats:
// docs/formats/evidence.md. Every document is a function of its inventory: no clock, no chance.
#pragma once

#include "base/result.hh"
#include "pgp/pgp.hh"
#include "store/digest.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::evidence {

struct Package {
    std::string name, version, release, arch;
    std::optional<std::uint32_t> epoch;
    Digest rpm{};  // the signed package
    std::string license, summary, url, vendor;
    std::string source_rpm;  // "bash-5.3-4.tn1.src.rpm"
    std::string upstream;    // package URL of what it was made from; may be empty
    std::string origin;      // one line for people
    std::uint64_t files = 0, bytes = 0;  // installed
    std::string evr() const;             // "1:2.3-4"
};

struct Inventory {
    std::string image, description;
    std::string distro, version;     // "tarn", "1.0"
    std::string architecture;        // "x86_64"
    std::string kind = "disk";       // "disk", "container", "wsl"
    std::string tool;                // "tarn 0.1"
    std::int64_t created = 0;        // seconds since 1970
    std::vector<Package> packages;   // sorted by name
    std::vector<std::pair<std::string, std::string>> artifacts;  // file name -> SHA-256
};

// "pkg:rpm/tarn/bash@5.3-4.tn1?arch=x86_64&distro=tarn-1.0"
std::string package_url(const Package& package, const Inventory& inventory);
// "pkg:deb/debian/libc6@2.43-7?arch=amd64&distro=forky"; empty qualifiers are left out.
std::string make_purl(std::string_view type,
                      std::string_view space,
                      std::string_view name,
                      std::string_view version,
                      const std::map<std::string, std::string>& qualifiers);

std::string spdx_json(const Inventory& inventory);
std::string cyclonedx_json(const Inventory& inventory);

// A License tag as an SPDX license expression. What is on no list becomes a LicenseRef- of its own,
// named in `references` with the words it stands for.
struct License {
    std::string expression;                         // "NOASSERTION" for an empty tag
    std::map<std::string, std::string> references;  // "LicenseRef-..." -> the original words
};
License normalize_license(std::string_view text);

// Licenses by package and packages by license.
std::string licenses_json(const Inventory& inventory);
struct PackageLicense {
    std::string name, evr, license, declared;
};
Result<std::vector<PackageLicense>> parse_licenses(const std::string& json);

// ---- provenance ---------------------------------------------------------------------------------

struct Resource {  // something that went in
    std::string name, uri;
    std::string sha256;  // hex
};

struct Provenance {
    std::vector<std::pair<std::string, std::string>> subjects;  // file name -> SHA-256
    std::string parameters_json;                                // the image's definition: an object
    std::map<std::string, std::string> internal;                // name -> value
    std::vector<Resource> dependencies;
    std::string tool;
    std::vector<std::pair<std::string, std::string>> byproducts;  // file name -> SHA-256
};

inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
inline constexpr std::string_view kPredicateType = "https://slsa.dev/provenance/v1";
inline constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";
inline constexpr std::string_view kBuildType = "tag:tarn.invalid,2026:image/v1";
inline constexpr std::string_view kBuilder = "tag:tarn.invalid,2026:tarn";

// kUsage when parameters_json is no JSON object.
Result<std::string> provenance_statement(const Provenance& provenance);

// "DSSEv1 <length> <type> <length> <payload>": what is signed.
std::string pre_authentication_encoding(std::string_view type, std::string_view payload);

// A DSSE envelope, one line of JSON. With an Ed25519 key the signature is raw (RFC 8032) and the
// keyid is the SHA-256 of the key's SubjectPublicKeyInfo; with any other key it is a binary OpenPGP
// detached signature made at `when`, and the keyid the key's fingerprint.
Result<std::string> sign_envelope(std::string_view payload,
                                  const SigningKey& key,
                                  std::int64_t when);

struct Verified {
    std::string payload;
    KeyInfo signer;
};
// kCorrupt when it is no envelope of a statement or no signature of a key of the ring is valid.
Result<Verified> verify_envelope(std::string_view envelope, const Keyring& keyring);

struct Statement {
    std::vector<std::pair<std::string, std::string>> subjects;  // file name -> SHA-256
    std::string predicate_type, build_type, builder;
    std::size_t dependencies = 0;
};
Result<Statement> parse_statement(const std::string& payload);

// An Ed25519 public key for other verifiers: PEM of its SubjectPublicKeyInfo.
std::string public_key_pem(std::string_view point);
std::string raw_key_id(std::string_view point);

}  // namespace tarn::evidence
