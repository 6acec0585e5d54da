// SPDX-License-Identifier: MIT
// An RPM repository: repodata (repomd, primary, filelists, other; zstd), signed, published
// atomically, served over HTTP. Format: createrepo_c's rpm-md, as dnf5 reads it.
//
//   <dir>/snapshots/<id>/{Packages/<letter>/<nevra>.rpm, repodata/…, RPM-GPG-KEY-<name>}
//   <dir>/current -> snapshots/<id>      replaced by rename; older snapshots stay
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "pgp/pgp.hh"
#include "rpm/package.hh"
#include "store/store.hh"

namespace tarn {

struct RepoPackage {
    Digest rpm;  // signed
    rpm::PackageInfo info;
    std::string location;  // "Packages/b/bash-5.3-2.tn1.x86_64.rpm"
};

struct Repodata {
    std::vector<std::pair<std::string, std::string>> files;  // name in repodata/ -> bytes
};
// Deterministic: packages sorted, `revision` as timestamp.
Result<Repodata> make_repodata(const std::vector<RepoPackage>& packages, std::int64_t revision,
                               unsigned jobs);

struct PublishRequest {
    std::string directory;
    std::vector<Digest> rpms;  // signed
    const SigningKey* key = nullptr;
    std::string key_name;
    std::int64_t revision = 0;
    unsigned jobs = 1;
    std::stop_token stop{};
};
struct Published {
    std::string snapshot;      // id: digest of what it holds
    std::string path;          // <dir>/snapshots/<id>
    bool unchanged = false;    // was the current one already
    std::size_t packages = 0;
    std::uint64_t bytes = 0;
};
// Packages are hard links into the store where possible. Killed at any moment: the old snapshot is
// still the current one.
Result<Published> publish(const Store& store, const PublishRequest& request, Reporter& reporter);

// What a published repository holds, everything verified on the way: repomd signature, metadata
// digests. Packages are verified when they are opened.
struct RepoIndex {
    struct Item {
        rpm::Nevra nevra;
        std::string location;
        Digest rpm;
        std::string source_rpm;
        std::uint64_t installed_size = 0;
        std::vector<std::string> provides, requires_, conflicts, obsoletes, recommends, files;
    };
    std::string path;
    std::string revision;
    std::vector<Item> items;
};
Result<RepoIndex> read_repository(const std::string& path, const Keyring& keyring);

// Serves a directory over HTTP/1.1 (GET, HEAD, ranges; no listing outside, no links that leave it)
// until stopped. `port` 0 picks one; `ready` is called with it.
struct ServeOptions {
    std::string directory;
    std::string address = "127.0.0.1";
    int port = 0;
    std::function<void(int port)> ready{};
    std::function<void(const std::string& line)> on_request{};
    std::stop_token stop{};
};
Result<void> serve(const ServeOptions& options);

}  // namespace tarn
