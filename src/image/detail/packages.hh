// SPDX-License-Identifier: MIT
// The packages of an image: which ones, whether they are what was signed, what they bring.
#pragma once

#include "image/image.hh"

#include <map>
#include <string>
#include <vector>

namespace tarn::image {

struct ResolvedPackage {
    const RepoIndex::Item* item = nullptr;
    std::string reason;  // "requested", "images/vm.image.toml:9" or "required by dnf5"
};

// By libsolv, from the published repository alone; sorted by name.
Result<std::vector<ResolvedPackage>> resolve_packages(const Project& project,
                                                      const Image& image,
                                                      const RepoIndex& repository);

// Says where a requested package was named, by package or by what it provides.
void explain_requests(std::vector<ResolvedPackage>& packages,
                      const std::map<std::string, std::string>& places);

struct OpenOptions {
    unsigned jobs = 1;
    std::stop_token stop{};
};
// Brings the packages into the store, checks digests and signatures, and gives their payloads, by
// index. A package that was verified once with these keys is not verified again.
Result<std::vector<Tree>> open_packages(const Store& store,
                                        const RepoIndex& repository,
                                        const Keyring& keyring,
                                        const std::vector<ResolvedPackage>& packages,
                                        const OpenOptions& options,
                                        Reporter& reporter);

struct MergedPackages {
    Tree tree;
    std::map<std::string, std::size_t, std::less<>> owner;  // path -> index of the package
    std::vector<std::uint64_t> bytes;  // by package: of its files in the image, hard links once
};
// kFailed lists every path two packages give differently.
Result<MergedPackages> merge_packages(const std::vector<ResolvedPackage>& packages,
                                      const std::vector<Tree>& trees);

}  // namespace tarn::image
