// SPDX-License-Identifier: MIT
#include "image/detail/certificates.hh"

#include "base/strings.hh"

namespace tarn::image {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::string_view kBundle = "etc/ssl/certs/ca-certificates.crt";

}  // namespace

Result<void> add_certificates(const Store& store, const Tree& tree, Overlay& overlay) {
    std::string bundle;
    for (const TreeEntry* entry : tree.below("usr/share/ca-certificates")) {
        if (entry->kind != EntryKind::kFile || !entry->path.ends_with(".crt")) {
            continue;
        }
        const std::string text = TARN_TRY(store.read(entry->content));
        const std::string_view pem = trim(text);
        if (!pem.starts_with(kBegin) || !pem.ends_with(kEnd)) {
            return fail(ErrorKind::kCorrupt, "/{} is no PEM certificate", entry->path);
        }
        bundle.append(pem).push_back('\n');
    }
    if (bundle.empty()) {
        return {};
    }
    TARN_TRY(overlay.file(kBundle, bundle));
    // Where else programs look. What a package owns stays as the package has it.
    static constexpr const char* kLinks[][2] = {
        {"etc/pki/tls/certs/ca-bundle.crt", "../../../ssl/certs/ca-certificates.crt"},
        {"etc/pki/tls/cert.pem", "../../ssl/certs/ca-certificates.crt"},
        {"etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
         "../../../../ssl/certs/ca-certificates.crt"},
        {"etc/ssl/cert.pem", "certs/ca-certificates.crt"},
    };
    for (const auto& link : kLinks) {
        if (tree.find(link[0]) == nullptr) {
            overlay.symlink(link[0], link[1]);
        }
    }
    return {};
}

}  // namespace tarn::image
