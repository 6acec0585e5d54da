// SPDX-License-Identifier: MIT
#include "vm/detail/console.hh"

#include <algorithm>

#include "base/fs.hh"
#include "base/strings.hh"

namespace tarn::vm {

namespace {
constexpr std::size_t kMaxLine = 8192;
}

void Console::feed(std::string_view bytes) {
    for (const char c : bytes) {
        if (c == '\n' || partial_.size() >= kMaxLine) {
            line(partial_);
            partial_.clear();
        } else if (c != '\r') {
            partial_ += c;
        }
    }
}

void CappedLog::write(std::string_view bytes) {
    const std::string_view taken = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), left_));
    left_ -= taken.size();
    // A log that cannot be written is no reason to end the test.
    static_cast<void>(write_all(file_.get(), taken, "console.log"));
}

void Console::line(std::string_view text) {
    const double now =
        std::chrono::duration<double>(Clock::now() - power_on_).count();
    if (kernel_ == 0 && contains(text, "Linux version ")) {
        kernel_ = now;
    }
    if (initrd_ == 0 && contains(text, "Run /init as init process")) {
        initrd_ = now;
    }
    if (userspace_ == 0 && contains(text, "systemd[1]: ") && contains(text, "running in system mode")) {
        userspace_ = now;
    }
    panicked_ = panicked_ || contains(text, "Kernel panic - not syncing");
    powered_down_ = powered_down_ || contains(text, "reboot: Power down") ||
                    contains(text, "System halted");
}

std::vector<BootPhase> Console::phases(double ready) const {
    std::vector<BootPhase> result;
    double before = 0;
    const auto add = [&](const char* name, double end) {
        if (end > before) {
            result.push_back({name, end - before});
            before = end;
        }
    };
    add("firmware", kernel_);
    add("kernel", initrd_);
    add("initrd", userspace_);
    add("userspace", ready);
    return result;
}

}  // namespace tarn::vm
