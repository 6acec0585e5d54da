// SPDX-License-Identifier: MIT
// One package's commit being chosen.
#pragma once

#include "distgit/detail/host.hh"
#include "git/git.hh"

#include <cstdint>
#include <optional>
#include <string>

namespace tarn::distgit::detail {

// A CommitChoice, parsed. Nothing of both: the head of the branch.
struct Wanted {
    std::string commit;  // lower case
    std::optional<std::int64_t> before;
};
Result<Wanted> parse_choice(const CommitChoice& choice);

class Session {
  public:
    // A branch fetched at or after `since` is up to date.
    Session(Host host, Place place, Wanted wanted, Options options, Nanoseconds since,
            Unfiltered& unfiltered)
        : host_(std::move(host)),
          place_(std::move(place)),
          wanted_(std::move(wanted)),
          options_(std::move(options)),
          since_(since),
          unfiltered_(unfiltered) {}

    // What is there answers, or nullopt.
    Result<std::optional<git::ObjectId>> answer() const;
    Result<git::ObjectId> resolve();

  private:
    Error not_there() const;

    Host host_;
    Place place_;
    Wanted wanted_;
    Options options_;
    Nanoseconds since_;
    Unfiltered& unfiltered_;
};

}  // namespace tarn::distgit::detail
