// SPDX-License-Identifier: MIT
// SPDX 2.3 as JSON.
#include "evidence/detail/document.hh"
#include "evidence/detail/license_ids.hh"
#include "evidence/evidence.hh"

#include "base/strings.hh"

#include <algorithm>
#include <cctype>
#include <set>

namespace tarn::evidence {
namespace {

constexpr std::string_view kImageId = "SPDXRef-Image";

// Letters, digits, "." and "-" alone; the digest keeps "libstdc++" and "libstdc--" apart.
std::string package_id(const Package& package) {
    std::string name = package.name;
    for (char& c : name) {
        const auto byte = static_cast<unsigned char>(c);
        c = byte < 0x80 && (std::isalnum(byte) != 0 || c == '.' || c == '-') ? c : '-';
    }
    return fmt::format("SPDXRef-{}-{}", name, package.rpm.hex().substr(0, 12));
}

Json purl_reference(const std::string& locator, std::string_view comment = {}) {
    Json out = {{"referenceCategory", "PACKAGE-MANAGER"},
                {"referenceType", "purl"},
                {"referenceLocator", locator}};
    if (!comment.empty()) {
        out["comment"] = comment;
    }
    return out;
}

Json checksum(const std::string& sha256) {
    return {{"algorithm", "SHA256"}, {"checksumValue", sha256}};
}

Json image_json(const Inventory& inventory) {
    Json out;
    out["SPDXID"] = kImageId;
    out["name"] = inventory.image;
    out["versionInfo"] = inventory.version;
    out["supplier"] = "Organization: " + inventory.distro;
    out["downloadLocation"] = "NOASSERTION";
    out["filesAnalyzed"] = false;
    out["licenseConcluded"] = "NOASSERTION";
    out["licenseDeclared"] = "NOASSERTION";
    out["copyrightText"] = "NOASSERTION";
    out["primaryPackagePurpose"] =
        inventory.kind == "container" ? "CONTAINER" : "OPERATING_SYSTEM";
    if (!inventory.description.empty()) {
        out["summary"] = inventory.description;
    }
    std::string files;
    for (const auto& [name, sum] : inventory.artifacts) {
        files += (files.empty() ? "Artifacts: " : ", ") + name + " sha256:" + sum;
    }
    if (!files.empty()) {
        out["comment"] = files;
    }
    return out;
}

Json package_json(const Package& package, const Inventory& inventory, const License& license) {
    Json out;
    out["SPDXID"] = package_id(package);
    out["name"] = package.name;
    out["versionInfo"] = package.evr();
    out["packageFileName"] = fmt::format(
        "{}-{}-{}.{}.rpm", package.name, package.version, package.release, package.arch);
    out["supplier"] =
        "Organization: " + (package.vendor.empty() ? inventory.distro : package.vendor);
    out["downloadLocation"] = "NOASSERTION";
    out["filesAnalyzed"] = false;
    out["checksums"] = Json::array({checksum(package.rpm.hex())});
    if (package.url.starts_with("http://") || package.url.starts_with("https://")) {
        out["homepage"] = package.url;
    }
    if (!package.origin.empty()) {
        out["sourceInfo"] = package.origin;
    }
    out["licenseConcluded"] = "NOASSERTION";
    out["licenseDeclared"] = license.expression;
    out["copyrightText"] = "NOASSERTION";
    if (!package.summary.empty()) {
        out["summary"] = package.summary;
    }
    out["externalRefs"] = Json::array({purl_reference(package_url(package, inventory))});
    if (!package.upstream.empty()) {
        out["externalRefs"].push_back(
            purl_reference(package.upstream, "what the package was made from"));
    }
    return out;
}

Json relationship(std::string_view from, std::string_view type, std::string_view to) {
    return {{"spdxElementId", from}, {"relationshipType", type}, {"relatedSpdxElement", to}};
}

Json extracted(const std::map<std::string, std::string>& references,
               const std::map<std::string, std::set<std::string>>& users) {
    Json out = Json::array();
    for (const auto& [id, words] : references) {
        const std::set<std::string>& names = users.at(id);
        out.push_back(
            {{"licenseId", id},
             {"name", words},
             {"extractedText",
              fmt::format("The License tag of these packages says: {}\nThe text is in their files "
                          "below /usr/share/licenses or /usr/share/doc: {}",
                          words,
                          fmt::join(names, ", "))}});
    }
    return out;
}

}  // namespace

std::string spdx_json(const Inventory& inventory) {
    std::map<std::string, std::string> references;
    std::map<std::string, std::set<std::string>> users;
    Json packages = Json::array({image_json(inventory)});
    Json relationships =
        Json::array({relationship("SPDXRef-DOCUMENT", "DESCRIBES", kImageId)});
    for (const Package& package : inventory.packages) {
        const License license = normalize_license(package.license);
        for (const auto& [id, words] : license.references) {
            references.emplace(id, words);
            users[id].insert(package.name);
        }
        packages.push_back(package_json(package, inventory, license));
        relationships.push_back(relationship(kImageId, "CONTAINS", package_id(package)));
    }
    Json out;
    out["spdxVersion"] = "SPDX-2.3";
    out["dataLicense"] = "CC0-1.0";
    out["SPDXID"] = "SPDXRef-DOCUMENT";
    out["name"] =
        fmt::format("{}-{}-{}", inventory.distro, inventory.version, inventory.image);
    out["documentNamespace"] = "";
    out["creationInfo"] = {{"created", rfc3339(inventory.created)},
                           {"creators",
                            {"Tool: " + replace_all(inventory.tool, " ", "-"),
                             "Organization: " + inventory.distro}},
                           {"licenseListVersion", kLicenseListVersion}};
    out["packages"] = std::move(packages);
    out["hasExtractedLicensingInfos"] = extracted(references, users);
    out["relationships"] = std::move(relationships);
    // Named by what it says, so that two documents of one name are one document.
    out["documentNamespace"] = fmt::format("https://tarn.invalid/spdx/{}-{}",
                                           out["name"].get<std::string>(),
                                           uuid_of(written(out)));
    return written(out);
}

}  // namespace tarn::evidence
