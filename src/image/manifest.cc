// SPDX-License-Identifier: MIT
// manifest.json (docs/formats/manifest.md).
#include "image/image.hh"

#include "base/hash.hh"

#include <nlohmann/json.hpp>

namespace tarn {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::size_t kMaxPackages = 100'000;

Json nevra_json(const rpm::Nevra& nevra) {
    Json out;
    out["name"] = nevra.name;
    if (nevra.evr.epoch) {
        out["epoch"] = *nevra.evr.epoch;
    }
    out["version"] = nevra.evr.version;
    out["release"] = nevra.evr.release;
    out["arch"] = nevra.arch;
    return out;
}

Failure malformed(std::string_view what) {
    return fail(error(ErrorKind::kCorrupt, "manifest.json: {}", what)
                    .advise("build the image again with `--force`"));
}

template <class T>
Result<T> take(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) {
        return malformed(fmt::format("`{}` is missing", key));
    }
    if constexpr (std::is_same_v<T, std::string>) {
        if (!found->is_string()) {
            return malformed(fmt::format("`{}` is not a string", key));
        }
    } else if (!found->is_number_unsigned()) {
        return malformed(fmt::format("`{}` is not a number", key));
    }
    return found->template get<T>();
}

Result<rpm::Nevra> parse_nevra(const Json& json) {
    rpm::Nevra out;
    out.name = TARN_TRY(take<std::string>(json, "name"));
    out.evr.version = TARN_TRY(take<std::string>(json, "version"));
    out.evr.release = TARN_TRY(take<std::string>(json, "release"));
    out.arch = TARN_TRY(take<std::string>(json, "arch"));
    if (json.contains("epoch")) {
        const auto epoch = TARN_TRY(take<std::uint64_t>(json, "epoch"));
        if (epoch > 0xffffffffu) {
            return malformed("`epoch` is too large");
        }
        out.evr.epoch = static_cast<std::uint32_t>(epoch);
    }
    return out;
}

Result<Origin> parse_origin(const Json& json) {
    Origin out;
    out.kind = TARN_TRY(take<std::string>(json, "kind"));
    out.text = TARN_TRY(take<std::string>(json, "text"));
    if (const auto facts = json.find("facts"); facts != json.end()) {
        if (!facts->is_object()) {
            return malformed("`facts` is not an object");
        }
        for (const auto& [name, value] : facts->items()) {
            if (!value.is_string()) {
                return malformed("a fact is not a string");
            }
            out.facts[name] = value.get<std::string>();
        }
    }
    return out;
}

Result<ManifestPackage> parse_package(const Json& json) {
    if (!json.is_object()) {
        return malformed("a package is not an object");
    }
    ManifestPackage out;
    out.nevra = TARN_TRY(parse_nevra(json));
    const std::string hex = TARN_TRY(take<std::string>(json, "sha256"));
    const auto digest = Digest::from_hex(hex, TARN_TRY(take<std::uint64_t>(json, "file-size")));
    if (!digest) {
        return malformed("`sha256` is not 64 hex digits");
    }
    out.rpm = *digest;
    out.size = TARN_TRY(take<std::uint64_t>(json, "size"));
    out.reason = TARN_TRY(take<std::string>(json, "reason"));
    const auto origin = json.find("origin");
    if (origin == json.end() || !origin->is_object()) {
        return malformed("`origin` is missing");
    }
    out.origin = TARN_TRY(parse_origin(*origin));
    return out;
}

Result<void> parse_lists(const Json& json, Manifest& out) {
    const auto packages = json.find("packages");
    if (packages == json.end() || !packages->is_array() || packages->size() > kMaxPackages) {
        return malformed("`packages` is not a list");
    }
    for (const Json& package : *packages) {
        out.packages.push_back(TARN_TRY(parse_package(package)));
    }
    const auto artifacts = json.find("artifacts");
    if (artifacts == json.end() || !artifacts->is_object()) {
        return malformed("`artifacts` is not an object");
    }
    for (const auto& [name, sum] : artifacts->items()) {
        if (!sum.is_string()) {
            return malformed("a checksum is not a string");
        }
        out.artifacts.emplace_back(name, sum.get<std::string>());
    }
    return {};
}

const char* kind_word(EntryKind kind) {
    switch (kind) {
        case EntryKind::kDirectory:
            return "directory";
        case EntryKind::kSymlink:
            return "link";
        case EntryKind::kCharDevice:
            return "character device";
        case EntryKind::kBlockDevice:
            return "block device";
        case EntryKind::kFifo:
            return "fifo";
        case EntryKind::kFile:
            break;
    }
    return "file";
}

Json added_json(const ManifestAdded& added) {
    const TreeEntry& entry = added.entry;
    Json out;
    out["path"] = entry.path;
    out["kind"] = kind_word(entry.kind);
    if (entry.kind == EntryKind::kSymlink) {
        out["target"] = entry.target;
    } else {
        out["mode"] = fmt::format("{:04o}", entry.mode);
    }
    out["uid"] = entry.uid;
    out["gid"] = entry.gid;
    if (entry.kind == EntryKind::kFile) {
        out["sha256"] = entry.content.hex();
        out["size"] = entry.content.size;
    }
    if (const auto found = entry.xattrs.find("security.capability"); found != entry.xattrs.end()) {
        out["capabilities"] = to_hex(found->second);
    }
    out["by"] = added.by;
    return out;
}

}  // namespace

std::string Manifest::to_json() const {
    Json out;
    out["format"] = kFormat;
    out["image"] = image;
    out["distro"] = distro;
    out["version"] = version;
    out["repository-snapshot"] = repository_snapshot;
    out["content-bytes"] = content_bytes;
    out["artifacts"] = Json::object();
    for (const auto& [name, sum] : artifacts) {
        out["artifacts"][name] = sum;
    }
    out["packages"] = Json::array();
    for (const ManifestPackage& package : packages) {
        Json one = nevra_json(package.nevra);
        one["nevra"] = package.nevra.to_string();
        one["sha256"] = package.rpm.hex();
        one["file-size"] = package.rpm.size;
        one["size"] = package.size;
        one["reason"] = package.reason;
        one["origin"] = {{"kind", package.origin.kind}, {"text", package.origin.text}};
        one["origin"]["facts"] = Json(package.origin.facts);
        out["packages"].push_back(std::move(one));
    }
    out["added"] = Json::array();
    for (const ManifestAdded& one : added) {
        out["added"].push_back(added_json(one));
    }
    // Bytes that are no UTF-8 come out as U+FFFD rather than as an exception.
    return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Manifest> Manifest::parse(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return malformed("not a JSON object");
    }
    if (TARN_TRY(take<std::uint64_t>(json, "format")) != kFormat) {
        return malformed("written in a format this version does not read");
    }
    Manifest out;
    out.image = TARN_TRY(take<std::string>(json, "image"));
    out.distro = TARN_TRY(take<std::string>(json, "distro"));
    out.version = TARN_TRY(take<std::string>(json, "version"));
    out.repository_snapshot = TARN_TRY(take<std::string>(json, "repository-snapshot"));
    out.content_bytes = TARN_TRY(take<std::uint64_t>(json, "content-bytes"));
    TARN_TRY(parse_lists(json, out));
    return out;
}

}  // namespace tarn
