// SPDX-License-Identifier: MIT
// Composing an image: resolve packages from one published repository, merge their payload Trees,
// run the native triggers, write rpmdb, initrd, UKI, file systems and partitions. No root, no loop
// device, no scriptlet.
#pragma once

#include "base/events.hh"
#include "base/result.hh"
#include "exec/action.hh"
#include "project/model.hh"
#include "repo/repo.hh"
#include "store/store.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tarn::efi {
class ImageSigner;
}

namespace tarn {

struct Origin {        // where a package came from, for the manifest
    std::string kind;  // "import" or "build"
    std::string text;  // "import libc6 2.43-7 (forky)", "built components/jq (2 overlays)"
    std::map<std::string, std::string> facts;  // file, digest | spec, sources, overlays
};

struct ManifestPackage {
    rpm::Nevra nevra;
    Digest rpm;
    std::uint64_t size = 0;  // bytes of its files in the image
    std::string reason;  // "images/vm.image.toml:9", "... (group vm-core)", "required by dnf5"
    Origin origin;
};

struct ManifestAdded {  // what no package brought as it is
    TreeEntry entry;
    std::string by;  // "declared": under `files` of the image; "composer"
};

struct Manifest {
    std::string image, distro, version;
    std::string repository_snapshot;
    std::uint64_t content_bytes = 0;
    std::vector<ManifestPackage> packages;                       // sorted by name
    std::vector<std::pair<std::string, std::string>> artifacts;  // file name -> sha256
    std::vector<ManifestAdded> added;                            // written, not read back
    std::string to_json() const;
    static Result<Manifest> parse(const std::string& json);
};

struct ComposeRequest {
    const Project* project = nullptr;
    const Image* image = nullptr;  // `base` already merged
    const RepoIndex* repository = nullptr;
    const Keyring* keyring = nullptr;       // packages are verified against it
    const SigningKey* signer = nullptr;     // signs update directories
    const efi::ImageSigner* boot_signer = nullptr;  // signs boot programs of images that want it
    Tree tools;                             // host-architecture tools tree
    std::map<std::string, Origin> origins;  // by file name of the package in the repository
    std::optional<Digest> lock;             // of the text of the lock, for the provenance
    std::map<std::string, std::string> places;  // package -> where the image names it
    std::string output_dir;                 // artifacts appear here by rename
    unsigned jobs = 1;
    bool force = false;  // compose again although nothing changed
    std::stop_token stop{};
};

struct ImageResult {
    Manifest manifest;
    std::vector<std::string> artifacts;  // paths
    bool unchanged = false;
    std::vector<std::pair<std::string, double>> stages;  // name -> seconds
};
Result<ImageResult> build_image(const Store& store,
                                Executor& executor,
                                const ComposeRequest& request,
                                Reporter& reporter);

}  // namespace tarn
