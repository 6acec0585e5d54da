// SPDX-License-Identifier: MIT
// Images and their boots.
#include "base/fs.hh"
#include "kiwi/kiwi.hh"
#include "workspace/detail/impl.hh"

namespace tarn {

namespace {

constexpr std::string_view kBootFiles = "usr/lib/systemd/boot/efi/";

Result<const Image*> find_image(const Project& project, const std::string& name) {
    const auto found = project.images.find(name);
    if (found != project.images.end()) {
        return &found->second;
    }
    std::vector<std::string> known;
    for (const auto& [image, unused] : project.images) {
        known.push_back(image);
    }
    return fail(unknown_name("image", name, known));
}

// As it is to be built for `architecture`: a foreign description read and laid below what the project
// says itself.
Result<Image> effective_image(const Project& project,
                              const std::string& name,
                              const std::string& architecture,
                              Reporter* reporter) {
    Image image_here = *TARN_TRY(find_image(project, name));
    const Image* image = &image_here;
    if (!image->architecture.empty() && image->architecture != architecture) {
        return fail(error(ErrorKind::kUsage,
                          "the image `{}` is for {}, not for {}",
                          name,
                          image->architecture,
                          architecture)
                        .advise("take `architecture` out of its declaration to build it for both"));
    }
    if (architecture != "x86_64") {
        image_here.architecture = architecture;
    }
    if (image->definition_type != "kiwi") {
        return image_here;
    }
    kiwi::Selection selection;
    selection.profile = image->definition_profile;
    selection.architecture = image->architecture.empty() ? "x86_64" : image->architecture;
    kiwi::Converted read = TARN_TRY(kiwi::read(image->definition_path, selection, *image));
    for (const std::string& note : read.notes) {
        if (reporter != nullptr) {
            reporter->warn(note);
        }
    }
    return std::move(read.image);
}

// "images/vm.image.toml:9" for every package the image names; "... (group vm-core)" for those of its
// groups. Paths are the project's own: a manifest says nothing of the machine.
std::map<std::string, std::string> places_of(const Project& project,
                                             const SourceMap& sources,
                                             const Image& image) {
    const auto place = [&](const std::string& name) -> std::string {
        const auto found = image.package_where.find(name);
        const Location at =
            found == image.package_where.end() ? Location{} : sources.locate(found->second.begin);
        if (at.file.empty()) {
            return {};
        }
        const std::string file = absolute_path(at.file, current_directory());
        return fmt::format("{}:{}", relative_to(file, project.root), at.line);
    };
    std::map<std::string, std::string> out;
    for (const std::string& name : image.packages) {
        out[name] = place(name);
    }
    for (const std::string& group : image.package_groups) {
        const auto found = project.package_groups.find(group);
        if (found != project.package_groups.end()) {
            for (const std::string& name : found->second.packages) {
                out.emplace(name, fmt::format("{} (group {})", place(group), group));
            }
        }
    }
    std::erase_if(out, [](const auto& item) { return item.second.find(':') == std::string::npos; });
    return out;
}

}  // namespace

// Boot files are no programs of the machine: a foreign image takes them from its own architecture.
Result<Tree> Workspace::Impl::tools_tree(Workspace& workspace, Reporter& reporter) {
    Workspace* const owner = foreign() ? machine->self : &workspace;
    const auto* packages = TARN_TRY(owner->available_packages(reporter));
    const std::vector<Digest> tools = TARN_TRY(resolve_root(*packages, project.tools_packages));
    Tree tree = TARN_TRY(make_root(store, tools, jobs));
    if (!foreign()) {
        return tree;
    }
    const auto boot_file = [](const TreeEntry& entry) {
        return entry.path.starts_with(kBootFiles) && entry.kind != EntryKind::kDirectory;
    };
    const auto* own = TARN_TRY(workspace.available_packages(reporter));
    std::vector<Tree> layers;
    layers.push_back(std::move(tree));
    for (const AvailablePackage& package : *own) {
        const auto& files = package.info.files;
        if (std::any_of(files.begin(), files.end(), [&](const rpm::PackageFile& file) {
                return boot_file(file.entry);
            })) {
            const Tree payload = TARN_TRY(rpm::payload_tree(store, package.rpm));
            layers.push_back(payload.filter(boot_file));
        }
    }
    std::vector<const Tree*> all;
    for (const Tree& layer : layers) {
        all.push_back(&layer);
    }
    return merge(all).tree;
}

Result<ImageResult> Workspace::Impl::compose(Workspace& workspace,
                                             const ComposeRequest& wanted,
                                             Reporter& reporter) {
    const std::vector<DistroPackage> all = TARN_TRY(workspace.packages(reporter));
    const Published published = TARN_TRY(workspace.publish(reporter));
    const StageTimer timer(times, "image");
    const SigningKey* signing = TARN_TRY(workspace.key());
    const Keyring keyring = TARN_TRY(Keyring::parse(signing->public_key_armored()));
    const RepoIndex repository = TARN_TRY(read_repository(published.path, keyring));

    ComposeRequest request = wanted;
    request.project = &project;
    request.repository = &repository;
    request.keyring = &keyring;
    request.signer = signing;
    request.places = places_of(project, sources, *wanted.image);
    if (const auto text = read_file(workspace.lock_path(), 64ULL << 20)) {
        request.lock = Digest::of(*text);
    }
    request.tools = TARN_TRY(tools_tree(workspace, reporter));
    for (const DistroPackage& package : all) {
        request.origins.emplace(package.nevra.file_name(), package.origin);
    }
    request.jobs = jobs;
    request.stop = options.stop;
    LocalExecutor executor(store);
    return tarn::build_image(store, executor, request, reporter);
}

Result<ImageResult> Workspace::build_image(const std::string& name, bool force,
                                           Reporter& reporter) {
    const Image image = TARN_TRY(effective_image(impl_->project, name, impl_->target, &reporter));
    std::unique_ptr<efi::ImageSigner> boot_signer;
    if (image.secure_boot) {
        boot_signer = TARN_TRY(efi::open_signer(boot_key_source()));
    }
    ComposeRequest request;
    request.image = &image;
    request.boot_signer = boot_signer.get();
    request.output_dir = image_directory(name);
    request.force = force;
    return impl_->compose(*this, request, reporter);
}

Result<std::vector<efi::UnsignedImage>> Workspace::export_unsigned(const std::string& name,
                                                                   const std::string& directory,
                                                                   Reporter& reporter) {
    const Image image = TARN_TRY(effective_image(impl_->project, name, impl_->target, &reporter));
    if (!image.secure_boot) {
        return fail(error(ErrorKind::kUsage, "the image `{}` is not signed for Secure Boot", name)
                        .advise("set `secure-boot = true`"));
    }
    // The image itself is made on the way, and thrown away.
    const std::string parent = parent_path(image_directory(name));
    TARN_TRY(make_directories(parent));
    const TempDir scratch = TARN_TRY(TempDir::make(parent));
    const efi::Collector collector;
    ComposeRequest request;
    request.image = &image;
    request.boot_signer = &collector;
    request.output_dir = join_path(scratch.path(), "image");
    TARN_TRY(impl_->compose(*this, request, reporter));
    return collector.write(directory);
}

Result<Manifest> Workspace::manifest(const std::string& image) const {
    TARN_TRY(find_image(impl_->project, image));
    const std::string path = join_path(image_directory(image), "manifest.json");
    auto text = read_file(path, 256ULL << 20);
    if (!text) {
        if (text.error().kind == ErrorKind::kNotFound) {
            return fail(error(ErrorKind::kNotFound, "the image `{}` was not built yet", image)
                            .advise(fmt::format("`tarn image build {}` builds it", image)));
        }
        return fail(std::move(text.error()));
    }
    return Manifest::parse(*text);
}

Result<BootRequest> Workspace::boot_request(const std::string& name) const {
    const Image* image = TARN_TRY(find_image(impl_->project, name));
    if (image->kind_or_disk() != "disk") {
        return fail(error(ErrorKind::kUsage,
                          "the image `{}` is of the kind `{}`, which does not boot",
                          name,
                          image->kind)
                        .advise("images of the kind `disk` do"));
    }
    TARN_TRY(manifest(name));
    BootRequest request;
    request.disk = join_path(image_directory(name), name + ".raw");
    request.manifest = join_path(image_directory(name), "manifest.json");
    request.image = image;
    request.architecture = impl_->target;
    if (image->secure_boot) {
        request.secure_boot_certificate = boot_key_source().certificate;
    }
    request.repository = join_path(repository_directory(), "current");
    request.work_dir = join_path(image_directory(name), "boot");
    request.stop = impl_->options.stop;
    return request;
}

}  // namespace tarn
