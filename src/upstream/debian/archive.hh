// SPDX-License-Identifier: MIT
// A Debian archive: where its mirror is, what it signed, which packages it has.
// Formats: Debian policy 5 (control fields), the repository format of the Debian wiki (Release,
// InRelease, Packages, Sources, Valid-Until, Acquire-By-Hash).
#pragma once

#include "base/events.hh"
#include "base/result.hh"
#include "pgp/pgp.hh"
#include "project/lock.hh"
#include "project/model.hh"
#include "store/store.hh"
#include "upstream/fetch.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::debian {

// The mirror of this machine: the first Debian archive in apt's sources.list, sources.list.d/*.list
// (one-line) and *.sources (deb822). `apt_directory` is "/etc/apt" outside tests. kNotFound with
// advice (--mirror, TARN_DEBIAN_MIRROR) when there is none.
Result<std::string> machine_mirror(const std::string& apt_directory);
// `option`, else $TARN_DEBIAN_MIRROR, else machine_mirror. Without a trailing "/".
Result<std::string> choose_mirror(const std::string& option, const std::string& apt_directory);

struct IndexFile {
    std::string path;  // "main/binary-amd64/Packages.xz"
    Digest digest;
};

struct Release {
    std::string suite, codename, date, valid_until;
    bool acquire_by_hash = false;
    std::vector<IndexFile> files;
    std::string signer;  // fingerprint
    Digest document{};   // of InRelease as it came
    const IndexFile* find(std::string_view path) const;
};

// Parses what a verified InRelease says.
Result<Release> parse_release(std::string_view text, const std::string& name);
// Fetch + verify + Valid-Until. `now`: seconds. An expired Release is kCorrupt with the date and
// advice unless the version says `expired-release = { accept = true, reason = ... }`.
Result<Release> fetch_release(const Store& store,
                              const std::string& mirror,
                              const DistroVersion& version,
                              const Keyring& keyring,
                              std::int64_t now,
                              const FetchOptions& options);

using Stanza = std::map<std::string, std::string>;  // field (as written) -> value
// Calls `each` for every paragraph; kCorrupt with the line on malformed input.
Result<void> parse_control(std::string_view text,
                           const std::string& name,
                           const std::function<Result<void>(Stanza&&)>& each);

struct BinaryPackage {
    std::string package, version, architecture, source;
    std::string depends, pre_depends, conflicts, breaks, provides, replaces;
    std::string essential, priority;
    std::string filename;
    Digest digest;
    std::uint64_t installed_kib = 0;
};
Result<std::vector<BinaryPackage>> parse_packages(std::string_view text, const std::string& name);

struct SourcePackage {
    std::string package, version, directory;
    std::vector<std::pair<std::string, Digest>> files;  // file name -> digest
};
// Only the named source packages (the index is large).
Result<std::vector<SourcePackage>> parse_sources(std::string_view text,
                                                 const std::string& name,
                                                 const std::vector<std::string>& wanted);

// ---- the closure and its lock ----------------------------------------------------------------

// Import targets. "x86_64" and "aarch64": the packages of that architecture, for its repository and
// images. "cross-aarch64": packages of the machine's architecture that build for aarch64. Each has a
// lock of its own, so that nobody downloads what was not asked for.
inline constexpr std::string_view kCrossPrefix = "cross-";
// Whether a group's packages are of this target: as it says itself, else of every architecture.
bool imports_group(const ImportGroup& group, std::string_view target);
// kUsage when [import-policy] does not list the target's architecture.
Result<void> check_target(const Project& project, std::string_view target);
// "x86_64" -> "amd64"; others as they are.
std::string debian_architecture(std::string_view rpm_architecture);

struct LockRequest {
    const Project* project = nullptr;
    std::string mirror;
    std::string target = "x86_64";
    std::string architecture = "amd64";  // of the target's packages
    std::int64_t now = 0;
    FetchOptions fetch{};
    unsigned jobs = 1;
};

// Digest of what a lock answers: groups, policy parts that matter for the closure, source files.
// A lock whose `request` differs is out of date with the declaration. Sources are in the lock of
// x86_64 alone: they are the same for all.
Digest lock_request_digest(const Project& project, std::string_view target = "x86_64");

// Fetches indexes, solves every import group (closure of Depends and Pre-Depends over the group's
// suite, with never-import packages taken as satisfied), finds sources. Unknown names come with
// suggestions, an unresolvable closure with the solver's reasons.
Result<Lock> make_lock(const Store& store, const LockRequest& request, Reporter& reporter);

// Downloads everything the lock names into the store. A file gone from the mirror: kNotFound,
// "lock is stale: ...", with the command that locks again.
Result<void> fetch_locked(const Store& store,
                          const Lock& lock,
                          const std::string& mirror,
                          const FetchOptions& options,
                          Reporter& reporter);

}  // namespace tarn::debian
