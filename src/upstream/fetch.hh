// SPDX-License-Identifier: MIT
// Downloads into the store: parallel, resumable, verified. The only code that opens a connection
// to the outside.
#pragma once

#include "base/events.hh"
#include "base/result.hh"
#include "store/store.hh"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tarn {

struct FetchRequest {
    std::string url;                 // http, https, file
    std::optional<Digest> expected;  // checked; a wrong size or hash is kCorrupt
    std::string what;                // for people: "libc6 2.43-7"
};

struct FetchOptions {
    unsigned connections = 8;
    unsigned retries = 3;         // per file, with growing pauses; resumes where it stopped
    unsigned stall_seconds = 30;  // no byte for so long: try again
    std::uint64_t size_limit = 2ULL << 30;
    std::stop_token stop{};
    std::chrono::milliseconds retry_pause{500};  // before the first retry; doubles each time
};

struct FetchFailure {
    std::size_t index = 0;
    Error error;
    bool missing = false;  // the server answered 404 or 410
};

struct FetchOutcome {
    std::vector<std::optional<Digest>> digests;  // by request
    std::vector<FetchFailure> failures;          // by index
    std::uint64_t bytes = 0;                     // that came over the wire
};

// What is in the store already (by expected digest) is not asked for again. A download of a known
// digest that was cut off, even by SIGKILL, goes on where it stopped: what came so far is kept in
// the store's tmp/partial-<sha256>.
FetchOutcome fetch(const Store& store,
                   const std::vector<FetchRequest>& requests,
                   const FetchOptions& options,
                   Reporter& reporter);
// One small document (at most `limit` bytes) as bytes. kNotFound when the server has none.
Result<std::string> fetch_text(const std::string& url,
                               std::uint64_t limit,
                               const FetchOptions& options);

}  // namespace tarn
