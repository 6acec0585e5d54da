// SPDX-License-Identifier: MIT
// One thread's time and files: timers behind an interface, so that a test turns the clock, and an
// epoll(7) loop that implements it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fd.hh"
#include "base/result.hh"

namespace tarn::guest {

using Millis = std::chrono::milliseconds;

class Scheduler {
  public:
    using TimerId = std::uint64_t;
    virtual ~Scheduler() = default;
    virtual Millis now() const = 0;         // CLOCK_BOOTTIME: goes on while the machine sleeps
    virtual std::int64_t wall() const = 0;  // seconds since 1970, as wrong as the machine's clock
    TimerId after(Millis delay, std::function<void()> work);
    void cancel(TimerId id);
    // The time of the first timer, or nothing.
    const std::pair<const std::pair<Millis, TimerId>, std::function<void()>>* first_timer() const;
    // Runs what is due; work may add and cancel timers.
    void run_due();

  private:
    std::map<std::pair<Millis, TimerId>, std::function<void()>> timers_;
    std::unordered_map<TimerId, Millis> when_;
    TimerId next_ = 1;
};

class Loop : public Scheduler {
  public:
    using Ready = std::function<void(std::uint32_t events)>;
    static Result<Loop> make();

    Millis now() const override;
    std::int64_t wall() const override;
    // One callback a descriptor; it may unwatch itself or others.
    Result<void> watch(int fd, std::uint32_t events, Ready ready);
    void change(int fd, std::uint32_t events);
    void unwatch(int fd);
    // Waits for events, at most until the next timer or `longest`, and deals with them.
    Result<void> turn(Millis longest);

  private:
    explicit Loop(Fd epoll) : epoll_(std::move(epoll)) {}
    struct Watch {
        std::uint32_t generation = 0;
        std::shared_ptr<Ready> ready;
    };
    Fd epoll_;
    std::vector<Watch> watches_;  // by descriptor
    std::uint32_t generation_ = 0;
};

}  // namespace tarn::guest
