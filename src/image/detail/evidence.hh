// SPDX-License-Identifier: MIT
// The documents beside an image: SBOMs, licenses, provenance (room evidence), and the manifest's
// list of what no package brought.
#pragma once

#include "evidence/evidence.hh"
#include "image/detail/kinds.hh"

namespace tarn::image {

// SBOMs and licenses of what is in the tree; they say nothing of artifacts, so that a container can
// carry them.
struct Documents {
    std::string spdx, cyclonedx, licenses;
};
Result<Documents> make_documents(const Store& store, const Composition& composition);

// "<image>.spdx.json", "<image>.cdx.json", "<image>.licenses.json" in the composition's directory.
Result<Artifacts> write_documents(const Documents& documents, const Composition& composition);

// Entries that no package brought, or that differ from what one brought; by path.
std::vector<ManifestAdded> added_entries(const Composition& composition);

// "<image>.intoto.jsonl" about every artifact of the manifest, and the manifest's own name. Nothing
// without a signer.
std::string provenance_name(const Image& image);
Result<void> write_provenance(const Composition& composition,
                              const Digest& tools,
                              const Manifest& manifest);

}  // namespace tarn::image
