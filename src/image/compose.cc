// SPDX-License-Identifier: MIT
// The main line of an image build: resolve, open, merge, trigger, write, publish by rename.
#include "base/strings.hh"
#include "image/detail/checks.hh"
#include "image/detail/evidence.hh"
#include "image/detail/key.hh"
#include "image/detail/kinds.hh"
#include "image/detail/output.hh"
#include "image/detail/packages.hh"
#include "image/detail/system_tree.hh"

#include <algorithm>

namespace tarn {
namespace {

using namespace image;

Manifest make_manifest(const ComposeRequest& request,
                       const std::vector<ResolvedPackage>& packages,
                       const MergedPackages& merged,
                       const Tree& tree,
                       Artifacts artifacts) {
    Manifest out;
    out.image = request.image->name;
    out.distro = request.project->name;
    out.version = request.project->default_distro.version;
    out.repository_snapshot = file_name(request.repository->path);
    out.content_bytes = tree.content_bytes();
    out.artifacts = std::move(artifacts);
    for (std::size_t i = 0; i < packages.size(); ++i) {
        const RepoIndex::Item& item = *packages[i].item;
        ManifestPackage package;
        package.nevra = item.nevra;
        package.rpm = item.rpm;
        package.size = merged.bytes[i];
        package.reason = packages[i].reason;
        const auto origin = request.origins.find(file_name(item.location));
        package.origin = origin != request.origins.end()
                             ? origin->second
                             : Origin{"unknown", "repository " + item.location, {}};
        out.packages.push_back(std::move(package));
    }
    std::ranges::stable_sort(
        out.packages, {}, [](const auto& package) { return package.nevra.name; });
    return out;
}

std::vector<std::string> artifact_paths(const ComposeRequest& request, const Manifest& manifest) {
    std::vector<std::string> out;
    for (const auto& [name, sum] : manifest.artifacts) {
        out.push_back(join_path(request.output_dir, name));
    }
    out.push_back(join_path(request.output_dir, "manifest.json"));
    return out;
}

class Composer {
  public:
    Composer(const Store& store,
             Executor& executor,
             const ComposeRequest& request,
             Reporter& reporter)
        : store_(store), executor_(executor), request_(request), stages_(reporter) {}

    Result<ImageResult> run();

  private:
    Result<MergedPackages> open_and_merge();
    Result<Manifest> compose(const std::string& seed, const std::string& directory);

    const Store& store_;
    Executor& executor_;
    const ComposeRequest& request_;
    StageLog stages_;
    Digest tools_digest_{};
    std::vector<ResolvedPackage> packages_;
};

Result<MergedPackages> Composer::open_and_merge() {
    const std::vector<Tree> trees = TARN_TRY(stages_.time("packages", [&] {
        return open_packages(store_,
                             *request_.repository,
                             *request_.keyring,
                             packages_,
                             {request_.jobs, request_.stop},
                             stages_.reporter());
    }));
    return stages_.time("merge", [&] { return merge_packages(packages_, trees); });
}

Result<Manifest> Composer::compose(const std::string& seed, const std::string& directory) {
    const Kind& kind = kind_of(*request_.image);
    Composition made;
    made.request = &request_;
    made.packages = &packages_;
    made.directory = directory;
    made.seed = seed;
    made.time = request_.project->source_date_epoch;
    if (kind.plan != nullptr) {
        made.facts = TARN_TRY(kind.plan(request_, seed));
    }
    const MergedPackages merged = TARN_TRY(open_and_merge());
    made.merged = &merged;
    SystemInput system;
    system.image = request_.image;
    system.packages = &packages_;
    system.merged = &merged;
    system.facts = made.facts;
    system.boots = kind.boots;
    system.trigger = {&store_,
                      &executor_,
                      &request_.tools,
                      tools_digest_,
                      made.time,
                      request_.jobs,
                      request_.stop};
    const SystemTree tree = TARN_TRY(make_system_tree(store_, system, stages_));
    made.system = &tree;
    TARN_TRY(check_assertions(*request_.image, packages_, merged, tree.tree));
    const Documents documents =
        TARN_TRY(stages_.time("SBOM", [&] { return make_documents(store_, made); }));
    made.documents = &documents;
    Artifacts artifacts = TARN_TRY(kind.write(store_, made, stages_));
    TARN_TRY(check_artifacts(*request_.image, directory, artifacts));
    std::ranges::move(TARN_TRY(write_documents(documents, made)), std::back_inserter(artifacts));
    std::ranges::sort(artifacts);
    Manifest manifest = make_manifest(request_, packages_, merged, tree.tree, std::move(artifacts));
    manifest.added = added_entries(made);
    TARN_TRY(write_file_atomic(join_path(directory, "manifest.json"), manifest.to_json()));
    TARN_TRY(stages_.time("provenance",
                          [&] { return write_provenance(made, tools_digest_, manifest); }));
    return manifest;
}

Result<ImageResult> Composer::run() {
    TARN_TRY(check_formats(*request_.image));
    packages_ = TARN_TRY(stages_.time("resolve", [&] {
        return resolve_packages(*request_.project, *request_.image, *request_.repository);
    }));
    explain_requests(packages_, request_.places);
    tools_digest_ =
        TARN_TRY(stages_.time("tools", [&] { return store_.put_tree(request_.tools); }));
    KeyBuilder key = TARN_TRY(content_key(*request_.project, *request_.image, packages_));
    const std::string seed = key.key().hex();
    add_surroundings(key, request_, tools_digest_, packages_);

    OutputDirectory output = TARN_TRY(OutputDirectory::open(request_.output_dir));
    ImageResult out;
    if (!request_.force && output.holds(key.key())) {
        const std::string text =
            TARN_TRY(read_file(join_path(request_.output_dir, "manifest.json")));
        if (auto manifest = Manifest::parse(text)) {
            out.manifest = std::move(*manifest);
            out.unchanged = true;
        }
    }
    if (!out.unchanged) {
        out.manifest = TARN_TRY(compose(seed, output.staging()));
        std::vector<std::string> names = {"manifest.json"};
        if (request_.signer != nullptr) {
            names.push_back(provenance_name(*request_.image));
        }
        for (const auto& [name, sum] : out.manifest.artifacts) {
            names.push_back(name);
        }
        TARN_TRY(output.commit(key.key(), names));
    }
    out.artifacts = artifact_paths(request_, out.manifest);
    out.stages = std::move(stages_).take();
    return out;
}

}  // namespace

Result<ImageResult> build_image(const Store& store,
                                Executor& executor,
                                const ComposeRequest& request,
                                Reporter& reporter) {
    return Composer(store, executor, request, reporter).run();
}

}  // namespace tarn
