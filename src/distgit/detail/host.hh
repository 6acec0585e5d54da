// SPDX-License-Identifier: MIT
// The bare repository of one host, and fetching into it. git itself never writes there: it fetches into
// a repository of its own beside it, which borrows the host's objects; packs that came complete are
// moved over, then the reference. A kill leaves the host's repository as before or as after.
//
//   <host>/tarn/<key>.lock    held (flock) by who fetches from that URL, git included
//   <host>/tarn/<key>.fetch/  what git fetches into; removed by the next who has the lock
#pragma once

#include "base/fd.hh"
#include "base/parallel.hh"
#include "base/result.hh"
#include "distgit/detail/place.hh"
#include "distgit/detail/transport.hh"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tarn::distgit::detail {

using Nanoseconds = std::int64_t;  // since 1970
Nanoseconds now();

// Hosts whose server sends everything although asked for history alone.
using Unfiltered = Synced<std::set<std::string>>;

struct BranchHead {
    git::ObjectId id;
    Nanoseconds fetched = 0;  // when the fetch that brought it began
};

class Host {
  public:
    // Made when missing; safe for many processes at once.
    static Result<Host> open(const std::string& directory, const Place& place);
    const std::string& path() const { return path_; }

    std::optional<BranchHead> head(const Place& place) const;

    // `settled` is asked again under the lock: another process may have fetched meanwhile; true ends
    // it. The branch's new head is written down.
    Result<void> fetch_branch(const Place& place, const Options& options, Unfiltered& unfiltered,
                              const std::function<Result<bool>()>& settled) const;
    // A commit with its history. kNotFound when the server does not give it.
    Result<void> fetch_commit(const Place& place, const git::ObjectId& id, const Options& options,
                              Unfiltered& unfiltered) const;
    // Objects by id, without what they refer to, in one request. `missing` says under the lock which.
    Result<void> fetch_objects(const Place& place, const Options& options,
                               const std::function<Result<std::vector<git::ObjectId>>()>& missing)
        const;

  private:
    explicit Host(std::string path) : path_(std::move(path)) {}
    struct Fetch;
    std::optional<BranchHead> head_there(const Place& place) const;  // and its commit is
    Result<Fd> lock(const Place& place, const Options& options) const;
    Result<GitAnswer> fetch_into(const Fetch& fetch, const Place& place, const Options& options,
                                 const Fd& lock) const;
    Result<void> publish(const std::string& from) const;
    Result<bool> publish_loose(const std::string& from) const;  // whether there was any
    Result<void> write_head(const Place& place, const git::ObjectId& id, Nanoseconds began) const;
    Error no_branch(const Place& place, const Options& options) const;

    std::string path_;
};

}  // namespace tarn::distgit::detail
