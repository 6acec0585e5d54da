// SPDX-License-Identifier: MIT
#include "imds/imds.hh"

#include "base/strings.hh"

#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace tarn::guest {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kSaid = 200;  // bytes of an answer that an error repeats

// Bytes for names and jitter: no secret. Early in a boot the pool may not be ready; the clock does.
std::array<std::uint8_t, 16> some_bytes() {
    std::array<std::uint8_t, 16> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), GRND_NONBLOCK) != 16) {
        auto value = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
        for (std::uint8_t& byte : bytes) {
            value = value * 6364136223846793005u + 1442695040888963407u;
            byte = static_cast<std::uint8_t>(value >> 56);
        }
    }
    return bytes;
}

// RFC 9562, version 4.
std::string request_id() {
    auto bytes = some_bytes();
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text += fmt::format("{}{:02x}",
                            i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                            static_cast<unsigned>(bytes[i]));
    }
    return text;
}

// Between 3/4 and all of it, so that a fleet started together does not ask together.
milliseconds jittered(milliseconds pause) {
    return pause - pause * (some_bytes()[0] % 64) / 256;
}

void sleep_for(milliseconds pause) {
    const Clock::time_point end = Clock::now() + pause;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(end - Clock::now()).count();
        if (left <= 0) {
            return;
        }
        ::poll(nullptr, 0, static_cast<int>(std::min<long long>(left, 60'000)));
    }
}

std::string printable_start(std::string_view body) {
    std::string text(trim(body.substr(0, kSaid)));
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
            c = ' ';
        }
    }
    return text;
}

// The whole of one imds_get().
class Exchange {
  public:
    Exchange(const Endpoint& server, const RetryPolicy& policy, const std::string& source)
        : policy_(policy), end_(Clock::now() + policy.total) {
        request_.server = server;
        request_.source_address = source;
    }

    // One attempt; its verdict decides what is next.
    Verdict attempt(const std::string& target,
                    const std::function<void(const std::string&)>& tries) {
        const Clock::time_point begin = Clock::now();
        request_.target = target;
        request_.headers = {{"Metadata", "true"}, {"x-ms-client-request-id", request_id()}};
        const milliseconds timeout = count_++ == 0 ? policy_.first_try : policy_.later_tries;
        const auto left = std::chrono::ceil<milliseconds>(end_ - begin);
        request_.total_timeout = std::clamp(left, milliseconds(1), timeout);
        request_.connect_timeout = request_.total_timeout;
        const auto response = http_request(request_);
        const auto spent = std::chrono::duration_cast<milliseconds>(Clock::now() - begin).count();
        if (response) {
            status_ = response->status;
            body_ = response->body;
            last_ = fmt::format("http {}", status_);
            no_route_since_.reset();
        } else {
            status_ = 0;
            last_ = response.error().message;
            if (!network_unreachable(response.error())) {
                no_route_since_.reset();
            } else if (!no_route_since_) {
                no_route_since_ = begin;
            }
        }
        if (status_ != 410) {
            gone_since_.reset();
        } else if (!gone_since_) {
            gone_since_ = begin;
        }
        if (tries) {
            tries(fmt::format("{} after {} ms", last_, spent));
        }
        return response || response.error().kind == ErrorKind::kNetwork ||
                       response.error().kind == ErrorKind::kCorrupt
                   ? judge(status_)
                   : Verdict::kFinal;
    }

    // Sleeps before the next attempt; false when there is no time for one.
    bool pause() {
        milliseconds length = jittered(next_pause_);
        if (status_ >= 500) {
            length = std::max(length, policy_.after_5xx);
        }
        next_pause_ = std::min(next_pause_ * 2, policy_.longest_pause);
        const Clock::time_point next = Clock::now() + length;
        if (next >= end_ || (no_route_since_ && next >= *no_route_since_ + policy_.without_route) ||
            (gone_since_ && next >= *gone_since_ + policy_.gone)) {
            return false;
        }
        sleep_for(length);
        return true;
    }

    Failure failure() const {
        Error problem = error(ErrorKind::kNetwork,
                              "http://{}:{}{}: {} ({} {})",
                              request_.server.address,
                              request_.server.port,
                              request_.target,
                              last_,
                              count_,
                              count_ == 1 ? "try" : "tries");
        if (status_ != 0) {
            if (const std::string said = printable_start(body_); !said.empty()) {
                problem.notes.push_back("the service says: " + said);
            }
        }
        if (status_ == 401 || status_ == 403) {
            problem.help.push_back(
                "a proxy agent on this machine may refuse the call: look at "
                "`systemctl status azure-proxy-agent`");
        } else if (no_route_since_) {
            problem.help.push_back(
                "no route leads to the service: look at `networkctl status`; "
                "only the primary network interface reaches it");
        } else if (status_ == 0) {
            problem.help.push_back(
                "a firewall or a proxy may be in between: the service is reached "
                "directly, from the primary interface's primary address");
        } else if (status_ == 429) {
            problem.help.push_back("something on this machine asks more than 5 times a second");
        }
        return fail(std::move(problem));
    }

    std::string take_body() { return std::move(body_); }

  private:
    RetryPolicy policy_;
    Clock::time_point end_;
    HttpRequest request_;
    milliseconds next_pause_ = policy_.first_pause;
    unsigned count_ = 0;
    int status_ = 0;
    std::string body_, last_;
    std::optional<Clock::time_point> no_route_since_, gone_since_;
};

}  // namespace

Verdict judge(int status) {
    switch (status) {
        case 200:
            return Verdict::kDone;
        case 400:
            return Verdict::kOlderVersion;
        case 0:
        case 404:
        case 408:
        case 410:
        case 429:
            return Verdict::kAgain;
        default:
            return status >= 500 ? Verdict::kAgain : Verdict::kFinal;
    }
}

Result<std::string> imds_get(const Endpoint& server,
                             const std::string& target,
                             const std::string& older_target,
                             const RetryPolicy& policy,
                             const std::string& source_address,
                             const std::function<void(const std::string&)>& tries) {
    Exchange exchange(server, policy, source_address);
    bool older = false;
    for (;;) {
        Verdict verdict = exchange.attempt(older ? older_target : target, tries);
        if (verdict == Verdict::kOlderVersion && !older && !older_target.empty()) {
            older = true;
            continue;
        }
        if (verdict == Verdict::kDone) {
            return exchange.take_body();
        }
        if (verdict != Verdict::kAgain || !exchange.pause()) {
            return exchange.failure();
        }
    }
}

}  // namespace tarn::guest
