// SPDX-License-Identifier: MIT
// The files that rules are about, parsed. Pure; bytes may be anything: what is not understood is
// skipped as the program that owns the format skips it.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

// A value and where it was said ("/etc/sysctl.d/60-x.conf:3").
struct Said {
    std::string value;
    std::string where;
};

// ---- sysctl.d(5)
// "net.ipv4.conf.all" and "net/ipv4/conf/all" name the same; the form with '/'.
std::string sysctl_path(std::string_view key);
class SysctlConfig {
  public:
    // Files in the order in which they apply.
    void add(std::string_view text, const std::string& file);
    // The last that sets it; a pattern counts only where no line names the key itself.
    std::optional<Said> find(std::string_view key) const;

  private:
    std::map<std::string, Said> named_;
    std::vector<std::pair<std::string, Said>> patterns_;
    std::set<std::string> excluded_;
};

// ---- proc_pid_mountinfo(5), fstab(5), systemd.mount(5)
struct Mount {
    std::string point, source, type;
    std::vector<std::string> options;  // of the mount and of the file system
    bool has(std::string_view option) const;
};
std::vector<Mount> parse_mountinfo(std::string_view text);  // malformed lines are left out
std::vector<Mount> parse_fstab(std::string_view text);
std::string mount_unit_name(std::string_view path);  // "/var/tmp" -> "var-tmp.mount"

// ---- sshd_config(5)
struct SshdOption {
    std::string keyword;  // lower case
    std::string value;    // arguments, one blank between
    std::string match;    // criteria of the Match block it is in; empty: global
    std::string where;
};
// Include is followed through `read_pattern`, which gives the files that match, with their texts.
using SshdFiles = std::vector<std::pair<std::string, std::string>>;
using SshdInclude = std::function<Result<SshdFiles>(const std::string& pattern)>;
// kCorrupt: nested too deep, or too much.
Result<std::vector<SshdOption>> parse_sshd(std::string_view text,
                                           const std::string& file,
                                           const SshdInclude& include);

// ---- KEY VALUE and KEY = VALUE files, with [sections] or without
enum class SettingFormat {
    kWords,  // login.defs(5): "KEY value"
    kPairs,  // "key = value", "key=value", "key"
    kIni,    // "[section]" and "key=value"
};
struct Setting {
    std::string section, key, value, where;
};
std::vector<Setting> parse_settings(std::string_view text,
                                    SettingFormat format,
                                    const std::string& file);

// ---- passwd(5), shadow(5), group(5)
struct Account {
    std::string name, home, shell;
    std::optional<std::uint32_t> uid, gid;
    std::string where;
};
struct Shadow {
    std::string name, hash;
    std::optional<long> min, max, warn, inactive;
    std::string where;
};
struct Group {
    std::string name, password;
    std::optional<std::uint32_t> gid;
    std::vector<std::string> members;
    std::string where;
};
std::vector<Account> parse_passwd(std::string_view text);
std::vector<Shadow> parse_shadow(std::string_view text);
std::vector<Group> parse_group(std::string_view text);

// ---- pam.d(5)
struct PamLine {
    std::string type, control, module;
    std::vector<std::string> arguments;
    std::string where;
};
std::vector<PamLine> parse_pam(std::string_view text, const std::string& file);

// ---- modprobe.d(5); names with '_'
struct ModprobeConfig {
    std::map<std::string, Said> installs;  // module -> command
    std::map<std::string, Said> blacklisted;
    void add(std::string_view text, const std::string& file);
};
std::string module_name(std::string_view name);

// ---- audit.rules(7)
struct AuditRule {
    std::string list, action;           // "exit", "always"
    std::string path;                   // -w, -F path=, -F dir=
    std::string permissions;            // of -p, -F perm=
    std::vector<std::string> syscalls;  // "all" too
    std::string arch;                   // "b64", "b32", ""
    std::string where;
};
struct AuditRules {
    std::vector<AuditRule> rules;
    std::string enabled;  // of the last -e
    std::string backlog;  // of the last -b
    void add(std::string_view text, const std::string& file);
};

// ---- sudoers(5)
struct SudoersLine {
    bool defaults = false;
    std::string text;  // "use_pty"; "ALL=(ALL) NOPASSWD: ALL"
    std::string who;
    std::string where;
};
std::vector<SudoersLine> parse_sudoers(std::string_view text, const std::string& file);

// ---- /proc/net/{tcp,udp}[6]
struct ListeningSocket {
    std::string protocol;  // "tcp", "udp"
    std::uint16_t port = 0;
    bool local = false;  // bound to loopback
};
std::vector<ListeningSocket> parse_sockets(std::string_view text, std::string_view protocol);

// ---- kernel configuration and command line
std::map<std::string, std::string> parse_kernel_config(std::string_view text);
std::vector<std::string> parse_arguments(std::string_view text);

}  // namespace tarn::guest::baseline
