// SPDX-License-Identifier: MIT
// Components built from source: query each spec, order them by BuildRequires, resolve a buildroot
// for each, run rpmbuild in it. Everything is an Action; nothing runs twice for equal inputs.
#pragma once

#include "base/events.hh"
#include "base/result.hh"
#include "exec/action.hh"
#include "project/model.hh"
#include "render/render.hh"
#include "rpm/package.hh"
#include "store/store.hh"

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tarn {

struct AvailablePackage {  // what a buildroot may be made of
    Digest rpm;
    rpm::PackageInfo info;
};

// Macro files every query and build reads: <project root>/buildroot/macros.*, by name, after rpm's
// own; a cross build then those of buildroot/<architecture>/ (docs/formats/build.md).
struct BuildRequest {
    const Project* project = nullptr;
    std::vector<std::pair<const Component*, Rendered>> components;
    std::vector<AvailablePackage> available;  // imported, of the machine's architecture
    std::string architecture{};               // to cross build for; empty: the machine's own
    unsigned jobs = 1;
    bool force = false;
    // Build only these (and what they need of the others); everything when empty.
    std::vector<std::string> wanted{};
    std::stop_token stop{};
    std::string log_dir;
};

// Those macro files, in order, as one text. `architecture` as in a BuildRequest.
Result<std::string> project_macros(const Project& project, const std::string& architecture = {});

struct BuiltComponent {
    std::string name;
    std::vector<Digest> rpms;  // binary packages, debuginfo included
    Digest source_rpm{};
    std::vector<rpm::Nevra> nevras;
    std::string spec_digest;
    Digest action{};  // key of the rpmbuild action
    Digest log{};
    bool cached = false;
    double seconds = 0;
};

struct BuildFailure {
    std::string name;
    std::string section;  // "%build", "%check", "%files", "BuildRequires", "spec", ...
    Error error;          // message, tail of the log, where the log is, how to enter the sandbox
    Digest action{};      // of the rpmbuild that failed: for failed_sandbox_directory()
    std::string log;      // path of the whole log; empty when rpmbuild did not run
};

struct BuildOutcome {
    std::vector<BuiltComponent> built;  // in build order
    std::vector<BuildFailure> failures;
    std::vector<std::string> not_tried;  // depend on a failed one
};
Result<BuildOutcome> build_components(const Store& store,
                                      Executor& executor,
                                      const BuildRequest& request,
                                      Reporter& reporter);

// The rpmbuild action of the last build of this component that failed with this store; nullopt when
// the last one succeeded or there was none. What `tarn component shell` enters.
std::optional<Digest> last_failed_build(const Store& store, const std::string& component);

// The root of a buildroot of `names` and all they need, as a Tree in the store; remembered there.
// `who` is named in errors.
Result<Digest> stored_root(const Store& store, const std::vector<AvailablePackage>& available,
                           const std::vector<std::string>& names, const std::string& who,
                           unsigned jobs);

// A root Tree from packages: payloads merged, /usr-merge links, passwd and group, no scriptlets.
Result<Tree> make_root(const Store& store, const std::vector<Digest>& rpms, unsigned jobs);
// The packages among `available` that `names` need, by libsolv; message names what is missing.
Result<std::vector<Digest>> resolve_root(const std::vector<AvailablePackage>& available,
                                         const std::vector<std::string>& names);

}  // namespace tarn
