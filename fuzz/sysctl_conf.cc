// rooms: guest_baseline
// SPDX-License-Identifier: MIT
// sysctl.d, modprobe.d, audit rules and KEY VALUE files of any bytes; a setting that is written
// into one is found there.
#include "baseline/detail/change.hh"
#include "baseline/detail/parsers.hh"

#include <cstdint>
#include <cstdlib>

using namespace tarn::guest::baseline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    SysctlConfig config;
    config.add(text, "f");
    config.find("net.ipv4.conf.all.rp_filter");
    ModprobeConfig modprobe;
    modprobe.add(text, "f");
    AuditRules audit;
    audit.add(text, "f");
    parse_kernel_config(text);
    parse_arguments(text);
    Change change;
    change.key = "net.ipv4.tcp_syncookies";
    change.value = "net.ipv4.tcp_syncookies = 1";
    SysctlConfig written;
    written.add(with_line(text, change), "f");
    for (const auto format : {SettingFormat::kWords, SettingFormat::kPairs, SettingFormat::kIni}) {
        Change setting;
        setting.format = format;
        setting.key = "Storage";
        setting.value = "persistent";
        setting.section = format == SettingFormat::kIni ? "Journal" : "";
        std::string last;
        for (const Setting& one : parse_settings(with_setting(text, setting), format, "f")) {
            if (one.key == setting.key && one.section == setting.section) {
                last = one.value;
            }
        }
        if (last != "persistent") {
            std::abort();
        }
    }
    return 0;
}
