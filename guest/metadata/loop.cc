// SPDX-License-Identifier: MIT
#include "metadata/loop.hh"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace tarn::guest {

Scheduler::TimerId Scheduler::after(Millis delay, std::function<void()> work) {
    const TimerId id = next_++;
    const Millis when = now() + std::max(delay, Millis(0));
    timers_.emplace(std::pair(when, id), std::move(work));
    when_.emplace(id, when);
    return id;
}

void Scheduler::cancel(TimerId id) {
    const auto found = when_.find(id);
    if (found != when_.end()) {
        timers_.erase({found->second, id});
        when_.erase(found);
    }
}

const std::pair<const std::pair<Millis, Scheduler::TimerId>, std::function<void()>>*
Scheduler::first_timer() const {
    return timers_.empty() ? nullptr : &*timers_.begin();
}

void Scheduler::run_due() {
    // What work adds now is due at the next turn: a timer of no delay does not starve the rest.
    const TimerId end = next_;
    while (!timers_.empty()) {
        auto first = timers_.begin();
        while (first != timers_.end() && first->first.second >= end) {
            ++first;
        }
        if (first == timers_.end() || first->first.first > now()) {
            return;
        }
        const auto work = std::move(first->second);
        when_.erase(first->first.second);
        timers_.erase(first);
        work();
    }
}

Result<Loop> Loop::make() {
    Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) {
        return fail(sys_error("create", "an epoll instance"));
    }
    return Loop(std::move(epoll));
}

Millis Loop::now() const {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return Millis(std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000);
}

std::int64_t Loop::wall() const {
    return std::time(nullptr);
}

namespace {

epoll_event event_of(int fd, std::uint32_t generation, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(fd);
    return event;
}

}  // namespace

Result<void> Loop::watch(int fd, std::uint32_t events, Ready ready) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= watches_.size()) {
        watches_.resize(index + 1);
    }
    epoll_event event = event_of(fd, ++generation_, events);
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return fail(sys_error("watch", "a descriptor"));
    }
    watches_[index] = {generation_, std::make_shared<Ready>(std::move(ready))};
    return {};
}

void Loop::change(int fd, std::uint32_t events) {
    epoll_event event = event_of(fd, watches_[static_cast<std::size_t>(fd)].generation, events);
    (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::unwatch(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index < watches_.size() && watches_[index].ready) {
        (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
        watches_[index] = {};
    }
}

Result<void> Loop::turn(Millis longest) {
    Millis wait = longest;
    if (const auto* timer = first_timer()) {
        wait = std::clamp(timer->first.first - now(), Millis(0), longest);
    }
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(epoll_.get(),
                                 events.data(),
                                 static_cast<int>(events.size()),
                                 static_cast<int>(wait.count()));
    if (count < 0 && errno != EINTR) {
        return fail(sys_error("wait for", "events"));
    }
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const auto index = static_cast<std::size_t>(event.data.u64 & 0xffffffffU);
        // A descriptor that was closed and used again in this turn has another generation.
        if (index < watches_.size() && watches_[index].ready &&
            watches_[index].generation == event.data.u64 >> 32) {
            const auto ready = watches_[index].ready;
            (*ready)(event.events);
        }
    }
    run_due();
    return {};
}

}  // namespace tarn::guest
