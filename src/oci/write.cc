// SPDX-License-Identifier: MIT
#include "base/hash.hh"
#include "base/strings.hh"
#include "oci/detail/json.hh"

#include <algorithm>

namespace tarn::oci {
namespace {

using namespace detail;

// Raise it when the same tree gives other bytes.
constexpr int kLayerVersion = 1;
constexpr int kZstdLevel = 3;
constexpr int kGzipLevel = 6;
constexpr std::string_view kEmptyObject = "{}";

std::string media_type_of(Compression compression) {
    const std::string base = "application/vnd.oci.image.layer.v1.tar";
    return compression == Compression::kZstd   ? base + "+zstd"
           : compression == Compression::kGzip ? base + "+gzip"
                                               : base;
}

Digest layer_key(const Tree& tree, const LayerOptions& options, int level) {
    KeyBuilder key("oci-layer", kLayerVersion);
    key.field("tree", tree.digest()).field("time", fmt::format("{}", options.time));
    key.field("compression", fmt::format("{} {}", static_cast<int>(options.compression), level));
    return key.key();
}

std::optional<WrittenLayer> kept_layer(const Store& store, const Digest& key) {
    const auto text = store.result("oci", key);
    const Json json = text ? Json::parse(*text, nullptr, false) : Json();
    if (!json.is_object() || !json.contains("blob") || !json.contains("diff") ||
        !json["blob"].is_string() || !json["diff"].is_string()) {
        return std::nullopt;
    }
    const auto blob = Digest::parse(json["blob"].get<std::string>());
    const std::string diff = json["diff"].get<std::string>();
    const std::size_t colon = diff.find(':');
    const auto size = parse_u64(std::string_view(diff).substr(colon + 1));
    const auto id =
        size && colon == 64 ? Digest::from_hex(diff.substr(0, 64), *size) : std::nullopt;
    if (!blob || !id || !store.has(*blob)) {
        return std::nullopt;
    }
    return WrittenLayer{{}, {}, *blob, *id};
}

// A tar on its way into a blob: hashed as it is, compressed as it is kept.
Result<WrittenLayer> compress_layer(const Store& store,
                                    const Tree& tree,
                                    const LayerOptions& options,
                                    int level) {
    std::string packed;
    const auto keep = [&](std::string_view bytes) -> Result<void> {
        packed.append(bytes);
        return {};
    };
    ZstdWriter zstd(level, keep);
    GzipWriter gzip(level, options.jobs, keep);
    Hasher hasher;
    WrittenLayer out;
    const auto sink = [&](std::string_view bytes) -> Result<void> {
        hasher.update(bytes);
        out.diff.size += bytes.size();
        switch (options.compression) {
            case Compression::kZstd:
                return zstd.write(bytes);
            case Compression::kGzip:
                return gzip.write(bytes);
            default:
                return keep(bytes);
        }
    };
    TARN_TRY(write_tar(store, tree, {options.time}, sink));
    if (options.compression == Compression::kZstd) {
        TARN_TRY(zstd.finish());
    } else if (options.compression == Compression::kGzip) {
        TARN_TRY(gzip.finish());
    }
    out.diff.sha256 = hasher.finish();
    out.blob = TARN_TRY(store.put(packed));
    return out;
}

Json set_of(const std::vector<std::string>& names) {
    Json out = Json::object();
    for (const std::string& name : names) {
        out[name] = Json::object();
    }
    return out;
}

Json runtime_json(const ImageConfig& config) {
    Json out = Json::object();
    const auto text = [&](const char* key, const std::string& value) {
        if (!value.empty()) {
            out[key] = value;
        }
    };
    const auto list = [&](const char* key, const std::vector<std::string>& values) {
        if (!values.empty()) {
            out[key] = values;
        }
    };
    text("User", config.user);
    if (!config.exposed_ports.empty()) {
        out["ExposedPorts"] = set_of(config.exposed_ports);
    }
    list("Env", config.environment);
    list("Entrypoint", config.entrypoint);
    list("Cmd", config.command);
    if (!config.volumes.empty()) {
        out["Volumes"] = set_of(config.volumes);
    }
    text("WorkingDir", config.working_dir);
    if (!config.labels.empty()) {
        out["Labels"] = config.labels;
    }
    text("StopSignal", config.stop_signal);
    return out;
}

Json config_json(const ImageConfig& config, const std::vector<WrittenLayer>& layers) {
    Json out;
    out["created"] = rfc3339(config.created);
    if (!config.author.empty()) {
        out["author"] = config.author;
    }
    out["architecture"] = config.platform.architecture;
    if (!config.platform.variant.empty()) {
        out["variant"] = config.platform.variant;
    }
    out["os"] = config.platform.os;
    out["config"] = runtime_json(config);
    Json ids = Json::array(), history = Json::array();
    for (const WrittenLayer& layer : layers) {
        ids.push_back("sha256:" + layer.diff.hex());
        history.push_back({{"created", rfc3339(config.created)}, {"created_by", layer.title}});
    }
    out["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(ids)}};
    out["history"] = std::move(history);
    return out;
}

Json index_json(const std::vector<Descriptor>& manifests) {
    Json out;
    out["schemaVersion"] = 2;
    out["mediaType"] = kIndexType;
    out["manifests"] = Json::array();
    for (const Descriptor& descriptor : manifests) {
        out["manifests"].push_back(descriptor_json(descriptor));
    }
    return out;
}

}  // namespace

Platform platform_of(std::string_view rpm_architecture) {
    Platform out;
    out.architecture = rpm_architecture == "x86_64"    ? "amd64"
                       : rpm_architecture == "aarch64" ? "arm64"
                                                       : std::string(rpm_architecture);
    out.variant = rpm_architecture == "aarch64" ? "v8" : "";
    return out;
}

Result<WrittenLayer> write_layer(const Store& store,
                                 std::string title,
                                 const Tree& tree,
                                 const LayerOptions& options) {
    const bool gzip = options.compression == Compression::kGzip;
    if (!gzip && options.compression != Compression::kZstd &&
        options.compression != Compression::kNone) {
        return fail(ErrorKind::kUsage, "layers are compressed by zstd, gzip or not at all");
    }
    const int level = options.level != 0 ? options.level : (gzip ? kGzipLevel : kZstdLevel);
    const Digest key = layer_key(tree, options, level);
    auto kept = kept_layer(store, key);
    if (!kept) {
        kept = TARN_TRY(compress_layer(store, tree, options, level));
        const Json note = {{"blob", kept->blob.to_string()},
                           {"diff", fmt::format("{}:{}", kept->diff.hex(), kept->diff.size)}};
        TARN_TRY(store.put_result("oci", key, note.dump()));
    }
    kept->title = std::move(title);
    kept->media_type = media_type_of(options.compression);
    return std::move(*kept);
}

std::string timestamp(std::int64_t seconds) {
    return rfc3339(seconds);
}

std::string chain_id(const std::vector<WrittenLayer>& layers) {
    std::string out;
    for (const WrittenLayer& layer : layers) {
        const std::string id = "sha256:" + layer.diff.hex();
        out = out.empty() ? id : "sha256:" + sha256_hex(out + " " + id);
    }
    return out;
}

Result<Descriptor> Layout::put(std::string_view media_type, const std::string& bytes) {
    Descriptor out;
    out.media_type = media_type;
    out.digest = TARN_TRY(store_->put(bytes));
    blobs_.insert_or_assign(out.digest.hex(), out.digest);
    return out;
}

Result<Descriptor> Layout::add_image(const ImageConfig& config,
                                     const std::vector<WrittenLayer>& layers,
                                     const Annotations& annotations) {
    const Descriptor stored = TARN_TRY(put(kConfigType, dump(config_json(config, layers))));
    Image image;
    image.config = stored.digest;
    Json manifest;
    manifest["schemaVersion"] = 2;
    manifest["mediaType"] = kManifestType;
    manifest["config"] = descriptor_json(stored);
    manifest["layers"] = Json::array();
    for (const WrittenLayer& layer : layers) {
        Descriptor descriptor;
        descriptor.media_type = layer.media_type;
        descriptor.digest = layer.blob;
        blobs_.insert_or_assign(layer.blob.hex(), layer.blob);
        image.layers.push_back(layer.blob);
        manifest["layers"].push_back(descriptor_json(descriptor));
    }
    if (!annotations.empty()) {
        manifest["annotations"] = annotations;
    }
    image.manifest = TARN_TRY(put(kManifestType, dump(manifest)));
    image.manifest.platform = config.platform;
    images_.push_back(image);
    return image.manifest;
}

Result<Descriptor> Layout::add_index(const std::vector<Descriptor>& images,
                                     const Annotations& annotations) {
    Json index = index_json(images);
    if (!annotations.empty()) {
        index["annotations"] = annotations;
    }
    return put(kIndexType, dump(index));
}

Result<Descriptor> Layout::add_artifact(const Descriptor& subject, const Artifact& artifact) {
    const Descriptor empty = TARN_TRY(put(kEmptyType, std::string(kEmptyObject)));
    Descriptor blob = TARN_TRY(put(artifact.type, artifact.bytes));
    if (!artifact.file_name.empty()) {
        blob.annotations["org.opencontainers.image.title"] = artifact.file_name;
    }
    Descriptor target;
    target.media_type = subject.media_type;
    target.digest = subject.digest;
    Json manifest;
    manifest["schemaVersion"] = 2;
    manifest["mediaType"] = kManifestType;
    manifest["artifactType"] = artifact.type;
    manifest["config"] = descriptor_json(empty);
    manifest["layers"] = Json::array({descriptor_json(blob)});
    manifest["subject"] = descriptor_json(target);
    if (!artifact.annotations.empty()) {
        manifest["annotations"] = artifact.annotations;
    }
    Descriptor out = TARN_TRY(put(kManifestType, dump(manifest)));
    out.artifact_type = artifact.type;
    out.annotations = artifact.annotations;
    artifacts_.emplace_back(subject.digest.hex(), out);
    return out;
}

void Layout::tag(const Descriptor& descriptor, std::string name) {
    tagged_.push_back(descriptor);
    tagged_.back().annotations[std::string(kTagAnnotation)] = std::move(name);
}

TreeEntry Layout::file(std::string path, const Digest& content) const {
    TreeEntry out;
    out.path = std::move(path);
    out.mode = 0644;
    out.mtime = time_;
    out.content = content;
    return out;
}

Result<std::vector<TreeEntry>> Layout::entries() {
    std::vector<Descriptor> manifests = tagged_;
    std::map<std::string, std::vector<Descriptor>> by_subject;
    for (const auto& [subject, descriptor] : artifacts_) {
        manifests.push_back(descriptor);
        by_subject[subject].push_back(descriptor);
    }
    for (const auto& [subject, descriptors] : by_subject) {
        Descriptor fallback = TARN_TRY(put(kIndexType, dump(index_json(descriptors))));
        fallback.annotations[std::string(kTagAnnotation)] = "sha256-" + subject;
        manifests.push_back(std::move(fallback));
    }
    std::vector<TreeEntry> out;
    for (const char* directory : {"blobs", "blobs/sha256"}) {
        TreeEntry entry = file(directory, {});
        entry.kind = EntryKind::kDirectory;
        entry.mode = 0755;
        out.push_back(std::move(entry));
    }
    for (const auto& [hex, digest] : blobs_) {
        out.push_back(file("blobs/sha256/" + hex, digest));
    }
    const Digest index = TARN_TRY(store_->put(dump(index_json(manifests))));
    out.push_back(file("index.json", index));
    const Digest version = TARN_TRY(store_->put(R"({"imageLayoutVersion":"1.0.0"})"));
    out.push_back(file("oci-layout", version));
    return out;
}

Result<Tree> Layout::tree() {
    return Tree::make(TARN_TRY(entries()));
}

Result<Tree> Layout::docker_tree(const std::string& repository) {
    std::vector<TreeEntry> files = TARN_TRY(entries());
    Json manifest = Json::array();
    for (const Image& image : images_) {
        Json one;
        one["Config"] = "blobs/sha256/" + image.config.hex();
        one["RepoTags"] = Json::array();
        for (const Descriptor& descriptor : tagged_) {
            if (descriptor.digest == image.manifest.digest) {
                one["RepoTags"].push_back(repository + ":" +
                                          descriptor.annotations.at(std::string(kTagAnnotation)));
            }
        }
        one["Layers"] = Json::array();
        for (const Digest& layer : image.layers) {
            one["Layers"].push_back("blobs/sha256/" + layer.hex());
        }
        manifest.push_back(std::move(one));
    }
    const Digest digest = TARN_TRY(store_->put(dump(manifest)));
    files.push_back(file("manifest.json", digest));
    return Tree::make(std::move(files));
}

}  // namespace tarn::oci
