// SPDX-License-Identifier: MIT
// How long each stage took; stages may run side by side.
#pragma once

#include "base/events.hh"

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tarn::image {

class StageLog {
  public:
    explicit StageLog(Reporter& reporter) : reporter_(reporter) {}

    // Runs `body` and adds its time under `name`.
    template <class Body>
    auto time(const char* name, Body&& body) {
        const auto start = std::chrono::steady_clock::now();
        auto result = std::forward<Body>(body)();
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        const std::scoped_lock lock(mutex_);
        stages_.emplace_back(name, spent.count());
        return result;
    }
    std::vector<std::pair<std::string, double>> take() && { return std::move(stages_); }
    Reporter& reporter() { return reporter_; }

  private:
    Reporter& reporter_;
    std::mutex mutex_;
    std::vector<std::pair<std::string, double>> stages_;
};

}  // namespace tarn::image
