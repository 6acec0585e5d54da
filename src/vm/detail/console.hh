// SPDX-License-Identifier: MIT
// Reads a serial console as it comes and notes when each phase of the boot began.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hh"
#include "vm/vm.hh"

namespace tarn::vm {

class Console {
  public:
    using Clock = std::chrono::steady_clock;
    explicit Console(Clock::time_point power_on) : power_on_(power_on) {}
    void feed(std::string_view bytes);
    bool kernel_seen() const { return kernel_ > 0; }
    bool powered_down() const { return powered_down_; }
    bool panicked() const { return panicked_; }
    // firmware, kernel, initrd, userspace: until `ready` seconds after power-on.
    std::vector<BootPhase> phases(double ready) const;

  private:
    void line(std::string_view text);
    Clock::time_point power_on_;
    std::string partial_;
    double kernel_ = 0, initrd_ = 0, userspace_ = 0;
    bool powered_down_ = false, panicked_ = false;
};

// A log that takes no more than `limit` bytes, however much a guest says.
class CappedLog {
  public:
    CappedLog(Fd file, std::uint64_t limit) : file_(std::move(file)), left_(limit) {}
    void write(std::string_view bytes);

  private:
    Fd file_;
    std::uint64_t left_;
};

}  // namespace tarn::vm
