// SPDX-License-Identifier: MIT
// One request of the metadata service until it has an answer: retries by rule, and one flight for
// all who want the same.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "metadata/upstream.hh"

namespace tarn::guest {

enum class RetryRule {
    kService,   // imds.hh's judge(): doubling pauses of 100 ms to 2 s, 300 s in all
    kIdentity,  // 0, 2, 6, 14 and 30 s after the first; 410 for up to 70 s
    kOnce,
};

// What is known of the attempts so far.
struct Attempts {
    Millis started{0};
    int made = 0;  // that are not 410
    std::optional<Millis> first_gone;
    bool older = false;
};
struct NextStep {
    enum Kind { kDone, kAgain, kOlder, kFail } kind = kFail;
    Millis pause{0};
};
// After an attempt with `status` (0: no answer). `random` in [0, 1) spreads the pauses.
NextStep next_step(RetryRule rule, Attempts& attempts, int status, Millis now, double random);

struct FetchRequest {
    std::string key;  // the same for those who can share the answer
    Budget budget = Budget::kGeneral;
    RetryRule rule = RetryRule::kService;
    std::string method = "GET", target, older_target, body;
    Millis first_try{2000}, later_tries{5000};
    std::size_t body_limit = 4u << 20;
    bool absent_is_final = false;  // 404 means what it says
};
struct Fetched {
    int status = 0;    // 0: no answer of the service
    std::string body;  // with any status
    std::string why;   // when status is not 200: one line for people
};

class Fetcher {
  public:
    using Done = std::function<void(const Fetched&)>;
    Fetcher(Scheduler& scheduler, Gate& gate, Endpoint server);
    ~Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // Joins the flight of this key or starts one. `done` may be called before this returns.
    std::uint64_t fetch(const FetchRequest& request, Done done);
    // `done` will not be called; a flight that nobody waits for makes no further attempt.
    void forget(std::uint64_t id);
    // What the last attempt of a flight came to, while it goes on.
    std::string problem(const std::string& key) const;

  private:
    struct Flight {
        FetchRequest request;
        Attempts attempts;
        std::map<std::uint64_t, Done> waiters;
        Scheduler::TimerId timer = 0;
        std::string why;
    };
    void attempt(const std::string& key);
    void answered(const std::string& key, Result<HttpResponse> response);
    void land(const std::string& key, const Fetched& fetched);
    double random();

    Scheduler& scheduler_;
    Gate& gate_;
    Endpoint server_;
    std::map<std::string, Flight> flights_;
    std::uint64_t next_ = 1;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

std::string request_id();  // a fresh random UUID, for support cases

}  // namespace tarn::guest
