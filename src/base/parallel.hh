// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>
#include <utility>

#include "base/result.hh"

namespace tarn {

// Calls `body(i)` for every i < count on up to `jobs` threads. Results are to be written by index,
// so that what comes out never depends on scheduling. The first error (of the lowest index among
// those that ran) is returned and no further index is started. kInterrupted on a stop request.
Result<void> parallel_for(std::size_t count,
                          unsigned jobs,
                          std::stop_token stop,
                          const std::function<Result<void>(std::size_t)>& body);

// Number of processors this process may use.
unsigned processor_count();

// A value that can only be reached through its lock.
template <class T>
class Synced {
  public:
    Synced() = default;
    explicit Synced(T value) : value_(std::move(value)) {}
    class Guard {
      public:
        explicit Guard(Synced& owner) : lock_(owner.mutex_), value_(owner.value_) {}
        T* operator->() { return &value_; }
        T& operator*() { return value_; }

      private:
        std::unique_lock<std::mutex> lock_;
        T& value_;
    };
    Guard lock() { return Guard(*this); }

  private:
    std::mutex mutex_;
    T value_{};
};

}  // namespace tarn
