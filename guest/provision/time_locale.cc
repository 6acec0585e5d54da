// SPDX-License-Identifier: MIT
#include "provision/time_locale.hh"

#include "base/strings.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace tarn::guest {
namespace {

constexpr std::string_view kBegin = "# tarn-provision: ntp";
constexpr std::string_view kEnd = "# tarn-provision: end";
constexpr std::string_view kSet = "# tarn-provision: ";  // in front of a line that is set aside

// chrony's configuration with these servers and no other ones.
std::string with_servers(std::string_view text,
                         const std::vector<std::string>& servers,
                         const std::vector<std::string>& pools) {
    std::string result;
    bool ours = false;
    for (const std::string_view line : split_lines(text)) {
        const std::string_view word = line.substr(0, line.find(' '));
        if (line == kBegin) {
            ours = true;
        } else if (line == kEnd) {
            ours = false;
        } else if (!ours) {
            const bool other = word == "server" || word == "pool" || word == "peer";
            result += (other ? std::string(kSet) : std::string()) + std::string(line) + "\n";
        }
    }
    result += std::string(kBegin) + "\n";
    for (const std::string& name : servers) {
        result += "server " + name + " iburst\n";
    }
    for (const std::string& name : pools) {
        result += "pool " + name + " iburst\n";
    }
    return result + std::string(kEnd) + "\n";
}

}  // namespace

Result<void> set_timezone(const Machine& machine, const std::string& zone) {
    const std::string file = "/usr/share/zoneinfo/" + zone;
    const auto bytes = machine.read(file, 1u << 20);
    if (!bytes || !bytes->starts_with("TZif")) {
        return fail(ErrorKind::kUsage, "there is no time zone `{}` on this machine", zone);
    }
    const Fd etc = TARN_TRY(machine.open_path("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::string target = ".." + file;
    const char* trial = ".localtime.tarn";
    ::unlinkat(etc.get(), trial, 0);
    if (::symlinkat(target.c_str(), etc.get(), trial) != 0 ||
        ::renameat(etc.get(), trial, etc.get(), "localtime") != 0) {
        return fail(sys_error("make the link", "/etc/localtime"));
    }
    if (machine.exists("/etc/timezone")) {
        return machine.write("/etc/timezone", zone + "\n", 0644, Owner{});
    }
    return {};
}

Result<void> set_locale(const Machine& machine, const std::string& locale) {
    std::string text = "LANG=" + locale + "\n";
    const std::string old = machine.read("/etc/locale.conf", 65536).value_or("");
    for (const std::string_view line : split_lines(old)) {
        if (!line.starts_with("LANG=")) {
            text += std::string(line) + "\n";
        }
    }
    return machine.write("/etc/locale.conf", text, 0644, Owner{});
}

Result<void> set_time_servers(const Machine& machine,
                              const Tools& tools,
                              const std::vector<std::string>& servers,
                              const std::vector<std::string>& pools) {
    if (servers.empty() && pools.empty()) {
        return {};
    }
    const std::string systemctl = "/usr/bin/systemctl";
    for (const std::string path : {"/etc/chrony.conf", "/etc/chrony/chrony.conf"}) {
        auto text = machine.read(path, 1u << 20);
        if (!text) {
            continue;
        }
        TARN_TRY(machine.write(path, with_servers(*text, servers, pools), 0644, Owner{}));
        for (const char* unit : {"chronyd.service", "chrony.service"}) {
            static_cast<void>(tools.run(
                machine,
                {{systemctl, "--no-block", "--quiet", "try-restart", unit}, {}, false, {}}));
        }
        return {};
    }
    if (!machine.exists("/usr/lib/systemd/systemd-timesyncd")) {
        return fail(ErrorKind::kFailed,
                    "`ntp` is asked for, but there is neither chrony nor systemd-timesyncd");
    }
    std::vector<std::string> all = servers;
    all.insert(all.end(), pools.begin(), pools.end());
    TARN_TRY(machine.make_directory("/etc/systemd/timesyncd.conf.d", 0755, Owner{}));
    TARN_TRY(machine.write("/etc/systemd/timesyncd.conf.d/60-tarn-provision.conf",
                           "[Time]\nNTP=" + join(all, " ") + "\n",
                           0644,
                           Owner{}));
    static_cast<void>(
        tools.run(machine,
                  {{systemctl, "--no-block", "--quiet", "try-restart", "systemd-timesyncd.service"},
                   {},
                   false,
                   {}}));
    return {};
}

}  // namespace tarn::guest
