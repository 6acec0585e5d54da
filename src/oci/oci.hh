// SPDX-License-Identifier: MIT
// OCI images (image-spec 1.1: layout, index, manifest, config, layers) as values: written from
// Trees, read back verified. docs/formats/container.md says what is written.
#pragma once

#include "base/compress.hh"
#include "base/result.hh"
#include "oci/tar.hh"
#include "store/store.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::oci {

inline constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view kTagAnnotation = "org.opencontainers.image.ref.name";

using Annotations = std::map<std::string, std::string>;

struct Platform {
    std::string architecture = "amd64";  // in Go's words
    std::string os = "linux";
    std::string variant{};
    bool operator==(const Platform&) const = default;
};
// "x86_64" -> amd64, "aarch64" -> arm64 (variant v8); others as they are.
Platform platform_of(std::string_view rpm_architecture);

struct ImageConfig {
    Platform platform{};
    std::vector<std::string> entrypoint, command;
    std::vector<std::string> environment;  // "NAME=value"
    std::string user, working_dir, stop_signal;
    std::vector<std::string> exposed_ports;  // "8080/tcp"
    std::vector<std::string> volumes;
    Annotations labels;
    std::string author;
    std::int64_t created = 0;  // seconds
};

struct LayerOptions {
    Compression compression = Compression::kZstd;  // or kGzip, kNone
    int level = 0;                                 // 0: 3 for zstd, 6 for gzip
    std::int64_t time = 0;                         // of directories a layer lacks
    unsigned jobs = 1;
};

struct WrittenLayer {
    std::string title, media_type;
    Digest blob;  // as stored
    Digest diff;  // of the uncompressed tar: its SHA-256 is the diff id
};

// Kept in the store: the same tree with the same options is written once.
Result<WrittenLayer> write_layer(const Store& store,
                                 std::string title,
                                 const Tree& tree,
                                 const LayerOptions& options);
// ChainID of the layers, lowest first: what containerd names snapshots by.
std::string chain_id(const std::vector<WrittenLayer>& layers);

struct Descriptor {
    std::string media_type, artifact_type;
    Digest digest;
    Annotations annotations;
    std::optional<Platform> platform;
};

// What is attached to an image, like an SBOM. The manifest has the empty config and `subject`.
struct Artifact {
    std::string type;       // artifactType and the blob's media type: "application/spdx+json"
    std::string file_name;  // annotation org.opencontainers.image.title; may be empty
    std::string bytes;
    Annotations annotations;
};

// An image layout in the making. Blobs go into the store at once; the layout itself is a Tree:
// write_tree() makes a directory of it, write_tar() an archive.
class Layout {
  public:
    Layout(const Store& store, std::int64_t time) : store_(&store), time_(time) {}

    // Manifest and config of one image. `layers` from the lowest.
    Result<Descriptor> add_image(const ImageConfig& config,
                                 const std::vector<WrittenLayer>& layers,
                                 const Annotations& annotations);
    // One name for images of several platforms.
    Result<Descriptor> add_index(const std::vector<Descriptor>& images,
                                 const Annotations& annotations);
    Result<Descriptor> add_artifact(const Descriptor& subject, const Artifact& artifact);
    // Makes it an entry of index.json.
    void tag(const Descriptor& descriptor, std::string name);

    // oci-layout, index.json, blobs/sha256/*. Artifacts are in index.json too, and for registries
    // without the referrers API there is an index of them tagged "sha256-<hex of the subject>".
    Result<Tree> tree();
    // The same with Docker's manifest.json: `docker load`, `skopeo copy docker-archive:`.
    // `repository` names the tagged images: "<repository>:<tag>".
    Result<Tree> docker_tree(const std::string& repository);

  private:
    struct Image {
        Descriptor manifest;
        Digest config;
        std::vector<Digest> layers;
    };
    Result<Descriptor> put(std::string_view media_type, const std::string& bytes);
    Result<std::vector<TreeEntry>> entries();
    TreeEntry file(std::string path, const Digest& content) const;

    const Store* store_;
    std::int64_t time_;
    std::map<std::string, Digest> blobs_;  // by hex
    std::vector<Image> images_;
    std::vector<Descriptor> tagged_;
    std::vector<std::pair<std::string, Descriptor>> artifacts_;  // hex of the subject -> artifact
};

// "2026-11-01T00:00:00Z", as annotations want it.
std::string timestamp(std::int64_t seconds);

// ---- Reading ----------------------------------------------------------------------------------

struct ReadLimits {
    std::uint64_t json_bytes = 4ULL << 20;
    std::uint64_t layer_bytes = 4ULL << 30;  // of one layer, uncompressed
    std::size_t layers = 500;
    std::size_t manifests = 1000;  // in one index
    TarLimits tar{};               // over all layers of an image
};

struct ReadOptions {
    std::string tag{};  // empty: the only image there is
    std::string architecture = "amd64";
    ReadLimits limits{};
    std::stop_token stop{};
};

struct OpenedImage {
    ImageConfig config;
    Annotations annotations;  // of the manifest
    Descriptor manifest;      // digest empty for a docker-archive that has no layout
    std::vector<WrittenLayer> layers;
    std::vector<Descriptor> referrers;  // artifacts in the layout whose subject it is
    Tree tree;                          // all layers, whiteouts applied; contents in the store
};

// An image layout (a directory, or a tar of one) or a docker-archive. Digests, sizes, media types
// and diff ids are verified. kCorrupt says which member or blob is wrong; kUsage lists the tags
// when `tag` fits none or several are there; kNotFound when nothing is at `path`.
Result<OpenedImage> read_image(const Store& store,
                               const std::string& path,
                               const ReadOptions& options);

// Layers upon each other: whiteouts hide what lower layers have; names are resolved through the
// links of the tree, never out of it.
class LayerStack {
  public:
    using Put = std::function<Result<Digest>(std::string_view)>;
    explicit LayerStack(Put put, const TarLimits& limits = {})
        : put_(std::move(put)), limits_(limits) {}
    Result<void> apply(std::string_view tar, const std::string& name);
    Result<Tree> tree() const;

  private:
    struct Node {
        TreeEntry entry;
        std::size_t layer = 0;
        std::size_t inode = 0;  // hard links share one
    };
    Result<std::string> place(std::string_view path, const std::string& name) const;
    Result<void> whiteout(const std::string& directory, std::string_view name);
    Result<void> add(const TarMember& member, const std::string& path, const std::string& name);
    void remove(const std::string& path, bool only_lower);

    Put put_;
    TarLimits limits_;
    std::map<std::string, Node, std::less<>> nodes_;
    std::size_t layer_ = 0, inodes_ = 0;
};

// Parsing alone, for whoever has bytes; all are kCorrupt on what is not of the format.
struct ManifestDocument {
    Descriptor config;
    std::vector<Descriptor> layers;
    std::optional<Descriptor> subject;
    std::string artifact_type;
    Annotations annotations;
};
struct ConfigDocument {
    ImageConfig config;
    std::vector<Digest> diff_ids;  // size 0: the format does not say it
};
Result<std::vector<Descriptor>> parse_index(std::string_view json, const ReadLimits& limits = {});
Result<ManifestDocument> parse_manifest(std::string_view json, const ReadLimits& limits = {});
Result<ConfigDocument> parse_config(std::string_view json, const ReadLimits& limits = {});

}  // namespace tarn::oci
