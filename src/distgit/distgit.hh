// SPDX-License-Identifier: MIT
// Upstream packages as a dist-git host keeps them: one git repository a package, and a lookaside
// cache for what does not belong into git. All packages of one host share one bare object store
// (partial: contents come when they are needed, in one request), so nothing is fetched twice, by
// whichever component or command. Uses the git program for transport, never a shell.
//
//   <cache>/dist-git/<host>/   bare repository; refs/tarn/<key>/<package>/<branch> as last fetched,
//                             <key> by URL (docs/formats/distgit.md)
#pragma once

#include "base/events.hh"
#include "base/result.hh"
#include "git/git.hh"
#include "project/model.hh"
#include "store/store.hh"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tarn::distgit {

struct PackageSource {
    std::string url;      // of the git repository, $pkg filled in: https, http, git, ssh, file
    std::string package;  // its name there (upstream-name)
    std::string branch;
};

// Which repository, branch and lookaside a component refers to; an Error names the key that is
// missing, with its place.
Result<PackageSource> package_source(const Project& project, const Component& component,
                                     const SourceMap& map);

// Which commit: a full or shortened id, the newest first-parent commit at or before a time
// (committer date, RFC 3339), or the head of the branch.
struct CommitChoice {
    std::string commit;
    std::string snapshot;
};

struct Options {
    unsigned attempts = 3;  // of each transfer; pauses 2 s, doubled, at most 30 s, +-25 %
    std::chrono::seconds timeout{600};
    bool offline = false;   // what is not there is kNetwork, saying so
    // Ask for a branch once more though what is there answers: its history may have been rewritten.
    // A full id that is there is an answer for ever.
    bool ask_again = false;
    std::stop_token stop{};
    std::chrono::milliseconds pause{2000};
};

class DistGit {
  public:
    // `directory` holds one bare repository a host; made when missing.
    static Result<DistGit> open(const std::string& directory, const Options& options);

    // The commit's full id. Fetches history (no contents) when the choice is not answered by what is
    // there; a pinned commit that is there is never asked for again.
    Result<git::ObjectId> resolve(const PackageSource& source, const CommitChoice& choice);
    // Many at once; by index. `jobs` is the number of processors: more transfers than that run in
    // parallel, because they mostly wait.
    std::vector<Result<git::ObjectId>> resolve_all(const std::vector<PackageSource>& sources,
                                                   const std::vector<CommitChoice>& choices,
                                                   unsigned jobs, Reporter& reporter);

    // The files of a commit as a Tree (submodules left out, times 0), contents fetched in one
    // request; remembered in `store` by commit.
    Result<Tree> checkout(const Store& store, const PackageSource& source,
                          const git::ObjectId& commit);
    // The repository with the history of `source`'s branch up to `tip` present, and with it the
    // contents, at every one of these commits, of the files named.
    Result<git::Repository> history(const PackageSource& source, const git::ObjectId& tip,
                                    const std::vector<std::string>& files);

  private:
    DistGit() = default;
    std::string directory_;
    Options options_;
    std::int64_t opened_ = 0;  // nanoseconds; a branch fetched since then is up to date
};

// ---- lookaside ----------------------------------------------------------------------------------

struct LookasideFile {
    std::string name;
    std::string hash_type;  // "MD5", "SHA256", "SHA512"
    std::string hash;       // hex; empty: unknown, then only the origin is asked and nothing remembered
};

// `template` with $pkg, $filename, $hashtype (lower case) and $hash, each percent-encoded.
std::string lookaside_url(const std::string& uri_template, const std::string& package,
                          const LookasideFile& file);

// The file of that hash, when the store has it; and saying that it does, of a file whose hash was
// checked.
std::optional<Digest> kept_file(const Store& store, const LookasideFile& file);
Result<void> keep_file(const Store& store, const LookasideFile& file, const Digest& content);

struct LookasideRequest {
    std::string package;
    LookasideFile file;
    std::vector<std::string> uri_templates;  // tried in order
    std::string origin;                      // then this URL, when not empty
};
// By index. Downloads run in parallel, across components; every file is verified against its hash
// before it is stored, and one whose hash the store has seen is never asked for again.
std::vector<Result<Digest>> fetch_lookaside(const Store& store,
                                            const std::vector<LookasideRequest>& requests,
                                            const Options& options, Reporter& reporter);

}  // namespace tarn::distgit
