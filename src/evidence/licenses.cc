// SPDX-License-Identifier: MIT
// licenses.json: which license each package has, and which packages each license covers.
#include "evidence/detail/document.hh"
#include "evidence/evidence.hh"

namespace tarn::evidence {
namespace {

constexpr int kFormat = 1;

Failure malformed(std::string_view what) {
    return fail(error(ErrorKind::kCorrupt, "the table of licenses: {}", what)
                    .advise("build the image again with `--force`"));
}

}  // namespace

std::string licenses_json(const Inventory& inventory) {
    std::map<std::string, std::vector<std::string>> by_license;
    std::map<std::string, std::string> references;
    Json packages = Json::array();
    for (const Package& package : inventory.packages) {
        const License license = normalize_license(package.license);
        Json one = {{"name", package.name}, {"evr", package.evr()}, {"license", license.expression}};
        if (license.expression != package.license) {
            one["declared"] = package.license;
        }
        packages.push_back(std::move(one));
        by_license[license.expression].push_back(package.name);
        references.insert(license.references.begin(), license.references.end());
    }
    Json out;
    out["format"] = kFormat;
    out["image"] = inventory.image;
    out["licenses"] = Json::array();
    for (const auto& [expression, names] : by_license) {
        out["licenses"].push_back({{"license", expression}, {"packages", names}});
    }
    out["references"] = Json(references);
    out["packages"] = std::move(packages);
    return written(out);
}

Result<std::vector<PackageLicense>> parse_licenses(const std::string& json) {
    const Json root = Json::parse(json, nullptr, false);
    if (!root.is_object() || !root.contains("format") || root["format"] != kFormat ||
        !root.contains("packages") || !root["packages"].is_array()) {
        return malformed("not a table of format 1");
    }
    std::vector<PackageLicense> out;
    for (const Json& one : root["packages"]) {
        if (!one.is_object()) {
            return malformed("a package is not an object");
        }
        PackageLicense package;
        for (const auto& [key, field] :
             {std::pair{"name", &package.name}, {"evr", &package.evr},
              {"license", &package.license}, {"declared", &package.declared}}) {
            if (const auto found = one.find(key); found != one.end() && found->is_string()) {
                *field = found->get<std::string>();
            }
        }
        if (package.name.empty() || package.license.empty()) {
            return malformed("a package has no name or no license");
        }
        out.push_back(std::move(package));
    }
    return out;
}

}  // namespace tarn::evidence
