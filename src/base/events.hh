// SPDX-License-Identifier: MIT
// How long work tells that it goes on. Libraries emit; how it is drawn is the cli's business.
// All calls may come from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn {

class Reporter {
  public:
    virtual ~Reporter() = default;
    // A step with a known or unknown (0) amount of work begins; `unit` is "packages", "B", ...
    virtual void begin(std::string_view step, std::uint64_t total, std::string_view unit) = 0;
    // Done so far in the current step, and what is being worked on.
    virtual void advance(std::uint64_t done, std::string_view item) = 0;
    virtual void end() = 0;
    // One line that stays: a thing a person should know.
    virtual void info(std::string_view line) = 0;
    virtual void warn(std::string_view line) = 0;
};

// Says nothing; for tests and -q.
class NullReporter : public Reporter {
  public:
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void advance(std::uint64_t, std::string_view) override {}
    void end() override {}
    void info(std::string_view) override {}
    void warn(std::string_view) override {}
};

}  // namespace tarn
