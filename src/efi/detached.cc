// SPDX-License-Identifier: MIT
// Signing elsewhere: what goes out, and what may come back.
#include "base/fs.hh"
#include "base/strings.hh"
#include "efi/detail/openssl.hh"
#include "efi/signer.hh"
#include "store/store.hh"

#include <nlohmann/json.hpp>
#include <openssl/pem.h>

#include <algorithm>

namespace tarn::efi {
namespace {

constexpr const char* kList = "unsigned.json";
constexpr std::size_t kMaxImages = 1000;

std::string hex(const Sha256Sum& sum) {
    return to_hex({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

// "EFI/Linux/tarn_1+3.efi" -> "efi-linux-tarn_1+3.efi"
std::string flat_name(std::string_view name) {
    return replace_all(to_lower(name), "/", "-");
}

std::string text_of(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_hex_sum(std::string_view text) {
    std::string raw;
    return text.size() == 64 && from_hex(text, raw);
}

// DER, or PEM with "PKCS7" or "CMS".
std::string signature_der(const std::string& bytes) {
    if (bytes.find("-----BEGIN") == std::string::npos) {
        return bytes;
    }
    const BioPtr in = memory_bio(bytes);
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    std::string out;
    if (in && PEM_read_bio(in.get(), &name, &header, &data, &size) == 1) {
        out.assign(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    ERR_clear_error();
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return out;
}

struct Injected {
    std::string hash;  // hex
    std::string der;
};

Result<Injected> take_signature(const std::string& directory,
                                const UnsignedImage& image,
                                const Certificate& certificate) {
    const std::string path = join_path(directory, image.file);
    const std::string bytes = TARN_TRY(read_file(path));
    const std::string bare = TARN_TRY(strip_signatures(bytes));
    if (hex(TARN_TRY(image_hash(bare))) != image.authenticode_sha256 ||
        sha256_hex(bare) != image.sha256) {
        return fail(error(ErrorKind::kCorrupt, "{} differs in more than its signature", path)
                        .advise("sign the exported file itself, and change nothing else"));
    }
    const Sha256Sum hash = TARN_TRY(image_hash(bare));
    std::vector<std::string> candidates = TARN_TRY(image_signatures(bytes));
    if (path_exists(path + ".p7s")) {
        const std::string detached = TARN_TRY(read_file(path + ".p7s", 1 << 20));
        candidates.insert(candidates.begin(), signature_der(detached));
    }
    if (candidates.empty()) {
        return fail(error(ErrorKind::kNotFound, "{} is not signed", path)
                        .advise(fmt::format("sign it in place, or put a PKCS#7 signature beside it "
                                            "as {}.p7s",
                                            image.file)));
    }
    Error refused = error(ErrorKind::kCorrupt,
                          "no signature of {} holds for the certificate `{}`",
                          path,
                          certificate.subject);
    for (std::string& candidate : candidates) {
        const auto verdict = verify_signature(candidate, hash, {certificate});
        if (verdict) {
            return Injected{image.authenticode_sha256, std::move(candidate)};
        }
        refused.notes.push_back(verdict.error().message);
    }
    return fail(std::move(refused));
}

}  // namespace

Result<std::string> Collector::sign(std::string_view name, std::string_view pe) const {
    // Padded, as it will be when it is signed: then only a table is added to the exported file.
    std::string bare = TARN_TRY(strip_signatures(pe));
    kept_.push_back({std::string(name), std::move(bare)});
    return std::string(pe);
}

Digest Collector::identity() const {
    return KeyBuilder("secure-boot-unsigned", 1).key();
}

Result<std::vector<UnsignedImage>> Collector::write(const std::string& directory) const {
    if (path_exists(directory)) {
        const auto names = TARN_TRY(list_directory(directory));
        if (!names.empty()) {
            return fail(error(ErrorKind::kUsage, "the directory {} is not empty", directory)
                            .advise("name a new one"));
        }
    }
    TARN_TRY(make_directories(directory));
    std::vector<UnsignedImage> out;
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Kept& kept : kept_) {
        UnsignedImage image{
            kept.name, flat_name(kept.name), sha256_hex(kept.bytes), "", kept.bytes.size()};
        image.authenticode_sha256 = hex(TARN_TRY(image_hash(kept.bytes)));
        TARN_TRY(write_file_atomic(join_path(directory, image.file), kept.bytes));
        list.push_back({{"name", image.name},
                        {"file", image.file},
                        {"size", image.size},
                        {"sha256", image.sha256},
                        {"authenticode-sha256", image.authenticode_sha256}});
        out.push_back(std::move(image));
    }
    const nlohmann::ordered_json document = {{"version", 1}, {"images", list}};
    // Last: a directory without the list is no export.
    TARN_TRY(write_file_atomic(join_path(directory, kList), document.dump(2) + "\n"));
    return out;
}

Result<std::vector<UnsignedImage>> read_unsigned_list(const std::string& directory) {
    const std::string path = join_path(directory, kList);
    auto text = read_file(path, 1 << 20);
    if (!text) {
        return fail(
            std::move(text.error()).advise("`tarn image export-unsigned` writes such a directory"));
    }
    const nlohmann::json document = nlohmann::json::parse(*text, nullptr, false);
    const bool shaped = document.is_object() && document.contains("images") &&
                        document["images"].is_array() && document.contains("version") &&
                        document["version"] == 1 && document["images"].size() <= kMaxImages;
    if (!shaped) {
        return fail(ErrorKind::kCorrupt, "{} is no list of unsigned images (version 1)", path);
    }
    std::vector<UnsignedImage> out;
    for (const nlohmann::json& each : document["images"]) {
        UnsignedImage image;
        if (each.is_object()) {
            image.name = text_of(each, "name");
            image.file = text_of(each, "file");
            image.sha256 = text_of(each, "sha256");
            image.authenticode_sha256 = text_of(each, "authenticode-sha256");
        }
        const auto safe = safe_relative_path(image.file, Absolute::kRefuse);
        if (!safe || *safe != image.file || contains(image.file, "/") || image.file.empty() ||
            !is_hex_sum(image.sha256) || !is_hex_sum(image.authenticode_sha256)) {
            return fail(ErrorKind::kCorrupt, "{}: image {} is malformed", path, out.size() + 1);
        }
        out.push_back(std::move(image));
    }
    return out;
}

Result<std::size_t> inject_signatures(const std::string& directory,
                                      const Certificate& certificate,
                                      const std::string& signatures) {
    std::vector<Injected> taken;
    for (const UnsignedImage& image : TARN_TRY(read_unsigned_list(directory))) {
        taken.push_back(TARN_TRY(take_signature(directory, image, certificate)));
    }
    TARN_TRY(make_directories(signatures));
    for (const Injected& each : taken) {
        TARN_TRY(write_file_atomic(join_path(signatures, each.hash + ".p7s"), each.der));
    }
    return taken.size();
}

}  // namespace tarn::efi
