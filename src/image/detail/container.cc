// SPDX-License-Identifier: MIT
#include "image/detail/container.hh"

#include "base/hash.hh"
#include "base/parallel.hh"
#include "image/detail/evidence.hh"
#include "oci/layers.hh"
#include "oci/oci.hh"

#include <algorithm>

namespace tarn::image {
namespace {

constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string version_of(const Composition& composition) {
    const Image& image = *composition.request->image;
    return image.version.empty() ? composition.request->project->default_distro.version
                                 : image.version;
}

// What its package brought, as its package brought it; owners are numbers by now.
bool unchanged(const TreeEntry& entry, const TreeEntry& brought) {
    TreeEntry same = brought;
    same.user = entry.user;
    same.group = entry.group;
    same.uid = entry.uid;
    same.gid = entry.gid;
    return same == entry;
}

Result<std::vector<oci::PlannedLayer>> plan(const Composition& composition) {
    const ImageContainer& wish = composition.request->image->container;
    const MergedPackages& merged = *composition.merged;
    std::vector<std::string> groups;
    for (const ResolvedPackage& package : *composition.packages) {
        groups.push_back(source_name(*package.item));
    }
    const auto group_of = [&](const TreeEntry& entry) -> std::optional<std::size_t> {
        const auto owner = merged.owner.find(entry.path);
        const TreeEntry* brought = merged.tree.find(entry.path);
        return owner != merged.owner.end() && brought != nullptr && unchanged(entry, *brought)
                   ? std::optional(owner->second)
                   : std::nullopt;
    };
    oci::LayerPlan limits;
    if (wish.max_layers > 0) {
        limits.max_layers = static_cast<std::size_t>(wish.max_layers);
    }
    return oci::plan_layers(composition.system->tree, groups, group_of, limits);
}

Result<std::vector<oci::WrittenLayer>> write_layers(const Store& store,
                                                    const Composition& composition,
                                                    const std::vector<oci::PlannedLayer>& planned) {
    const std::string& wish = composition.request->image->container.compression;
    oci::LayerOptions options;
    options.compression = wish == "gzip"   ? Compression::kGzip
                          : wish == "none" ? Compression::kNone
                                           : Compression::kZstd;
    options.time = composition.time;
    std::vector<oci::WrittenLayer> out(planned.size());
    const auto write = [&](std::size_t i) -> Result<void> {
        out[i] = TARN_TRY(oci::write_layer(store, planned[i].title, planned[i].tree, options));
        return {};
    };
    TARN_TRY(
        parallel_for(planned.size(), composition.request->jobs, composition.request->stop, write));
    return out;
}

oci::ImageConfig config_of(const Composition& composition) {
    const Image& image = *composition.request->image;
    const ImageContainer& wish = image.container;
    oci::ImageConfig out;
    out.platform = oci::platform_of(image.architecture.empty() ? "x86_64" : image.architecture);
    out.entrypoint = wish.entrypoint;
    out.command = wish.command;
    if (!wish.environment.contains("PATH")) {
        out.environment.emplace_back(kDefaultPath);
    }
    for (const auto& [name, value] : wish.environment) {
        out.environment.push_back(name + "=" + value);
    }
    out.user = wish.user;
    out.working_dir = wish.working_dir;
    out.stop_signal = wish.stop_signal;
    out.exposed_ports = wish.ports;
    out.volumes = wish.volumes;
    out.labels = wish.labels;
    out.created = composition.time;
    return out;
}

oci::Annotations annotations_of(const Composition& composition, const oci::ImageConfig& config) {
    const Image& image = *composition.request->image;
    oci::Annotations out;
    const auto say = [&](const char* key, const std::string& value) {
        if (!value.empty()) {
            out[std::string("org.opencontainers.image.") + key] = value;
        }
    };
    say("title", image.name);
    say("description", image.description);
    say("version", version_of(composition));
    say("created", oci::timestamp(config.created));
    for (const auto& [key, value] : image.container.annotations) {
        out[key] = value;
    }
    return out;
}

Result<void> attach_sboms(const Composition& composition,
                          const oci::Descriptor& manifest,
                          oci::Layout& layout) {
    if (composition.documents == nullptr) {
        return {};
    }
    const std::string& name = composition.request->image->name;
    TARN_TRY(layout.add_artifact(
        manifest, {"application/spdx+json", name + ".spdx.json", composition.documents->spdx, {}}));
    TARN_TRY(layout.add_artifact(manifest,
                                 {"application/vnd.cyclonedx+json",
                                  name + ".cdx.json",
                                  composition.documents->cyclonedx,
                                  {}}));
    return {};
}

Result<void> write_directory(const Store& store,
                             const Tree& files,
                             const std::string& directory,
                             const std::string& name,
                             Artifacts& out) {
    TARN_TRY(write_tree(store, files, join_path(directory, name)));
    for (const TreeEntry& entry : files.entries()) {
        if (entry.kind == EntryKind::kFile) {
            out.emplace_back(join_path(name, entry.path), entry.content.hex());
        }
    }
    return {};
}

Result<void> write_archive(const Store& store,
                           const Tree& files,
                           const std::string& directory,
                           const std::string& name,
                           Artifacts& out) {
    AtomicFile file = TARN_TRY(AtomicFile::create(join_path(directory, name)));
    Hasher hasher;
    TARN_TRY(oci::write_tar(store, files, {}, [&](std::string_view bytes) {
        hasher.update(bytes);
        return file.write(bytes);
    }));
    TARN_TRY(file.commit());
    out.emplace_back(name, hasher.finish_hex());
    return {};
}

}  // namespace

std::string source_name(const RepoIndex::Item& item) {
    std::string_view name = item.source_rpm;
    for (int part = 0; part < 2; ++part) {  // release and version
        const std::size_t dash = name.rfind('-');
        name = dash == std::string_view::npos ? std::string_view() : name.substr(0, dash);
    }
    return name.empty() ? item.nevra.name : std::string(name);
}

Result<Artifacts> write_container_image(const Store& store,
                                        const Composition& composition,
                                        StageLog& stages) {
    const Image& image = *composition.request->image;
    const auto planned = TARN_TRY(stages.time("plan", [&] { return plan(composition); }));
    const auto layers =
        TARN_TRY(stages.time("layers", [&] { return write_layers(store, composition, planned); }));
    oci::Layout layout(store, composition.time);
    const oci::ImageConfig config = config_of(composition);
    const oci::Descriptor manifest =
        TARN_TRY(layout.add_image(config, layers, annotations_of(composition, config)));
    layout.tag(manifest, version_of(composition));
    TARN_TRY(attach_sboms(composition, manifest, layout));
    Artifacts out;
    for (const std::string& format : formats_of(image)) {
        if (format == "oci") {
            const Tree files = TARN_TRY(layout.tree());
            TARN_TRY(stages.time("oci", [&] {
                return write_directory(
                    store, files, composition.directory, image.name + ".oci", out);
            }));
        } else {
            const Tree files = TARN_TRY(layout.docker_tree(image.name));
            TARN_TRY(stages.time("docker-archive", [&] {
                return write_archive(
                    store, files, composition.directory, image.name + ".docker.tar", out);
            }));
        }
    }
    std::ranges::sort(out);
    return out;
}

}  // namespace tarn::image
