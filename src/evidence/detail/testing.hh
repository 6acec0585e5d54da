// SPDX-License-Identifier: MIT
// For tests: an inventory, and what both formats ask of a document beyond being JSON: required
// fields, words of closed lists, references that lead somewhere.
#pragma once

#include "evidence/evidence.hh"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <set>

namespace tarn::evidence::testing {

using Json = nlohmann::ordered_json;

inline Inventory sample() {
    Inventory out;
    out.image = "vm";
    out.description = "A machine";
    out.distro = "tarn";
    out.version = "1.0";
    out.architecture = "x86_64";
    out.tool = "tarn 0.1";
    out.created = 1793491200;
    out.artifacts = {{"vm.raw", std::string(64, '1')}};
    Package bash;
    bash.name = "bash";
    bash.version = "5.3";
    bash.release = "4.tn1";
    bash.arch = "x86_64";
    bash.rpm = Digest::of("bash");
    bash.license = "GPL-3.0-or-later";
    bash.summary = "GNU Bourne Again SHell";
    bash.url = "https://www.gnu.org/software/bash/";
    bash.vendor = "Tarn Linux";
    bash.source_rpm = "bash-5.3-4.tn1.src.rpm";
    bash.upstream = make_purl("deb", "debian", "bash", "5.3-4", {{"distro", "forky"}});
    bash.origin = "import bash 5.3-4 (forky)";
    bash.files = 3;
    bash.bytes = 1448928;
    Package library = bash;
    library.name = "libstdc++";
    library.version = "15.2.0";
    library.release = "4+b1.tn1";
    library.epoch = 1;
    library.rpm = Digest::of("libstdc++");
    library.license = "GPL-3.0-or-later WITH GCC-exception-3.1 AND LicenseRef-Debian-other";
    library.url = "";
    library.source_rpm = "";
    Package data = bash;
    data.name = "tzdata";
    data.rpm = Digest::of("tzdata");
    data.license = "Public domain, see README";
    data.upstream = "";
    out.packages = {bash, library, data};
    return out;
}

class Faults {
  public:
    void expect(bool good, std::string what) {
        if (!good) {
            list.push_back(std::move(what));
        }
    }
    // `keys` are there and are texts that say something.
    void texts(const Json& object, std::initializer_list<const char*> keys) {
        for (const char* key : keys) {
            const auto found = object.find(key);
            expect(found != object.end() && found->is_string() &&
                       !found->get<std::string>().empty(),
                   std::string("no text `") + key + "`");
        }
    }
    std::vector<std::string> list;
};

inline bool is_hex(const std::string& text, std::size_t length) {
    return text.size() == length &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

inline void check_spdx_package(const Json& package, const std::set<std::string>& references,
                               Faults& faults) {
    static const std::set<std::string> kPurposes = {
        "APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING_SYSTEM", "DEVICE",
        "FIRMWARE", "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER"};
    faults.texts(package, {"SPDXID", "name", "downloadLocation", "licenseDeclared"});
    for (const Json& sum : package.value("checksums", Json::array())) {
        faults.expect(sum["algorithm"] == "SHA256" && is_hex(sum["checksumValue"], 64), "checksum");
    }
    for (const Json& reference : package.value("externalRefs", Json::array())) {
        faults.expect(reference["referenceCategory"] == "PACKAGE-MANAGER", "referenceCategory");
        faults.expect(reference["referenceLocator"].get<std::string>().starts_with("pkg:"), "purl");
    }
    if (package.contains("primaryPackagePurpose")) {
        faults.expect(kPurposes.contains(package["primaryPackagePurpose"]), "purpose");
    }
    const std::string license = package.value("licenseDeclared", "");
    for (std::size_t at = license.find("LicenseRef-"); at != std::string::npos;
         at = license.find("LicenseRef-", at + 1)) {
        const std::size_t end = license.find_first_of(" )", at);
        faults.expect(references.contains(license.substr(at, end - at)), "unknown LicenseRef");
    }
}

inline std::vector<std::string> spdx_faults(const std::string& text) {
    Faults faults;
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return {"no JSON"};
    }
    faults.texts(json, {"SPDXID", "name", "documentNamespace"});
    faults.expect(json["spdxVersion"] == "SPDX-2.3" && json["dataLicense"] == "CC0-1.0", "version");
    faults.texts(json["creationInfo"], {"created"});
    faults.expect(!json["creationInfo"]["creators"].empty(), "creators");
    std::set<std::string> references;
    for (const Json& one : json["hasExtractedLicensingInfos"]) {
        faults.texts(one, {"licenseId", "extractedText"});
        references.insert(one["licenseId"]);
    }
    std::set<std::string> ids = {"SPDXRef-DOCUMENT"};
    for (const Json& package : json["packages"]) {
        check_spdx_package(package, references, faults);
        const std::string id = package["SPDXID"];
        faults.expect(id.starts_with("SPDXRef-") &&
                          id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                               "0123456789.-") == std::string::npos,
                      "SPDXID " + id);
        faults.expect(ids.insert(id).second, "twice: " + id);
    }
    static const std::set<std::string> kTypes = {"DESCRIBES", "CONTAINS"};
    for (const Json& one : json["relationships"]) {
        faults.expect(kTypes.contains(one["relationshipType"]), "relationshipType");
        faults.expect(ids.contains(one["spdxElementId"]) && ids.contains(one["relatedSpdxElement"]),
                      "relationship leads nowhere");
    }
    return faults.list;
}

inline std::vector<std::string> cyclonedx_faults(const std::string& text) {
    Faults faults;
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return {"no JSON"};
    }
    faults.expect(json["bomFormat"] == "CycloneDX" && json["specVersion"] == "1.6", "version");
    const std::string serial = json["serialNumber"];
    faults.expect(serial.starts_with("urn:uuid:") && serial.size() == 45, "serialNumber");
    static const std::set<std::string> kTypes = {"application", "library", "container",
                                                 "operating-system"};
    std::set<std::string> references = {json["metadata"]["component"]["bom-ref"]};
    faults.texts(json["metadata"], {"timestamp"});
    for (const Json& one : json["components"]) {
        faults.texts(one, {"type", "name", "bom-ref"});
        faults.expect(kTypes.contains(one["type"]), "type");
        faults.expect(references.insert(one["bom-ref"]).second, "bom-ref twice");
        for (const Json& hash : one.value("hashes", Json::array())) {
            faults.expect(hash["alg"] == "SHA-256" && is_hex(hash["content"], 64), "hash");
        }
        for (const Json& license : one.value("licenses", Json::array())) {
            faults.texts(license, {"expression"});
        }
    }
    for (const Json& one : json["dependencies"]) {
        faults.expect(references.contains(one["ref"]), "dependency of nothing");
        for (const Json& on : one["dependsOn"]) {
            faults.expect(references.contains(on), "dependency on nothing");
        }
    }
    return faults.list;
}

}  // namespace tarn::evidence::testing
