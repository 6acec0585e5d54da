// SPDX-License-Identifier: MIT
// A clock that a test turns, and a metadata service that answers what it says.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "metadata/broker.hh"

namespace tarn::guest {

class FakeScheduler : public Scheduler {
  public:
    Millis now() const override { return now_; }
    std::int64_t wall() const override { return wall_ + now_.count() / 1000; }
    // Lets time pass, timer by timer.
    void pass(Millis time) {
        const Millis end = now_ + time;
        while (const auto* timer = first_timer()) {
            if (timer->first.first > end) {
                break;
            }
            now_ = std::max(now_, timer->first.first);
            run_due();
        }
        now_ = end;
    }
    void set_wall(std::int64_t wall) { wall_ = wall; }

  private:
    Millis now_{1'000'000};
    std::int64_t wall_ = 1'790'000'000;
};

class FakeTransport : public Transport {
  public:
    explicit FakeTransport(FakeScheduler& scheduler) : scheduler_(scheduler) {}
    struct Sent {
        HttpRequest request;
        Millis when;
    };
    std::function<Result<HttpResponse>(const HttpRequest&)> answer = [](const HttpRequest&) {
        return Result<HttpResponse>(HttpResponse{200, {}, "{}"});
    };
    Millis latency{10};
    std::vector<Sent> sent;
    std::size_t running = 0, most_running = 0;

    void start(const HttpRequest& request, Exchanged done) override {
        sent.push_back({request, scheduler_.now()});
        most_running = std::max(most_running, ++running);
        scheduler_.after(latency, [this, request, done = std::move(done)] {
            --running;
            done(answer(request));
        });
    }
    // The most that was sent within one second.
    std::size_t peak(std::string_view part) const {
        std::size_t most = 0;
        for (std::size_t i = 0; i < sent.size(); ++i) {
            std::size_t count = 0;
            for (std::size_t j = i; j < sent.size(); ++j) {
                const bool near = sent[j].when - sent[i].when < Millis(1000);
                count += near && sent[j].request.target.find(part) != std::string::npos ? 1U : 0U;
            }
            most = std::max(most, count);
        }
        return most;
    }

  private:
    FakeScheduler& scheduler_;
};

inline Result<HttpResponse> status(int code, std::string body = "{}") {
    return HttpResponse{code, {}, std::move(body)};
}

inline constexpr const char* kInstance =
    R"({"compute":{"azEnvironment":"AzurePublicCloud","location":"westeurope","name":"web_3",)"
    R"("vmId":"0f0e0d0c-1111-2222-3333-444455556666","zone":"","userData":"c2VjcmV0",)"
    R"("customData":"","osProfile":{"computerName":"web000003"},)"
    R"("tagsList":[{"name":"ring","value":"canary"}]},)"
    R"("network":{"interface":[{"macAddress":"000D3A112233"}]}})";
inline constexpr const char* kToken =
    R"({"access_token":"eyJ0.a.b","expires_in":"3600","expires_on":"1790004600",)"
    R"("resource":"https://vault.azure.net","token_type":"Bearer","client_id":"c"})";

}  // namespace tarn::guest
