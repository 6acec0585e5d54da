// SPDX-License-Identifier: MIT
// Where the time of a boot went, kept for some boots: /var/log/tarn/boot-timeline.json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "health/state.hh"

namespace tarn::guest {

inline constexpr const char* kTimelinePath = "/var/log/tarn/boot-timeline.json";
inline constexpr std::size_t kMaxBoots = 20;

struct Phase {
    std::string name;  // "firmware", "loader", "kernel", "initrd", "userspace", "provision/..."
    double start = 0;  // seconds since the kernel started; firmware and loader are before
    double seconds = 0;
};
struct Boot {
    std::string boot_id, kernel;
    std::int64_t time = 0;  // seconds since 1970, when it was written
    double total = 0;       // firmware to the end of userspace
    std::vector<Phase> phases;
};
Boot make_boot(const HealthInputs& inputs);
std::string boot_text(const Boot& boot);

// The history with this boot, newest last, at most kMaxBoots; the same boot is replaced. A history
// that cannot be read is begun anew.
std::string add_boot(std::string_view history, const Boot& boot);

}  // namespace tarn::guest
