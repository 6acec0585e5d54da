// SPDX-License-Identifier: MIT
// CycloneDX 1.6 as JSON.
#include "evidence/detail/document.hh"
#include "evidence/evidence.hh"

#include "base/strings.hh"

namespace tarn::evidence {
namespace {

Json property(std::string_view name, const std::string& value) {
    return {{"name", name}, {"value", value}};
}

Json licenses_of(const std::string& text) {
    const License license = normalize_license(text);
    if (license.expression == "NOASSERTION" || license.expression == "NONE") {
        return Json::array();
    }
    return Json::array({Json{{"expression", license.expression}}});
}

// name and version out of a package URL, for people
Json ancestor(const std::string& purl) {
    const std::string_view plain = std::string_view(purl).substr(0, purl.find('?'));
    const std::size_t at = plain.rfind('@');
    const std::string_view path = plain.substr(0, at);
    Json out = {{"type", "library"}, {"name", path.substr(path.rfind('/') + 1)}};
    if (at != std::string_view::npos) {
        out["version"] = plain.substr(at + 1);
    }
    out["purl"] = purl;
    return out;
}

Json component_json(const Package& package, const Inventory& inventory, const std::string& purl) {
    Json out;
    out["type"] = "library";
    out["bom-ref"] = purl;
    out["supplier"] = {
        {"name", package.vendor.empty() ? inventory.distro : package.vendor}};
    out["name"] = package.name;
    out["version"] = package.evr();
    if (!package.summary.empty()) {
        out["description"] = package.summary;
    }
    out["hashes"] = Json::array({{{"alg", "SHA-256"}, {"content", package.rpm.hex()}}});
    if (Json licenses = licenses_of(package.license); !licenses.empty()) {
        out["licenses"] = std::move(licenses);
    }
    out["purl"] = purl;
    if (!package.upstream.empty()) {
        out["pedigree"] = {{"ancestors", Json::array({ancestor(package.upstream)})}};
    }
    if (package.url.starts_with("http://") || package.url.starts_with("https://")) {
        out["externalReferences"] = Json::array({{{"type", "website"}, {"url", package.url}}});
    }
    Json properties = Json::array();
    for (const auto& [name, value] :
         {std::pair<std::string_view, std::string>{"tarn:origin", package.origin},
          {"tarn:source-rpm", package.source_rpm},
          {"tarn:rpm-size", fmt::format("{}", package.rpm.size)},
          {"tarn:installed-files", fmt::format("{}", package.files)},
          {"tarn:installed-bytes", fmt::format("{}", package.bytes)}}) {
        if (!value.empty()) {
            properties.push_back(property(name, value));
        }
    }
    out["properties"] = std::move(properties);
    return out;
}

Json metadata_json(const Inventory& inventory) {
    const std::vector<std::string_view> words = split_words(inventory.tool);
    Json tool = {{"type", "application"}, {"name", words.empty() ? "tarn" : words[0]}};
    if (words.size() > 1) {
        tool["version"] = words[1];
    }
    Json image = {{"type", inventory.kind == "container" ? "container" : "operating-system"},
                  {"bom-ref", "image"},
                  {"name", inventory.image},
                  {"version", inventory.version}};
    if (!inventory.description.empty()) {
        image["description"] = inventory.description;
    }
    Json properties = Json::array({property("tarn:architecture", inventory.architecture)});
    for (const auto& [name, sum] : inventory.artifacts) {
        properties.push_back(property("tarn:artifact", name + " sha256:" + sum));
    }
    image["properties"] = std::move(properties);
    Json out;
    out["timestamp"] = rfc3339(inventory.created);
    out["tools"] = {{"components", Json::array({std::move(tool)})}};
    out["component"] = std::move(image);
    return out;
}

}  // namespace

std::string cyclonedx_json(const Inventory& inventory) {
    // Scanners look for the system's name and version in a component of their own.
    Json components = Json::array({{{"type", "operating-system"},
                                    {"bom-ref", "system"},
                                    {"name", inventory.distro},
                                    {"version", inventory.version}}});
    Json contained = Json::array({"system"});
    for (const Package& package : inventory.packages) {
        const std::string purl = package_url(package, inventory);
        components.push_back(component_json(package, inventory, purl));
        contained.push_back(purl);
    }
    Json out;
    out["$schema"] = "http://cyclonedx.org/schema/bom-1.6.schema.json";
    out["bomFormat"] = "CycloneDX";
    out["specVersion"] = "1.6";
    out["serialNumber"] = "";
    out["version"] = 1;
    out["metadata"] = metadata_json(inventory);
    out["components"] = std::move(components);
    out["dependencies"] =
        Json::array({Json{{"ref", "image"}, {"dependsOn", std::move(contained)}}});
    out["serialNumber"] = "urn:uuid:" + uuid_of(written(out));
    return written(out);
}

}  // namespace tarn::evidence
