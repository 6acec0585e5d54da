// SPDX-License-Identifier: MIT
// The whole line: which stage feeds which. A workspace is a project, a store and the directories
// the project writes to; each method below takes the line up to one point, doing only what is not
// done yet. Nothing here knows how a stage works.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "build/build.hh"
#include "diag/diagnostic.hh"
#include "efi/signer.hh"
#include "image/image.hh"
#include "import/import.hh"
#include "pgp/pgp.hh"
#include "project/lock.hh"
#include "project/model.hh"
#include "repo/repo.hh"
#include "store/store.hh"
#include "vm/vm.hh"

namespace tarn {

enum class Relock { kNever, kWhenStale };

struct WorkspaceOptions {
    std::string directory;                  // where the search for tarn.toml starts
    std::vector<std::string> config_files{};
    bool permissive = false;
    bool strict = false;
    bool default_config = true;
    bool origins = false;                   // remember where each value was written, for dumps
    unsigned network_retries = 3;
    bool offline = false;                   // dist-git and lookaside: only what is there already
    std::string store_directory{};          // empty: Store::default_directory()
    std::string mirror{};                   // empty: TARN_DEBIAN_MIRROR or apt's
    unsigned jobs = 0;                      // 0: number of processors
    Relock relock = Relock::kNever;
    std::stop_token stop{};
};

// Of the machine: what runs here, and what is made when nothing else is said.
std::string machine_architecture();

// A package of the distribution as it is published: built from source or imported.
struct DistroPackage {
    rpm::Nevra nevra;
    Digest unsigned_rpm{};
    Origin origin;
    std::string component;    // empty: imported
    bool debug = false;       // debuginfo or debugsource
};

struct StageTime {
    std::string stage;
    double seconds = 0;
};

class Workspace {
  public:
    // Loads the project; every diagnostic of the load is in the Error. Warnings go to `reporter`.
    static Result<Workspace> open(const WorkspaceOptions& options, Reporter& reporter);
    Workspace(Workspace&&) noexcept;
    ~Workspace();

    const Project& project() const;
    const SourceMap& sources() const;
    const Store& store() const;
    unsigned jobs() const;

    // What this workspace imports, publishes and composes for. Other architectures have a workspace
    // of their own: the same project and store, another lock (locks/debian.<architecture>.lock) and,
    // unless it is x86_64, a directory of its own below the output and log directories. There, what
    // is noarch is built by the machine's workspace, components that say so are cross built, and
    // everything else is imported.
    const std::string& architecture() const;
    // The workspace of `architecture`, opened once; it lives as long as this one. kUsage when the
    // project does not import it.
    Result<Workspace*> at(const std::string& architecture);

    std::string repository_directory() const;  // <output>/repo
    std::string image_directory(const std::string& image) const;
    std::string lock_path() const;
    // The workspaces whose locks belong together: this one, and where its cross builds come from.
    Result<std::vector<Workspace*>> locked_together();
    std::string key_directory() const;
    std::string key_name() const;

    // The signing key; kNotFound with `tarn key new` as advice.
    Result<const SigningKey*> key();
    // Reads the lock. Missing or not an answer to the declaration: kUsage with `tarn lock` as
    // advice, or locks again, with a warning, under Relock::kWhenStale.
    Result<const Lock*> lock(Reporter& reporter);
    // Resolves everything anew and writes the lock.
    Result<const Lock*> make_lock(Reporter& reporter);

    Result<const std::vector<ImportedPackage>*> import_all(Reporter& reporter);
    // All of them with what their headers say: what buildroots are made of.
    Result<const std::vector<AvailablePackage>*> available_packages(Reporter& reporter);
    // Builds these components and what they need; all of them when empty. Failures are in the
    // outcome.
    Result<BuildOutcome> build(const std::vector<std::string>& names, bool force,
                               Reporter& reporter);
    // Everything that makes the distribution; an Error when a component failed.
    Result<std::vector<DistroPackage>> packages(Reporter& reporter);
    Result<Published> publish(Reporter& reporter);
    Result<ImageResult> build_image(const std::string& name, bool force, Reporter& reporter);
    // Who signs boot programs: [secure-boot], with its defaults filled in.
    efi::KeySource boot_key_source() const;
    // The boot programs of an image as they are before they are signed, with a list of them.
    Result<std::vector<efi::UnsignedImage>> export_unsigned(const std::string& image,
                                                            const std::string& directory,
                                                            Reporter& reporter);
    // Signatures made elsewhere, out of such a directory into the project's. How many.
    Result<std::size_t> inject_signatures(const std::string& directory) const;
    // What enrols the project's certificate on a machine: updates for its variables, a variable
    // store for OVMF. The names of the files.
    Result<std::vector<std::string>> export_enrollment(const std::string& directory) const;
    // What a boot of the built image needs; kNotFound when it was not built.
    Result<BootRequest> boot_request(const std::string& name) const;
    Result<Manifest> manifest(const std::string& image) const;
    // The sources of a component, overlays applied, ready to build.
    Result<Rendered> render(const Component& component, Reporter& reporter);
    // The failed sandbox of a component's last build, to look around in.
    Result<int> component_shell(const std::string& name);

    const std::vector<StageTime>& times() const;

    // For the rest of this room.
    struct Impl;
    Impl& impl() { return *impl_; }

  private:
    explicit Workspace(std::unique_ptr<Impl> impl);
    static Result<Workspace> open(const WorkspaceOptions& options,
                                  const std::string& target,
                                  Reporter& reporter);
    Result<Workspace*> at_target(const std::string& target);
    // Of what cross builds are made of; empty when nothing is imported for them.
    std::string cross_target() const;
    Result<std::vector<const Component*>> cross_components(const std::vector<std::string>& names);
    std::unique_ptr<Impl> impl_;
};

// kNotFound with "did you mean" when `name` is none of `known`.
Error unknown_name(const std::string& kind, const std::string& name,
                   const std::vector<std::string>& known);

}  // namespace tarn
