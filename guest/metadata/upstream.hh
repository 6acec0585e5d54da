// SPDX-License-Identifier: MIT
// The way to the platform's metadata service: requests that do not block, and a gate that never
// lets more through than the platform allows one machine (5 a second; identity 20 a second and 5 at
// a time), whatever clients do.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hh"
#include "http/client.hh"
#include "metadata/loop.hh"

namespace tarn::guest {

// What came of one request: an answer of any status, or kNetwork / kCorrupt.
using Exchanged = std::function<void(Result<HttpResponse>)>;

class Transport {
  public:
    virtual ~Transport() = default;
    // `done` is called exactly once, never before this returns.
    virtual void start(const HttpRequest& request, Exchanged done) = 0;
};

// Plain HTTP/1.1 over TCP, one request a connection. Timeouts and the limit are the request's.
class TcpTransport : public Transport {
  public:
    explicit TcpTransport(Loop& loop) : loop_(loop) {}
    ~TcpTransport() override;
    TcpTransport(const TcpTransport&) = delete;
    TcpTransport& operator=(const TcpTransport&) = delete;
    void start(const HttpRequest& request, Exchanged done) override;

  private:
    struct Exchange;
    void begin(const std::shared_ptr<Exchange>& exchange);
    void ready(const std::shared_ptr<Exchange>& exchange, std::uint32_t events);
    void receive(const std::shared_ptr<Exchange>& exchange);
    void finish(const std::shared_ptr<Exchange>& exchange, Result<HttpResponse> result);
    Loop& loop_;
    std::map<std::uint64_t, std::shared_ptr<Exchange>> running_;
    std::uint64_t next_ = 1;
};

// At most `limit` in any `window`: a window that slides, because a bucket that fills lets twice its
// rate through in one second.
class SlidingWindow {
  public:
    SlidingWindow(std::size_t limit, Millis window) : limit_(limit), window_(window) {}
    // 0: now, and it is counted. Else how long to wait.
    Millis take(Millis now);

  private:
    std::size_t limit_;
    Millis window_;
    std::deque<Millis> taken_;
};

enum class Budget { kGeneral, kIdentity };

struct GateLimits {
    std::size_t general_per_second = 5;
    std::size_t identity_per_second = 20;
    std::size_t identity_at_once = 5;
    std::size_t general_at_once = 5;
    std::size_t queue = 256;  // requests that wait, each budget
    // Longer than a second: what leaves evenly may arrive bunched.
    Millis window{1100};
};

class Gate {
  public:
    Gate(Scheduler& scheduler, Transport& transport, GateLimits limits = {});
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    // In order within a budget. kNetwork at once (before it returns) when the queue is full.
    void submit(Budget budget, HttpRequest request, Exchanged done);
    std::size_t sent() const { return sent_; }

  private:
    struct Waiting {
        HttpRequest request;
        Exchanged done;
    };
    struct Lane {
        SlidingWindow window;
        std::size_t at_once;
        std::size_t running = 0;
        std::deque<Waiting> waiting{};
        Scheduler::TimerId timer = 0;
    };
    void pump(Lane& lane);
    Lane& lane(Budget budget) { return budget == Budget::kGeneral ? general_ : identity_; }

    Scheduler& scheduler_;
    Transport& transport_;
    GateLimits limits_;
    Lane general_, identity_;
    std::size_t sent_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tarn::guest
