// SPDX-License-Identifier: MIT
#include "metadata/fetch.hh"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <utility>

#include "imds/imds.hh"

namespace tarn::guest {

namespace {

constexpr Millis kServiceTotal{300'000};
constexpr Millis kGoneTotal{70'000};
// Pauses before tries 2 to 5, so that they start 2, 6, 14 and 30 s after the first.
constexpr std::array<Millis, 4> kIdentityPauses{
    Millis(2000), Millis(4000), Millis(8000), Millis(16000)};

Millis spread(Millis pause, double random) {
    return Millis(static_cast<std::int64_t>(static_cast<double>(pause.count()) * (1 + random / 4)));
}

// The service is not ready for this machine: it is, within about 70 s.
NextStep after_gone(Attempts& attempts, Millis now, double random) {
    if (!attempts.first_gone) {
        attempts.first_gone = now;
    }
    if (now - *attempts.first_gone >= kGoneTotal) {
        return {NextStep::kFail, Millis(0)};
    }
    return {NextStep::kAgain, spread(Millis(8000), random)};
}

NextStep next_of_service(Attempts& attempts, int status, Millis now, double random) {
    const Verdict verdict = judge(status);
    if (verdict == Verdict::kDone) {
        return {NextStep::kDone, Millis(0)};
    }
    if (verdict == Verdict::kOlderVersion) {
        const bool first = !std::exchange(attempts.older, true);
        return {first ? NextStep::kOlder : NextStep::kFail, Millis(0)};
    }
    if (verdict == Verdict::kFinal || now - attempts.started >= kServiceTotal) {
        return {NextStep::kFail, Millis(0)};
    }
    Millis pause = std::min(Millis(100) * (1 << std::min(attempts.made - 1, 5)), Millis(2000));
    if (status >= 500) {
        pause = std::max(pause, Millis(1000));
    }
    return {NextStep::kAgain, spread(pause, random)};
}

NextStep next_of_identity(const Attempts& attempts, int status, double random) {
    if (status == 200) {
        return {NextStep::kDone, Millis(0)};
    }
    const bool again = status == 0 || status == 404 || status == 429 || status >= 500;
    const auto made = static_cast<std::size_t>(attempts.made);
    if (!again || made > kIdentityPauses.size()) {
        return {NextStep::kFail, Millis(0)};
    }
    return {NextStep::kAgain, spread(kIdentityPauses[made - 1], random)};
}

}  // namespace

NextStep next_step(RetryRule rule, Attempts& attempts, int status, Millis now, double random) {
    if (rule == RetryRule::kOnce) {
        return {status == 200 ? NextStep::kDone : NextStep::kFail, Millis(0)};
    }
    if (status == 410) {
        return after_gone(attempts, now, random);
    }
    ++attempts.made;
    return rule == RetryRule::kService ? next_of_service(attempts, status, now, random)
                                       : next_of_identity(attempts, status, random);
}

std::string request_id() {
    std::array<unsigned char, 16> b{};
    (void)getrandom(b.data(), b.size(), GRND_NONBLOCK);
    b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
    b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
    std::string text;
    for (std::size_t i = 0; i < b.size(); ++i) {
        text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    }
    return text;
}

Fetcher::Fetcher(Scheduler& scheduler, Gate& gate, Endpoint server)
    : scheduler_(scheduler), gate_(gate), server_(std::move(server)) {}

Fetcher::~Fetcher() {
    *alive_ = false;
    for (const auto& [key, flight] : flights_) {
        scheduler_.cancel(flight.timer);
    }
}

double Fetcher::random() {
    std::uint16_t value = 0;
    (void)getrandom(&value, sizeof value, GRND_NONBLOCK);
    return value / 65536.0;
}

std::uint64_t Fetcher::fetch(const FetchRequest& request, Done done) {
    const std::uint64_t id = next_++;
    const auto [place, fresh] = flights_.try_emplace(request.key);
    place->second.waiters.emplace(id, std::move(done));
    if (fresh) {
        place->second.request = request;
        place->second.attempts.started = scheduler_.now();
        attempt(request.key);
    }
    return id;
}

void Fetcher::forget(std::uint64_t id) {
    for (auto& [key, flight] : flights_) {
        if (flight.waiters.erase(id) != 0) {
            // An attempt that is under way lands where nobody waits.
            if (flight.waiters.empty() && flight.timer != 0) {
                scheduler_.cancel(flight.timer);
                flights_.erase(key);
            }
            return;
        }
    }
}

void Fetcher::attempt(const std::string& key) {
    Flight& flight = flights_.at(key);
    flight.timer = 0;
    const FetchRequest& wanted = flight.request;
    HttpRequest request;
    request.method = wanted.method;
    request.server = server_;
    request.target = flight.attempts.older ? wanted.older_target : wanted.target;
    request.headers = {{"Metadata", "true"}, {"x-ms-client-request-id", request_id()}};
    if (!wanted.body.empty()) {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = wanted.body;
    }
    const bool first = flight.attempts.made == 0 && !flight.attempts.first_gone;
    request.total_timeout = first ? wanted.first_try : wanted.later_tries;
    request.connect_timeout = std::min(request.total_timeout, Millis(2000));
    request.body_limit = wanted.body_limit;
    gate_.submit(wanted.budget,
                 std::move(request),
                 [this, key, alive = alive_](Result<HttpResponse> response) {
                     if (*alive) {
                         answered(key, std::move(response));
                     }
                 });
}

void Fetcher::answered(const std::string& key, Result<HttpResponse> response) {
    const auto found = flights_.find(key);
    if (found == flights_.end()) {
        return;
    }
    Flight& flight = found->second;
    Fetched fetched;
    if (response) {
        fetched.status = response->status;
        fetched.body = std::move(response->body);
        if (fetched.status != 200) {
            fetched.why = fmt::format("the metadata service answered {} to {} {}",
                                      fetched.status,
                                      flight.request.method,
                                      flight.request.target);
        }
    } else {
        fetched.why = response.error().message;
    }
    flight.why = fetched.why;
    NextStep step =
        next_step(flight.request.rule, flight.attempts, fetched.status, scheduler_.now(), random());
    if (fetched.status == 404 && flight.request.absent_is_final) {
        step.kind = NextStep::kFail;
    }
    if (step.kind == NextStep::kOlder && flight.request.older_target.empty()) {
        step.kind = NextStep::kFail;
    }
    if (step.kind == NextStep::kDone || step.kind == NextStep::kFail || flight.waiters.empty()) {
        return land(key, fetched);
    }
    flight.timer = scheduler_.after(step.pause, [this, key] { attempt(key); });
}

std::string Fetcher::problem(const std::string& key) const {
    const auto found = flights_.find(key);
    return found == flights_.end() ? std::string() : found->second.why;
}

void Fetcher::land(const std::string& key, const Fetched& fetched) {
    const auto node = flights_.extract(key);
    for (const auto& [id, done] : node.mapped().waiters) {
        done(fetched);
    }
}

}  // namespace tarn::guest
