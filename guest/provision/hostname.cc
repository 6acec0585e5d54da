// SPDX-License-Identifier: MIT
#include "provision/hostname.hh"

#include "base/strings.hh"

#include "provision/names.hh"
#include <unistd.h>

namespace tarn::guest {
namespace {

constexpr std::string_view kBegin = "# tarn-provision: manage_etc_hosts";
constexpr std::string_view kEnd = "# tarn-provision: end";

}  // namespace

HostName host_name(const std::string& hostname, const std::string& fqdn, bool prefer_fqdn) {
    HostName result;
    result.fqdn = fqdn;
    if (result.fqdn.empty() && contains(hostname, ".")) {
        result.fqdn = hostname;
    }
    const std::string label = hostname.empty() || contains(hostname, ".")
                                  ? result.fqdn.substr(0, result.fqdn.find('.'))
                                  : hostname;
    result.name = prefer_fqdn && !result.fqdn.empty() ? result.fqdn : label;
    return result;
}

Result<void> set_hostname(const Machine& machine, const HostName& name) {
    if (name.name.empty()) {
        return {};
    }
    if (const std::string why = why_no_hostname(name.name); !why.empty()) {
        return fail(ErrorKind::kUsage, "the machine cannot be called so: {}", why);
    }
    if (name.write_file) {
        TARN_TRY(machine.write("/etc/hostname", name.name + "\n", 0644, Owner{}));
    }
    if (machine.is_live() && ::sethostname(name.name.c_str(), name.name.size()) != 0) {
        return fail(sys_error("set", "the host name"));
    }
    return {};
}

Result<void> manage_hosts(const Machine& machine, const HostName& name) {
    if (name.name.empty()) {
        return {};
    }
    auto old = machine.read("/etc/hosts", 1u << 20);
    if (!old && old.error().kind != ErrorKind::kNotFound) {
        return fail(std::move(old.error()));
    }
    const std::string before = old ? *old : std::string("127.0.0.1 localhost\n::1 localhost\n");
    std::string text;
    bool ours = false;
    for (const std::string_view line : split_lines(before)) {
        if (line == kBegin) {
            ours = true;
        } else if (line == kEnd) {
            ours = false;
        } else if (!ours) {
            text += std::string(line) + "\n";
        }
    }
    const std::string label = name.name.substr(0, name.name.find('.'));
    const std::string full = name.fqdn.empty() ? name.name : name.fqdn;
    text += fmt::format(
        "{}\n127.0.1.1 {}\n{}\n", kBegin, full == label ? label : full + " " + label, kEnd);
    if (old && text == *old) {
        return {};
    }
    return machine.write("/etc/hosts", text, 0644, Owner{});
}

}  // namespace tarn::guest
