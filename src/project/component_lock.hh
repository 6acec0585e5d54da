// SPDX-License-Identifier: MIT
// The lock of one component: <lock-dir>/<component>.lock, TOML, version 1, as azldev reads and writes
// it, byte for byte (declaration format, "lock files").
#pragma once

#include "base/result.hh"
#include "project/model.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn {

struct ComponentLock {
    std::string import_commit;    // first upstream commit ever locked; never changes; local: empty
    std::string upstream_commit;  // resolved now; local: empty
    unsigned manual_bump = 0;
    std::string input_fingerprint;      // "sha256:<hex>"
    std::string resolution_input_hash;  // "sha256:<hex>"; local: empty
    bool operator==(const ComponentLock&) const = default;

    // kCorrupt with file:line:column: another version, an unknown key, a value of the wrong shape.
    static Result<ComponentLock> parse(std::string_view text, const std::string& file_name);
    // `header` is the first line without newline.
    std::string print(std::string_view header) const;
};

std::string component_lock_path(const Project& project, const std::string& component);
// kNotFound when there is none.
Result<ComponentLock> read_component_lock(const Project& project, const std::string& component);
// Names of components that have a lock, sorted.
Result<std::vector<std::string>> locked_components(const Project& project);

// ---- fingerprints ---------------------------------------------------------------------------

// Format version 1: 64 bits over the resolved configuration, as azldev's structs hash (declaration
// format, "input fingerprint").
std::uint64_t config_hash(const Component& component);

struct FingerprintInput {
    std::string source_identity;  // upstream: full commit; local: local_source_identity()
    unsigned manual_bump = 0;
    std::string release_ver;      // of the upstream distro's version
};
// "sha256:<hex>". kUsage when a source file has no hash, or there is no source identity; reads the
// files overlays refer to.
Result<std::string> input_fingerprint(const Component& component, const FingerprintInput& input);
// Of the directory a local spec lies in: "sha256:<hex>" over all files' paths and hashes.
Result<std::string> local_source_identity(const std::string& directory);
// The files below a directory, sorted, relative to it; links to files are followed, and anything
// that cannot be read as a file is an error, as are more than 100,000.
Result<std::vector<std::string>> source_files_below(const std::string& directory);
// What decides which upstream commit is chosen: "sha256:<hex>".
std::string resolution_hash(const Project& project, const Component& component);

// ---- freshness --------------------------------------------------------------------------------

enum class Freshness {
    kCurrent,
    kBuildStale,       // same commit, another fingerprint: write the new one
    kResolutionStale,  // the commit has to be chosen again
    kMissing,
};
struct FreshnessReport {
    Freshness state = Freshness::kCurrent;
    std::string reason;             // for people: "snapshot changed", "no lock", ...
    std::string input_fingerprint;  // as it would be now; empty when the commit is not known
};
// Tracking a branch's head (neither snapshot nor pin) is always kResolutionStale.
Result<FreshnessReport> freshness(const Project& project, const Component& component,
                                  const ComponentLock* lock);

// What is wrong with locks before work that relies on them: missing (but for local components),
// without commit, not the pinned commit, and with `orphans` those of no component. Empty when all is
// well.
std::vector<Error> validate_locks(const Project& project,
                                  const std::vector<const Component*>& components, bool orphans);

}  // namespace tarn
