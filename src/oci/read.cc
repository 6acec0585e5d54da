// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "oci/detail/json.hh"
#include "oci/detail/members.hh"

#include <algorithm>

namespace tarn::oci {
namespace {

using namespace detail;

constexpr int kMaxIndexDepth = 4;
constexpr std::string_view kDockerManifestType =
    "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kDockerListType =
    "application/vnd.docker.distribution.manifest.list.v2+json";

bool is_index(const Descriptor& descriptor) {
    return descriptor.media_type == kIndexType || descriptor.media_type == kDockerListType;
}

std::string tag_of(const Descriptor& descriptor) {
    const auto found = descriptor.annotations.find(std::string(kTagAnnotation));
    return found == descriptor.annotations.end() ? std::string() : found->second;
}

// What index.json has beside images: artifacts, and the indexes of them.
bool is_image(const Descriptor& descriptor) {
    return descriptor.artifact_type.empty() && !tag_of(descriptor).starts_with("sha256-");
}

Failure no_such_tag(const std::string& path,
                    const std::string& tag,
                    const std::vector<std::string>& tags) {
    Error problem = tag.empty() ? error(ErrorKind::kUsage, "{} has {} images", path, tags.size())
                                : error(ErrorKind::kUsage, "{} has no image `{}`", path, tag);
    std::string help = did_you_mean(tag, tags);
    if (help.empty()) {
        help = tags.empty() ? "is it an image?" : "its tags: " + join(tags, ", ");
    }
    problem.help.push_back(std::move(help));
    return fail(std::move(problem));
}

Result<Compression> compression_of_type(const std::string& media_type) {
    if (media_type == "application/vnd.oci.image.layer.v1.tar" ||
        media_type == "application/vnd.docker.image.rootfs.diff.tar") {
        return Compression::kNone;
    }
    if (media_type == "application/vnd.oci.image.layer.v1.tar+gzip" ||
        media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip") {
        return Compression::kGzip;
    }
    if (media_type == "application/vnd.oci.image.layer.v1.tar+zstd") {
        return Compression::kZstd;
    }
    return fail(ErrorKind::kCorrupt, "layers of the type `{}` are not read", media_type);
}

class Reader {
  public:
    Reader(const Store& store, Members members, const ReadOptions& options)
        : members_(std::move(members)),
          options_(options),
          stack_([&store](std::string_view bytes) { return store.put(bytes); },
                 options.limits.tar) {}

    Result<OpenedImage> read();

  private:
    Result<Descriptor> choose(const std::vector<Descriptor>& entries) const;
    Result<Descriptor> descend(Descriptor descriptor);
    Result<void> read_layout();
    Result<void> read_docker();
    Result<void> referrers(const std::vector<Descriptor>& entries);
    Result<void> layer(std::string_view bytes, WrittenLayer written, Compression kind);

    Members members_;
    const ReadOptions& options_;
    LayerStack stack_;
    OpenedImage out_;
};

Result<Descriptor> Reader::choose(const std::vector<Descriptor>& entries) const {
    std::vector<Descriptor> images;
    std::vector<std::string> tags;
    for (const Descriptor& entry : entries) {
        if (is_image(entry) && (options_.tag.empty() || tag_of(entry) == options_.tag)) {
            images.push_back(entry);
        }
        if (is_image(entry)) {
            tags.push_back(tag_of(entry));
        }
    }
    // One image under several tags is one image.
    const bool one = std::ranges::all_of(
        images, [&](const Descriptor& image) { return image.digest == images.front().digest; });
    if (images.empty() || !one) {
        return no_such_tag(members_.path(), options_.tag, tags);
    }
    return images.front();
}

Result<Descriptor> Reader::descend(Descriptor descriptor) {
    for (int depth = 0; is_index(descriptor); ++depth) {
        if (depth == kMaxIndexDepth) {
            return fail(ErrorKind::kCorrupt, "{}: indexes within indexes", members_.path());
        }
        const std::string_view text =
            TARN_TRY(members_.blob(descriptor.digest, options_.limits.json_bytes));
        const auto entries = TARN_TRY(parse_index(text, options_.limits));
        const auto fits = std::ranges::find_if(entries, [&](const Descriptor& entry) {
            return entry.platform && entry.platform->os == "linux" &&
                   entry.platform->architecture == options_.architecture;
        });
        if (fits == entries.end()) {
            return fail(ErrorKind::kUsage,
                        "{} has no image for {}",
                        members_.path(),
                        options_.architecture);
        }
        descriptor = *fits;
    }
    if (descriptor.media_type != kManifestType && descriptor.media_type != kDockerManifestType) {
        return fail(ErrorKind::kCorrupt,
                    "{}: the manifest has the type `{}`",
                    members_.path(),
                    descriptor.media_type);
    }
    return descriptor;
}

Result<void> Reader::layer(std::string_view bytes, WrittenLayer written, Compression kind) {
    const std::string name = fmt::format("{}: layer {}", members_.path(), out_.layers.size() + 1);
    if (options_.stop.stop_requested()) {
        return fail(ErrorKind::kInterrupted, "interrupted");
    }
    std::string plain;
    if (kind != Compression::kNone) {
        auto done = decompress(bytes, kind, options_.limits.layer_bytes);
        if (!done) {
            return fail(std::move(done.error()).context(name));
        }
        plain = std::move(*done);
        bytes = plain;
    } else if (bytes.size() > options_.limits.layer_bytes) {
        return fail(ErrorKind::kCorrupt, "{}: {} bytes", name, bytes.size());
    }
    const Digest found = Digest::of(bytes);
    if (found.sha256 != written.diff.sha256) {
        return fail(error(ErrorKind::kCorrupt, "{}: not what the configuration says", name)
                        .note("expected diff id sha256:" + written.diff.hex())
                        .note("found    diff id sha256:" + found.hex()));
    }
    written.diff = found;
    TARN_TRY(stack_.apply(bytes, name));
    out_.layers.push_back(std::move(written));
    return {};
}

Result<void> Reader::referrers(const std::vector<Descriptor>& entries) {
    for (const Descriptor& entry : entries) {
        if (entry.artifact_type.empty() || entry.media_type != kManifestType) {
            continue;
        }
        const std::string_view text =
            TARN_TRY(members_.blob(entry.digest, options_.limits.json_bytes));
        const ManifestDocument manifest = TARN_TRY(parse_manifest(text, options_.limits));
        if (manifest.subject && manifest.subject->digest == out_.manifest.digest) {
            out_.referrers.push_back(entry);
        }
    }
    return {};
}

Result<void> Reader::read_layout() {
    const ReadLimits& limits = options_.limits;
    const std::string version(TARN_TRY(members_.bytes("oci-layout", limits.json_bytes)));
    const Json mark = TARN_TRY(parse_document(version, "oci-layout", limits.json_bytes));
    if (TARN_TRY(text_field(mark, "imageLayoutVersion", "oci-layout")) != "1.0.0") {
        return malformed(members_.path(), "oci-layout: a version that is not 1.0.0");
    }
    const std::string_view index = TARN_TRY(members_.bytes("index.json", limits.json_bytes));
    const auto entries = TARN_TRY(parse_index(index, limits));
    const Descriptor chosen = TARN_TRY(choose(entries));
    out_.manifest = TARN_TRY(descend(chosen));
    const std::string_view text = TARN_TRY(members_.blob(out_.manifest.digest, limits.json_bytes));
    const ManifestDocument manifest = TARN_TRY(parse_manifest(text, limits));
    out_.annotations = manifest.annotations;
    const std::string_view config =
        TARN_TRY(members_.blob(manifest.config.digest, limits.json_bytes));
    ConfigDocument parsed = TARN_TRY(parse_config(config, limits));
    if (parsed.diff_ids.size() != manifest.layers.size()) {
        return malformed(
            members_.path(),
            fmt::format(
                "{} layers and {} diff ids", manifest.layers.size(), parsed.diff_ids.size()));
    }
    out_.config = std::move(parsed.config);
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
        const Descriptor& one = manifest.layers[i];
        const Compression kind = TARN_TRY(compression_of_type(one.media_type));
        const std::string_view bytes = TARN_TRY(members_.blob(one.digest, limits.layer_bytes));
        TARN_TRY(layer(bytes, {{}, one.media_type, one.digest, parsed.diff_ids[i]}, kind));
    }
    return referrers(entries);
}

// [{"Config": member, "RepoTags": [...], "Layers": [member...]}]
Result<void> Reader::read_docker() {
    const ReadLimits& limits = options_.limits;
    const std::string what = members_.path() + ": manifest.json";
    const std::string_view text = TARN_TRY(members_.bytes("manifest.json", limits.json_bytes));
    // Its top is a list; parse_document takes objects.
    const Json document = TARN_TRY(
        parse_document(fmt::format("{{\"images\":{}}}", text), what, limits.json_bytes + 16));
    const auto images = document.find("images");
    if (!images->is_array() || images->size() > limits.manifests) {
        return malformed(what, "not a list of images");
    }
    const Json* chosen = nullptr;
    std::vector<std::string> tags;
    for (const Json& image : *images) {
        if (!image.is_object()) {
            return malformed(what, "an image is not an object");
        }
        const auto names = TARN_TRY(list_field(image, "RepoTags", what));
        for (const std::string& tag : names) {
            tags.push_back(tag);
            if (tag == options_.tag || tag.substr(tag.rfind(':') + 1) == options_.tag) {
                chosen = &image;
            }
        }
    }
    if (options_.tag.empty() && images->size() == 1) {
        chosen = &images->front();
    }
    if (chosen == nullptr) {
        return no_such_tag(members_.path(), options_.tag, tags);
    }
    const std::string config_name = TARN_TRY(text_field(*chosen, "Config", what));
    const std::string_view config_text = TARN_TRY(members_.bytes(config_name, limits.json_bytes));
    ConfigDocument config = TARN_TRY(parse_config(config_text, limits));
    const std::vector<std::string> layers = TARN_TRY(list_field(*chosen, "Layers", what));
    if (layers.size() != config.diff_ids.size() || layers.size() > limits.layers) {
        return malformed(
            what, fmt::format("{} layers and {} diff ids", layers.size(), config.diff_ids.size()));
    }
    out_.config = std::move(config.config);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const std::string_view bytes = TARN_TRY(members_.bytes(layers[i], limits.layer_bytes));
        WrittenLayer written;
        written.diff = config.diff_ids[i];
        written.blob = Digest::of(bytes);
        TARN_TRY(layer(bytes, std::move(written), detect_compression(bytes)));
    }
    return {};
}

Result<OpenedImage> Reader::read() {
    if (members_.has("oci-layout")) {
        TARN_TRY(read_layout());
    } else if (members_.has("manifest.json")) {
        TARN_TRY(read_docker());
    } else {
        return fail(error(ErrorKind::kCorrupt, "{}: no container image", members_.path())
                        .note("neither oci-layout nor manifest.json is in it")
                        .advise("name the directory or archive of an OCI or Docker image"));
    }
    out_.tree = TARN_TRY(stack_.tree());
    return std::move(out_);
}

}  // namespace

Result<OpenedImage> read_image(const Store& store,
                               const std::string& path,
                               const ReadOptions& options) {
    Members members = TARN_TRY(Members::open(path, options.limits));
    return Reader(store, std::move(members), options).read();
}

}  // namespace tarn::oci
