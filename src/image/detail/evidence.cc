// SPDX-License-Identifier: MIT
#include "image/detail/evidence.hh"

#include "base/fs.hh"
#include "base/hash.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "project/dump.hh"

#include <algorithm>
#include <set>

namespace tarn::image {
namespace {

constexpr const char* kTool = "tarn 0.1.0";
constexpr std::string_view kCapability = "security.capability";

std::string fact(const Origin& origin, const char* name) {
    const auto found = origin.facts.find(name);
    return found == origin.facts.end() ? std::string() : found->second;
}

// "pool/main/b/bash/bash_5.3-4_amd64.deb" -> "amd64"
std::string debian_architecture(std::string_view file) {
    const std::size_t underscore = file.rfind('_');
    const std::size_t dot = file.rfind('.');
    return underscore == std::string_view::npos || dot == std::string_view::npos ||
                   dot < underscore
               ? std::string()
               : std::string(file.substr(underscore + 1, dot - underscore - 1));
}

// The package or source a package was made from, as a package URL.
std::string upstream_of(const Origin& origin, const rpm::Nevra& nevra) {
    if (origin.kind == "import") {
        return evidence::make_purl("deb",
                                   "debian",
                                   fact(origin, "package"),
                                   fact(origin, "version"),
                                   {{"arch", debian_architecture(fact(origin, "file"))},
                                    {"distro", fact(origin, "suite")}});
    }
    // "jq-1.8.1.tar.gz sha256:<hex>; ..."
    const std::string sources = fact(origin, "sources");
    const std::size_t sum = sources.find("sha256:");
    if (origin.kind != "build" || sum == std::string::npos || sources.size() < sum + 71) {
        return {};
    }
    const std::string component = fact(origin, "component");
    return evidence::make_purl("generic",
                               {},
                               component.empty() ? nevra.name : component,
                               nevra.evr.version,
                               {{"checksum", sources.substr(sum, 71)}});
}

evidence::Package package_of(const rpm::PackageInfo& info, const Digest& rpm, const Origin& origin) {
    evidence::Package out;
    out.name = info.meta.nevra.name;
    out.epoch = info.meta.nevra.evr.epoch;
    out.version = info.meta.nevra.evr.version;
    out.release = info.meta.nevra.evr.release;
    out.arch = info.meta.nevra.arch;
    out.rpm = rpm;
    out.license = info.meta.license;
    out.summary = info.meta.summary;
    out.url = info.meta.url;
    out.vendor = info.meta.vendor;
    out.source_rpm = info.meta.source_rpm;
    out.upstream = upstream_of(origin, info.meta.nevra);
    out.origin = origin.text;
    out.files = info.files.size();
    return out;
}

std::string architecture_of(const Image& image) {
    return image.architecture.empty() ? "x86_64" : image.architecture;
}

bool same_for_manifest(const TreeEntry& entry, const TreeEntry& brought) {
    const auto capability = [](const TreeEntry& one) {
        const auto found = one.xattrs.find(std::string(kCapability));
        return found == one.xattrs.end() ? std::string() : found->second;
    };
    // Owners by name were made numbers; what a package gave as a number stayed.
    const bool owner = (!brought.user.empty() || brought.uid == entry.uid) &&
                       (!brought.group.empty() || brought.gid == entry.gid);
    return entry.kind == brought.kind && entry.mode == brought.mode && owner &&
           entry.content == brought.content && entry.target == brought.target &&
           capability(entry) == capability(brought);
}

}  // namespace

Result<Documents> make_documents(const Store& store, const Composition& composition) {
    const ComposeRequest& request = *composition.request;
    const Image& image = *request.image;
    evidence::Inventory inventory;
    inventory.image = image.name;
    inventory.description = image.description;
    inventory.distro = request.project->name;
    inventory.version = request.project->default_distro.version;
    inventory.architecture = architecture_of(image);
    inventory.kind = image.kind_or_disk();
    inventory.tool = kTool;
    inventory.created = composition.time;
    const std::vector<ResolvedPackage>& packages = *composition.packages;
    inventory.packages.resize(packages.size());
    const auto fill = [&](std::size_t i) -> Result<void> {
        const RepoIndex::Item& item = *packages[i].item;
        const rpm::PackageInfo info = TARN_TRY(rpm::read_package(store, item.rpm));
        const auto origin = request.origins.find(file_name(item.location));
        inventory.packages[i] = package_of(
            info, item.rpm, origin == request.origins.end() ? Origin{} : origin->second);
        inventory.packages[i].bytes = composition.merged->bytes[i];
        return {};
    };
    TARN_TRY(parallel_for(packages.size(), request.jobs, request.stop, fill));
    std::ranges::stable_sort(inventory.packages, {}, &evidence::Package::name);
    Documents out;
    out.spdx = evidence::spdx_json(inventory);
    out.cyclonedx = evidence::cyclonedx_json(inventory);
    out.licenses = evidence::licenses_json(inventory);
    return out;
}

Result<Artifacts> write_documents(const Documents& documents, const Composition& composition) {
    Artifacts out;
    const std::string& image = composition.request->image->name;
    const std::pair<const char*, const std::string*> files[] = {
        {".cdx.json", &documents.cyclonedx},
        {".licenses.json", &documents.licenses},
        {".spdx.json", &documents.spdx}};
    for (const auto& [suffix, text] : files) {
        const std::string name = image + suffix;
        TARN_TRY(write_file_atomic(join_path(composition.directory, name), *text));
        out.emplace_back(name, sha256_hex(*text));
    }
    return out;
}

std::vector<ManifestAdded> added_entries(const Composition& composition) {
    std::set<std::string> declared;
    for (const ImageFile& file : composition.request->image->files) {
        declared.insert(file.path.starts_with('/') ? file.path.substr(1) : file.path);
    }
    std::vector<ManifestAdded> out;
    const Tree& tree = composition.system->tree;
    for (const TreeEntry& entry : tree.entries()) {
        const TreeEntry* brought = composition.merged->tree.find(entry.path);
        if (brought == nullptr || !same_for_manifest(entry, *brought)) {
            out.push_back({entry, declared.contains(entry.path) ? "declared" : "composer"});
        }
    }
    for (const TreeEntry& entry : composition.merged->tree.entries()) {
        if (tree.find(entry.path) == nullptr) {
            out.push_back({entry, "left-out"});
        }
    }
    std::ranges::stable_sort(
        out, {}, [](const ManifestAdded& one) -> const std::string& { return one.entry.path; });
    return out;
}

std::string provenance_name(const Image& image) {
    return image.name + ".intoto.jsonl";
}

Result<void> write_provenance(const Composition& composition,
                              const Digest& tools,
                              const Manifest& manifest) {
    const ComposeRequest& request = *composition.request;
    if (request.signer == nullptr) {
        return {};
    }
    evidence::Provenance provenance;
    provenance.subjects = manifest.artifacts;
    provenance.subjects.emplace_back("manifest.json", sha256_hex(manifest.to_json()));
    // The definition names files of the project by where they lie on this machine.
    provenance.parameters_json =
        replace_all(image_json(*request.project, *request.image), request.project->root + "/", "");
    provenance.internal = {{"seed", composition.seed},
                           {"source-date-epoch", fmt::format("{}", composition.time)}};
    provenance.tool = kTool;
    evidence::Inventory names;
    names.distro = manifest.distro;
    names.version = manifest.version;
    for (const ManifestPackage& package : manifest.packages) {
        evidence::Package one;
        one.name = package.nevra.name;
        one.epoch = package.nevra.evr.epoch;
        one.version = package.nevra.evr.version;
        one.release = package.nevra.evr.release;
        one.arch = package.nevra.arch;
        provenance.dependencies.push_back({package.nevra.file_name(),
                                           evidence::package_url(one, names),
                                           package.rpm.hex()});
    }
    const std::string repomd =
        TARN_TRY(hash_file_hex(HashKind::kSha256, request.repository->path + "/repodata/repomd.xml"));
    provenance.dependencies.push_back(
        {"repository " + manifest.repository_snapshot + " repodata/repomd.xml", {}, repomd});
    provenance.dependencies.push_back({"tools tree", {}, tools.hex()});
    if (request.lock) {
        provenance.dependencies.push_back({"lock", {}, request.lock->hex()});
    }
    const std::string statement = TARN_TRY(evidence::provenance_statement(provenance));
    const std::string envelope =
        TARN_TRY(evidence::sign_envelope(statement, *request.signer, composition.time));
    return write_file_atomic(join_path(composition.directory, provenance_name(*request.image)),
                             envelope);
}

}  // namespace tarn::image
