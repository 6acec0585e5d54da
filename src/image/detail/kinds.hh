// SPDX-License-Identifier: MIT
// The kinds of images: what each may be written as, and by whom. A new kind is a row here and a
// file of its own.
#pragma once

#include "image/detail/packages.hh"
#include "image/detail/stages.hh"
#include "image/detail/system_tree.hh"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::image {

struct Documents;

// What a writer works from: the finished tree and everything it followed from.
struct Composition {
    const ComposeRequest* request = nullptr;
    const std::vector<ResolvedPackage>* packages = nullptr;
    const MergedPackages* merged = nullptr;  // which package a path came from
    const SystemTree* system = nullptr;
    const Documents* documents = nullptr;    // SBOMs to put beside or into the image
    BootFacts facts{};
    std::string directory;  // artifacts are made here
    std::string seed;       // of every UUID
    std::int64_t time = 0;  // of everything made
};

// Name in the directory -> SHA-256 of the bytes, sorted by name.
using Artifacts = std::vector<std::pair<std::string, std::string>>;

struct Kind {
    std::string_view name;
    std::vector<std::string_view> formats;  // the first is what is written when none is declared
    bool boots = false;                     // has a kernel, an fstab and a host name of its own
    // Before the tree: what its files have to say of the disk. nullptr: nothing.
    Result<BootFacts> (*plan)(const ComposeRequest& request, const std::string& seed) = nullptr;
    Result<Artifacts> (*write)(const Store& store,
                               const Composition& composition,
                               StageLog& stages) = nullptr;
};

const std::vector<Kind>& kinds();
// Of an image whose declaration was checked.
const Kind& kind_of(const Image& image);
// kUsage for a kind that is none, and for formats another kind has.
Result<void> check_formats(const Image& image);
// The declared formats, each once, or the kind's own.
std::vector<std::string> formats_of(const Image& image);

}  // namespace tarn::image
