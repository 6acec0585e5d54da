// SPDX-License-Identifier: MIT
// What the platform is told: one line of CSV with '|' between fields, as its tools expect it, for
// the Hyper-V data exchange and for the description in a health report.
#pragma once

#include <cstddef>
#include <string>

namespace tarn::guest {

struct Report {
    bool success = false;
    std::string reason;  // of a failure
    std::string vm_id;
    std::string pps_type = "None";
    double seconds = 0;     // since power-on
    std::string timestamp;  // see timestamp_now()
};
// "result=error|reason=...|agent=...|...": a field with '|', a quote or a line break is put in
// single quotes. At most `limit` bytes: a reason that is too long is cut.
std::string report_text(const Report& report, std::size_t limit);

inline constexpr std::size_t kHealthDescription = 512;  // bytes the platform shows
inline constexpr std::size_t kKvpValue = 1022;          // bytes it reads

}  // namespace tarn::guest
