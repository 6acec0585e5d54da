// SPDX-License-Identifier: MIT
#include "oci/detail/json.hh"

namespace tarn::oci {
namespace {

using namespace detail;

Result<std::vector<Descriptor>> descriptor_list(const Json& json,
                                                const char* key,
                                                std::size_t limit,
                                                const std::string& what) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array()) {
        return malformed(what, fmt::format("`{}` is not a list", key));
    }
    if (found->size() > limit) {
        return malformed(what, fmt::format("{} {}, more than {}", found->size(), key, limit));
    }
    std::vector<Descriptor> out;
    for (const Json& item : *found) {
        out.push_back(TARN_TRY(parse_descriptor(item, what)));
    }
    return out;
}

Result<void> check_version(const Json& json, const std::string& what) {
    const auto version = json.find("schemaVersion");
    if (version == json.end() || !version->is_number() || *version != 2) {
        return malformed(what, "`schemaVersion` is not 2");
    }
    return {};
}

std::vector<std::string> keys_of(const Json& object) {
    std::vector<std::string> out;
    for (const auto& [name, value] : object.items()) {
        out.push_back(name);
    }
    return out;
}

Result<ImageConfig> parse_image_config(const Json& json, const std::string& what) {
    ImageConfig out;
    out.platform.architecture = TARN_TRY(text_field(json, "architecture", what));
    out.platform.os = TARN_TRY(text_field(json, "os", what));
    out.platform.variant = TARN_TRY(text_field(json, "variant", what));
    out.author = TARN_TRY(text_field(json, "author", what));
    const std::string created = TARN_TRY(text_field(json, "created", what));
    if (!created.empty()) {
        const auto time = parse_rfc3339(created);
        if (!time) {
            return malformed(what, fmt::format("`created` is `{}`", created.substr(0, 60)));
        }
        out.created = *time;
    }
    const Json config = TARN_TRY(object_field(json, "config", what));
    out.entrypoint = TARN_TRY(list_field(config, "Entrypoint", what));
    out.command = TARN_TRY(list_field(config, "Cmd", what));
    out.environment = TARN_TRY(list_field(config, "Env", what));
    out.user = TARN_TRY(text_field(config, "User", what));
    out.working_dir = TARN_TRY(text_field(config, "WorkingDir", what));
    out.stop_signal = TARN_TRY(text_field(config, "StopSignal", what));
    out.labels = TARN_TRY(map_field(config, "Labels", what));
    out.exposed_ports = keys_of(TARN_TRY(object_field(config, "ExposedPorts", what)));
    out.volumes = keys_of(TARN_TRY(object_field(config, "Volumes", what)));
    return out;
}

}  // namespace

Result<std::vector<Descriptor>> parse_index(std::string_view json, const ReadLimits& limits) {
    const std::string what = "the image index";
    const Json document = TARN_TRY(parse_document(json, what, limits.json_bytes));
    TARN_TRY(check_version(document, what));
    return descriptor_list(document, "manifests", limits.manifests, what);
}

Result<ManifestDocument> parse_manifest(std::string_view json, const ReadLimits& limits) {
    const std::string what = "the image manifest";
    const Json document = TARN_TRY(parse_document(json, what, limits.json_bytes));
    TARN_TRY(check_version(document, what));
    ManifestDocument out;
    const auto config = document.find("config");
    if (config == document.end()) {
        return malformed(what, "`config` is missing");
    }
    out.config = TARN_TRY(parse_descriptor(*config, what));
    out.layers = TARN_TRY(descriptor_list(document, "layers", limits.layers, what));
    if (const auto subject = document.find("subject");
        subject != document.end() && !subject->is_null()) {
        out.subject = TARN_TRY(parse_descriptor(*subject, what));
    }
    out.artifact_type = TARN_TRY(text_field(document, "artifactType", what));
    out.annotations = TARN_TRY(map_field(document, "annotations", what));
    return out;
}

Result<ConfigDocument> parse_config(std::string_view json, const ReadLimits& limits) {
    const std::string what = "the image configuration";
    const Json document = TARN_TRY(parse_document(json, what, limits.json_bytes));
    ConfigDocument out;
    out.config = TARN_TRY(parse_image_config(document, what));
    const Json rootfs = TARN_TRY(object_field(document, "rootfs", what));
    const std::vector<std::string> ids = TARN_TRY(list_field(rootfs, "diff_ids", what));
    if (ids.size() > limits.layers) {
        return malformed(what, fmt::format("{} diff ids, more than {}", ids.size(), limits.layers));
    }
    for (const std::string& id : ids) {
        const auto digest =
            id.starts_with("sha256:") ? Digest::from_hex(id.substr(7), 0) : std::nullopt;
        if (!digest) {
            return malformed(what, fmt::format("`{}` is no diff id", id.substr(0, 100)));
        }
        out.diff_ids.push_back(*digest);
    }
    return out;
}

}  // namespace tarn::oci
