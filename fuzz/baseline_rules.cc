// rooms: guest_baseline
// SPDX-License-Identifier: MIT
// Rules, a machine's own configuration and the journal of a remediation, of any bytes; rules that
// are taken can be judged.
#include "baseline/detail/journal.hh"
#include "baseline/engine.hh"
#include "baseline/fake_target.hh"
#include "baseline/report.hh"

#include <cstdint>

using namespace tarn::guest::baseline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    parse_machine_config(text, "f");
    parse_record(text, "f");
    const auto rules = parse_rules(text, "f");
    if (!rules) {
        return 0;
    }
    FakeTarget target;
    target.file("/etc/ssh/sshd_config", "PermitRootLogin no\n");
    target.file("/proc/sys/net/x", "1\n").file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    for (const bool live : {false, true}) {
        target.is_live = live;
        const Report report = audit(target, *rules, {});
        report_json(report);
        report_text(report, {});
        report_xccdf(report, {});
    }
    return 0;
}
