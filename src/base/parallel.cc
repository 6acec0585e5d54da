// SPDX-License-Identifier: MIT
#include "base/parallel.hh"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace tarn {

Result<void> parallel_for(std::size_t count,
                          unsigned jobs,
                          std::stop_token stop,
                          const std::function<Result<void>(std::size_t)>& body) {
    struct First {
        std::size_t index = 0;
        std::optional<Error> error;
    };
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    Synced<First> first;
    const auto work = [&] {
        while (!failed.load() && !stop.stop_requested()) {
            const std::size_t index = next.fetch_add(1);
            if (index >= count) {
                return;
            }
            if (auto result = body(index); !result) {
                auto guard = first.lock();
                if (!guard->error || index < guard->index) {
                    guard->index = index;
                    guard->error = std::move(result.error());
                }
                failed = true;
            }
        }
    };
    const std::size_t threads = std::min<std::size_t>(std::max(jobs, 1u), count);
    if (threads <= 1) {
        work();
    } else {
        std::vector<std::jthread> pool;
        pool.reserve(threads);
        for (std::size_t i = 0; i < threads; ++i) {
            pool.emplace_back(work);
        }
    }
    auto guard = first.lock();
    if (guard->error) {
        return fail(std::move(*guard->error));
    }
    if (stop.stop_requested()) {
        return fail(ErrorKind::kInterrupted, "interrupted");
    }
    return {};
}

unsigned processor_count() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    }
    return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace tarn
