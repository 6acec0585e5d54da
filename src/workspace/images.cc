// SPDX-License-Identifier: MIT
// Images and their boots.
#include "base/fs.hh"
#include "workspace/detail/impl.hh"

namespace tarn {

namespace {

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

}  // namespace

Result<ImageResult> Workspace::build_image(const std::string& name, bool force,
                                           Reporter& reporter) {
    const Image* image = TARN_TRY(find_image(impl_->project, name));
    const std::vector<DistroPackage> all = TARN_TRY(packages(reporter));
    const Published published = TARN_TRY(publish(reporter));
    const StageTimer timer(impl_->times, "image");
    const SigningKey* signing = TARN_TRY(key());
    const Keyring keyring = TARN_TRY(Keyring::parse(signing->public_key_armored()));
    const RepoIndex repository = TARN_TRY(read_repository(published.path, keyring));

    ComposeRequest request;
    request.project = &impl_->project;
    request.image = image;
    request.repository = &repository;
    request.keyring = &keyring;
    const std::vector<Digest> tools =
        TARN_TRY(resolve_root(*impl_->available, impl_->project.tools_packages));
    request.tools = TARN_TRY(make_root(impl_->store, tools, impl_->jobs));
    for (const DistroPackage& package : all) {
        request.origins.emplace(package.nevra.file_name(), package.origin);
    }
    request.output_dir = image_directory(name);
    request.jobs = impl_->jobs;
    request.force = force;
    request.stop = impl_->options.stop;
    LocalExecutor executor(impl_->store);
    return tarn::build_image(impl_->store, executor, request, reporter);
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
    TARN_TRY(manifest(name));
    BootRequest request;
    request.disk = join_path(image_directory(name), name + ".raw");
    request.manifest = join_path(image_directory(name), "manifest.json");
    request.image = image;
    request.repository = join_path(repository_directory(), "current");
    request.work_dir = join_path(image_directory(name), "boot");
    request.stop = impl_->options.stop;
    return request;
}

}  // namespace tarn
