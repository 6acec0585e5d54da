// SPDX-License-Identifier: MIT
#include "baseline/detail/facts.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <sys/utsname.h>
#include <zlib.h>

#include <algorithm>
#include <set>

namespace tarn::guest::baseline {
namespace {

template <class T, class Make>
const T& once(std::unique_ptr<T>& slot, Make make) {
    if (!slot) {
        slot = std::make_unique<T>(make());
    }
    return *slot;
}

template <class T>
Result<std::vector<T>> parsed(const Target& target,
                              const char* path,
                              std::vector<T> (*parse)(std::string_view)) {
    const std::string text = TARN_TRY(target.read(path));
    return parse(text);
}

// The kernel's own configuration, a gzip file of some 50 KiB; a bomb ends at the limit.
Result<std::string> gunzip(const std::string& bytes, std::size_t limit) {
    z_stream stream{};
    if (inflateInit2(&stream, 31) != Z_OK) {
        return fail(ErrorKind::kFailed, "zlib cannot start");
    }
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::string out;
    int status = Z_OK;
    while (status == Z_OK && out.size() < limit) {
        const std::size_t before = out.size();
        out.resize(before + (64u << 10));
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream.avail_out = 64u << 10;
        status = inflate(&stream, Z_NO_FLUSH);
        out.resize(out.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END) {
        return fail(ErrorKind::kCorrupt, "not a gzip file, or too large");
    }
    return out;
}

constexpr const char* kUnitDirectories[] = {"/etc/systemd/system",
                                            "/run/systemd/system",
                                            "/usr/local/lib/systemd/system",
                                            "/usr/lib/systemd/system"};

// Users that systemd makes for a service while it runs (DynamicUser=) keep their files.
bool is_dynamic(std::uint32_t id) {
    return id >= 61184 && id <= 65519;
}

// A file that is not there is an empty one here: rules about its existence are rules about files.
std::string text_or_empty(const Target& target, const std::string& path) {
    auto text = target.read(path, 8u << 20);
    return text ? std::move(*text) : std::string();
}

}  // namespace

std::vector<std::string> expand(const Target& target, const std::string& pattern) {
    std::vector<std::string> found = {""};
    for (const std::string_view part : split(pattern, '/')) {
        if (part.empty()) {
            continue;
        }
        const std::string name(part);
        std::vector<std::string> next;
        for (const std::string& directory : found) {
            if (name.find_first_of("*?[") == std::string::npos) {
                next.push_back(directory + "/" + name);
                continue;
            }
            const auto names = target.list(directory.empty() ? "/" : directory);
            for (const std::string& one : names ? *names : std::vector<std::string>()) {
                if (glob_match(name, one) && (one[0] != '.' || name[0] == '.')) {
                    next.push_back(directory + "/" + one);
                }
            }
        }
        found = std::move(next);
    }
    std::erase_if(found, [&](const std::string& path) {
        return !target.info(path, Follow::kNo).has_value();
    });
    return found;
}

void WalkFacts::Places::add(const std::string& path) {
    ++count;
    if (some.size() < kWalkLimit) {
        some.push_back(path);
    }
}

bool Facts::has_role(std::string_view role) const {
    return std::ranges::find(roles, role) != roles.end();
}

std::vector<std::string> Facts::drop_ins(const std::vector<std::string>& directories,
                                         std::string_view suffix) const {
    std::map<std::string, std::string> by_name;
    for (const std::string& directory : directories) {
        const auto names = target.list(directory);
        if (!names) {
            continue;
        }
        for (const std::string& name : *names) {
            if (name.ends_with(suffix)) {
                by_name.emplace(name, directory + "/" + name);
            }
        }
    }
    std::vector<std::string> out;
    for (auto& [name, path] : by_name) {
        out.push_back(std::move(path));
    }
    return out;
}

const SysctlConfig& Facts::sysctl() const {
    return once(sysctl_, [&] {
        SysctlConfig config;
        for (const std::string& path : drop_ins({"/etc/sysctl.d",
                                                 "/run/sysctl.d",
                                                 "/usr/local/lib/sysctl.d",
                                                 "/usr/lib/sysctl.d"})) {
            config.add(text_or_empty(target, path), path);
        }
        return config;
    });
}

const Result<std::vector<Mount>>& Facts::mounts() const {
    return once(mounts_, [&]() -> Result<std::vector<Mount>> {
        if (!target.live()) {
            return fail(ErrorKind::kNotFound, "not a live machine");
        }
        return parsed<Mount>(target, "/proc/self/mountinfo", parse_mountinfo);
    });
}

const std::vector<Mount>& Facts::fstab() const {
    return once(fstab_, [&] { return parse_fstab(text_or_empty(target, "/etc/fstab")); });
}

const Result<std::vector<SshdOption>>& Facts::sshd() const {
    return once(sshd_, [&]() -> Result<std::vector<SshdOption>> {
        const std::string path = "/etc/ssh/sshd_config";
        const SshdInclude include = [&](const std::string& pattern) -> Result<SshdFiles> {
            SshdFiles files;
            for (const std::string& one : expand(target, absolute_path(pattern, "/etc/ssh"))) {
                files.emplace_back(one, TARN_TRY(target.read(one, 1u << 20)));
            }
            return files;
        };
        const std::string text = TARN_TRY(target.read(path, 1u << 20));
        return parse_sshd(text, path, include);
    });
}

const ModprobeConfig& Facts::modprobe() const {
    return once(modprobe_, [&] {
        ModprobeConfig config;
        for (const std::string& path : drop_ins({"/etc/modprobe.d",
                                                 "/run/modprobe.d",
                                                 "/usr/local/lib/modprobe.d",
                                                 "/usr/lib/modprobe.d"})) {
            config.add(text_or_empty(target, path), path);
        }
        return config;
    });
}

const Result<std::vector<Account>>& Facts::accounts() const {
    return once(accounts_, [&] { return parsed<Account>(target, "/etc/passwd", parse_passwd); });
}

const Result<std::vector<Shadow>>& Facts::shadows() const {
    return once(shadows_, [&] { return parsed<Shadow>(target, "/etc/shadow", parse_shadow); });
}

const Result<std::vector<Group>>& Facts::groups() const {
    return once(groups_, [&] { return parsed<Group>(target, "/etc/group", parse_group); });
}

const std::string& Facts::kernel_release() const {
    return once(release_, [&]() -> std::string {
        utsname name{};
        if (target.live() && ::uname(&name) == 0) {
            return name.release;
        }
        const auto kernels = target.list("/usr/lib/modules");
        return kernels && !kernels->empty() ? kernels->back() : std::string();
    });
}

const Result<std::map<std::string, std::string>>& Facts::kernel_config() const {
    return once(kernel_config_, [&]() -> Result<std::map<std::string, std::string>> {
        if (target.live()) {
            if (const auto packed = target.read("/proc/config.gz", 4u << 20)) {
                return parse_kernel_config(TARN_TRY(gunzip(*packed, 4u << 20)));
            }
        }
        const std::string& release = kernel_release();
        for (const std::string& path :
             {"/usr/lib/modules/" + release + "/config", "/boot/config-" + release}) {
            if (const auto text = target.read(path, 4u << 20); text && !release.empty()) {
                return parse_kernel_config(*text);
            }
        }
        return fail(ErrorKind::kNotFound, "the kernel's configuration is not here");
    });
}

const Result<std::vector<std::string>>& Facts::arguments() const {
    return once(arguments_, [&]() -> Result<std::vector<std::string>> {
        return parse_arguments(TARN_TRY(target.command_line()));
    });
}

const AuditRules& Facts::audit_rules() const {
    return once(audit_rules_, [&] {
        AuditRules rules;
        for (const std::string& path : drop_ins({"/etc/audit/rules.d"}, ".rules")) {
            rules.add(text_or_empty(target, path), path);
        }
        return rules;
    });
}

const Result<AuditState>& Facts::audit() const {
    return once(audit_, [&] { return target.audit(); });
}

const Result<std::vector<Package>>& Facts::packages() const {
    return once(packages_, [&] { return target.packages(); });
}

const Result<WalkFacts>& Facts::walk() const {
    return once(walk_, [&]() -> Result<WalkFacts> {
        std::set<std::uint32_t> uids;
        std::set<std::uint32_t> gids;
        for (const Account& account : accounts() ? *accounts() : std::vector<Account>()) {
            uids.insert(account.uid.value_or(0));
        }
        for (const Group& group : groups() ? *groups() : std::vector<Group>()) {
            gids.insert(group.gid.value_or(0));
        }
        WalkFacts facts;
        TARN_TRY(target.walk([&](const std::string& path, const FileInfo& info) {
            ++facts.entries;
            if ((!uids.contains(info.uid) && !is_dynamic(info.uid)) ||
                (!gids.contains(info.gid) && !is_dynamic(info.gid))) {
                facts.unowned.add(path);
            }
            if (info.kind == FileKind::kDirectory && (info.mode & 01002) == 02) {
                facts.no_sticky.add(path);
            } else if (info.kind == FileKind::kFile && (info.mode & 02) != 0) {
                facts.world_writable.add(path);
            }
            if (info.kind == FileKind::kFile && (info.mode & 06000) != 0 &&
                (info.mode & 0111) != 0) {
                facts.privileged.add(path);
                facts.privileged_all.push_back(path);
            }
        }));
        return facts;
    });
}

const std::vector<SudoersLine>& Facts::sudoers() const {
    return once(sudoers_, [&] {
        std::vector<SudoersLine> all =
            parse_sudoers(text_or_empty(target, "/etc/sudoers"), "/etc/sudoers");
        for (const std::string& path : expand(target, "/etc/sudoers.d/*")) {
            const std::string name = file_name(path);
            if (name.find('.') != std::string::npos || name.ends_with('~')) {
                continue;  // sudo passes these over
            }
            for (SudoersLine& line : parse_sudoers(text_or_empty(target, path), path)) {
                all.push_back(std::move(line));
            }
        }
        return all;
    });
}

const std::map<std::string, UnitState>& Facts::units() const {
    return once(units_, [&] {
        std::map<std::string, UnitState> out;
        const auto raise = [&](const std::string& unit, UnitState state) {
            UnitState& now = out.try_emplace(unit, state).first->second;
            now = std::max(now, state);
        };
        for (const std::string directory : kUnitDirectories) {
            const auto names = target.list(directory);
            if (!names) {
                continue;
            }
            for (const std::string& name : *names) {
                const std::string path = directory + "/" + name;
                if (name.ends_with(".wants") || name.ends_with(".requires")) {
                    const auto wanted = target.list(path);
                    for (const auto& unit : wanted ? *wanted : std::vector<std::string>()) {
                        raise(unit, UnitState::kEnabled);
                    }
                    continue;
                }
                const auto link = target.link(path);
                if (!link) {
                    raise(name, UnitState::kDisabled);
                } else if (*link == "/dev/null") {
                    raise(name, UnitState::kMasked);
                } else {
                    raise(name, UnitState::kDisabled);
                    if (directory.starts_with("/etc") && file_name(*link) != name) {
                        raise(file_name(*link), UnitState::kEnabled);  // an alias
                    }
                }
            }
        }
        return out;
    });
}

UnitState Facts::unit_state(const std::string& unit) const {
    const auto found = units().find(unit);
    if (found == units().end()) {
        return UnitState::kMissing;
    }
    // A link in a .wants directory to a unit that is not installed starts nothing.
    if (found->second == UnitState::kEnabled) {
        const std::size_t at = unit.find('@');
        const std::string file =
            at == std::string::npos ? unit : unit.substr(0, at + 1) + unit.substr(unit.rfind('.'));
        const bool there = std::ranges::any_of(kUnitDirectories, [&](const std::string directory) {
            return target.info(directory + "/" + file, Follow::kNo).has_value() ||
                   target.info(directory + "/" + unit, Follow::kNo).has_value();
        });
        return there ? UnitState::kEnabled : UnitState::kMissing;
    }
    return found->second;
}

bool Facts::unit_runs(const std::string& unit) const {
    return target.exists("/sys/fs/cgroup/system.slice/" + unit);
}

std::vector<Setting> Facts::unit_settings(const std::string& unit) const {
    std::vector<Setting> out;
    const auto add = [&](const std::string& path) {
        for (Setting& one :
             parse_settings(text_or_empty(target, path), SettingFormat::kIni, path)) {
            out.push_back(std::move(one));
        }
    };
    std::vector<std::string> drop_in_directories;
    for (const std::string directory : kUnitDirectories) {
        const std::string path = directory + "/" + unit;
        if (out.empty() && target.exists(path)) {
            add(path);
        }
        drop_in_directories.push_back(path + ".d");
    }
    for (const std::string& path : drop_ins(drop_in_directories)) {
        add(path);
    }
    return out;
}

}  // namespace tarn::guest::baseline
