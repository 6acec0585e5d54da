// SPDX-License-Identifier: MIT
// How progress is drawn: one living line on a terminal, plain lines in a log.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "base/events.hh"

namespace tarn::cli {

enum class Talk { kQuiet, kNormal, kVerbose };

class ConsoleReporter : public Reporter {
  public:
    ConsoleReporter(bool terminal, bool colour, Talk talk)
        : terminal_(terminal), colour_(colour), talk_(talk) {}
    ~ConsoleReporter() override;
    void begin(std::string_view step, std::uint64_t total, std::string_view unit) override;
    void advance(std::uint64_t done, std::string_view item) override;
    void end() override;
    void info(std::string_view line) override;
    void warn(std::string_view line) override;

  private:
    using Clock = std::chrono::steady_clock;
    void draw(bool last);
    void clear();
    void say(const std::string& line);

    const bool terminal_;
    const bool colour_;
    const Talk talk_;
    std::mutex mutex_;
    bool active_ = false, drawn_ = false;
    std::string step_, unit_, item_;
    std::uint64_t total_ = 0, done_ = 0;
    Clock::time_point start_{}, last_draw_{};
};

}  // namespace tarn::cli
