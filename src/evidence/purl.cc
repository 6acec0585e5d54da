// SPDX-License-Identifier: MIT
// Package URLs, as https://github.com/package-url/purl-spec has them.
#include "evidence/evidence.hh"

#include <cctype>

namespace tarn::evidence {
namespace {

std::string encoded(std::string_view text, std::string_view also_plain = {}) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte < 0x80 && std::isalnum(byte) != 0) || c == '.' || c == '-' ||
                           c == '_' || c == '~' || c == ':' ||
                           also_plain.find(c) != std::string_view::npos;
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return out;
}

}  // namespace

std::string make_purl(std::string_view type,
                      std::string_view space,
                      std::string_view name,
                      std::string_view version,
                      const std::map<std::string, std::string>& qualifiers) {
    std::string out = fmt::format("pkg:{}/", type);
    if (!space.empty()) {
        out += encoded(space) + "/";
    }
    out += encoded(name);
    if (!version.empty()) {
        out += "@" + encoded(version);
    }
    char separator = '?';
    for (const auto& [key, value] : qualifiers) {
        if (!value.empty()) {
            out += separator + key + "=" + encoded(value, "/,");
            separator = '&';
        }
    }
    return out;
}

std::string Package::evr() const {
    const std::string plain = version + "-" + release;
    return epoch ? fmt::format("{}:{}", *epoch, plain) : plain;
}

std::string package_url(const Package& package, const Inventory& inventory) {
    std::map<std::string, std::string> qualifiers = {
        {"arch", package.arch},
        {"distro", fmt::format("{}-{}", inventory.distro, inventory.version)},
        {"upstream", package.source_rpm}};
    if (package.epoch) {
        qualifiers["epoch"] = fmt::format("{}", *package.epoch);
    }
    return make_purl("rpm",
                     inventory.distro,
                     package.name,
                     package.version + "-" + package.release,
                     qualifiers);
}

}  // namespace tarn::evidence
