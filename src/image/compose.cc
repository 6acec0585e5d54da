// SPDX-License-Identifier: MIT
// The main line of an image build: resolve, open, merge, trigger, write, publish by rename.
#include "base/strings.hh"
#include "image/detail/disk.hh"
#include "image/detail/output.hh"
#include "image/detail/packages.hh"
#include "image/detail/system_tree.hh"

#include <algorithm>

namespace tarn {
namespace {

using namespace image;

// Raise it when the same inputs give other bytes.
constexpr int kComposeVersion = 1;
constexpr std::uint64_t kDefaultSize = 2048 * kMiB;
constexpr std::uint64_t kDefaultEsp = 128 * kMiB;
constexpr std::uint64_t kRootMinimum = 32 * kMiB;

Result<void> check_declaration(const Image& image) {
    for (const std::string& format : image.formats) {
        if (format != "raw" && format != "vhd") {
            Error problem = error(
                ErrorKind::kUsage, "the image `{}` asks for the format `{}`", image.name, format);
            std::string help = did_you_mean(format, {"raw", "vhd"});
            problem.help.push_back(help.empty() ? "formats are `raw` and `vhd`" : std::move(help));
            return fail(std::move(problem));
        }
    }
    if (!image.filesystem.empty() && image.filesystem != "ext4" && image.filesystem != "erofs") {
        return fail(error(ErrorKind::kUsage,
                          "the image `{}` asks for the file system `{}`",
                          image.name,
                          image.filesystem)
                        .advise("file systems are `ext4` and `erofs`"));
    }
    return {};
}

std::string filesystem_of(const Image& image) {
    return image.filesystem.empty() ? "ext4" : image.filesystem;
}

// What the bytes of the disk follow from, but for the tools.
Result<KeyBuilder> content_key(const Project& project,
                               const Image& image,
                               const std::vector<ResolvedPackage>& packages) {
    KeyBuilder key("image", kComposeVersion);
    key.field("name", image.name).field("filesystem", filesystem_of(image));
    key.field("time", fmt::format("{}", project.source_date_epoch));
    key.field("size", fmt::format("{}", image.size_bytes));
    key.field("esp", fmt::format("{}", image.esp_bytes));
    key.field("command-line", image.kernel_command_line);
    key.field("initrd-modules", image.initrd_modules).field("hostname", image.hostname);
    for (const ImageFile& file : image.files) {
        const std::string content =
            file.source.empty() ? file.content : TARN_TRY(read_file(file.source));
        key.field("file", {file.path, file.mode, file.user, file.group});
        key.field("content", Digest::of(content));
    }
    for (const ResolvedPackage& package : packages) {
        key.field("package", package.item->rpm);
    }
    return key;
}

// Everything else an artifact or the manifest depends on.
void add_surroundings(KeyBuilder& key,
                      const ComposeRequest& request,
                      const Digest& tools,
                      const std::vector<ResolvedPackage>& packages) {
    key.field("tools", tools).field("formats", request.image->formats);
    key.field("distro", request.project->name);
    key.field("version", request.project->default_distro.version);
    key.field("repository", file_name(request.repository->path));
    for (const KeyInfo& signer : request.keyring->keys()) {
        key.field("signer", signer.fingerprint);
    }
    for (const ResolvedPackage& package : packages) {
        key.field("reason", package.reason);
        const auto origin = request.origins.find(file_name(package.item->location));
        if (origin != request.origins.end()) {
            key.field("origin", {origin->second.kind, origin->second.text});
            for (const auto& [name, fact] : origin->second.facts) {
                key.field("fact", {name, fact});
            }
        }
    }
}

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
    Result<DiskInput> plan(const std::string& seed) const;
    Result<Manifest> compose(const std::string& seed, const std::string& directory);
    Result<void> check_size(const DiskInput& disk, const Tree& tree) const;

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

Result<DiskInput> Composer::plan(const std::string& seed) const {
    const Image& image = *request_.image;
    DiskInput out;
    out.image = &image;
    out.tools = &request_.tools;
    out.layout = TARN_TRY(plan_disk(image.size_bytes == 0 ? kDefaultSize : image.size_bytes,
                                    image.esp_bytes == 0 ? kDefaultEsp : image.esp_bytes,
                                    kRootMinimum,
                                    seed));
    out.facts = {
        out.layout.partitions.at(1).id, out.layout.partitions.at(0).id, filesystem_of(image)};
    out.seed = seed;
    out.time = request_.project->source_date_epoch;
    out.stop = request_.stop;
    return out;
}

// Early and in words, rather than from mke2fs when it is half done.
Result<void> Composer::check_size(const DiskInput& disk, const Tree& tree) const {
    const std::uint64_t room = disk.layout.partitions.at(1).size;
    if (disk.facts.filesystem == "ext4" && tree.content_bytes() > room) {
        return fail(error(ErrorKind::kNoSpace,
                          "the image `{}` has {} of files, its root partition {}",
                          request_.image->name,
                          human_size(tree.content_bytes()),
                          human_size(room))
                        .advise("raise `size` of the image"));
    }
    return {};
}

Result<Manifest> Composer::compose(const std::string& seed, const std::string& directory) {
    DiskInput disk = TARN_TRY(plan(seed));
    const MergedPackages merged = TARN_TRY(open_and_merge());
    SystemInput system;
    system.image = request_.image;
    system.packages = &packages_;
    system.merged = &merged;
    system.facts = disk.facts;
    system.trigger = {&store_,
                      &executor_,
                      &request_.tools,
                      tools_digest_,
                      disk.time,
                      request_.jobs,
                      request_.stop};
    const SystemTree tree = TARN_TRY(make_system_tree(store_, system, stages_));
    TARN_TRY(check_size(disk, tree.tree));
    disk.system = &tree;
    disk.directory = directory;
    Artifacts artifacts = TARN_TRY(write_disks(store_, disk, stages_));
    Manifest manifest = make_manifest(request_, packages_, merged, tree.tree, std::move(artifacts));
    TARN_TRY(write_file_atomic(join_path(directory, "manifest.json"), manifest.to_json()));
    return manifest;
}

Result<ImageResult> Composer::run() {
    TARN_TRY(check_declaration(*request_.image));
    packages_ = TARN_TRY(stages_.time("resolve", [&] {
        return resolve_packages(*request_.project, *request_.image, *request_.repository);
    }));
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
