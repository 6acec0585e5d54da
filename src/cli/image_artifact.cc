// SPDX-License-Identifier: MIT
#include "cli/image_artifact.hh"

#include "base/fs.hh"
#include "cli/selection.hh"

namespace tarn::cli {

namespace {

// The artifact of a manifest that is read most easily.
Result<std::string> artifact_of(const std::string& directory, const Manifest& manifest) {
    for (const char* suffix : {".raw", ".vhd", ".oci", ".docker.tar", ".wsl"}) {
        const std::string path = join_path(directory, manifest.image + suffix);
        if (path_exists(path)) {
            return path;
        }
    }
    return fail(error(ErrorKind::kNotFound, "{} holds no artifact that is read", directory)
                    .advise("raw, vhd, oci, docker-archive and wsl are; add one to `formats`"));
}

Result<Manifest> manifest_in(const std::string& directory) {
    const std::string text =
        TARN_TRY(read_file(join_path(directory, "manifest.json"), 256ULL << 20));
    return Manifest::parse(text);
}

Result<ImagePlace> in_directory(ImagePlace place) {
    const Manifest manifest = TARN_TRY(manifest_in(place.directory));
    place.name = manifest.image;
    place.artifact = TARN_TRY(artifact_of(place.directory, manifest));
    return place;
}

}  // namespace

Result<ImagePlace> find_image(Context& context, const std::string& given) {
    ImagePlace place;
    place.shown = place.name = given;
    const std::string path = absolute_path(given, current_directory());
    const bool by_path = given.find('/') != std::string::npos || given.find('.') == 0;
    if (!by_path && !(path_exists(path) && !is_directory(path))) {
        const Workspace* workspace = TARN_TRY(chosen_workspace(context, given));
        TARN_TRY(workspace->manifest(given));
        place.directory = workspace->image_directory(given);
        return in_directory(std::move(place));
    }
    if (!path_exists(path)) {
        return fail(error(ErrorKind::kNotFound, "there is no {}", given)
                        .advise("name an image of the project, its output directory or an "
                                "artifact's file"));
    }
    if (is_directory(path) && path_exists(join_path(path, "manifest.json"))) {
        place.directory = path;
        return in_directory(std::move(place));
    }
    place.artifact = path;
    if (path_exists(join_path(parent_path(path), "manifest.json"))) {
        place.directory = parent_path(path);
        place.name = TARN_TRY(manifest_in(place.directory)).image;
    }
    return place;
}

Result<inspect::System> open_image(Context& context, const ImagePlace& place) {
    const Store store = TARN_TRY(context.store());
    inspect::ReadOptions options;
    options.stop = context.stop();
    context.reporter().begin("reading " + place.shown, 0, "");
    auto artifact = inspect::read_artifact(store, place.artifact, options);
    context.reporter().end();
    inspect::Artifact found = TARN_TRY(std::move(artifact));
    inspect::System system = TARN_TRY(inspect::examine(store, std::move(found)));
    system.artifact.path = place.shown;
    return system;
}

}  // namespace tarn::cli
