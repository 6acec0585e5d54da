// SPDX-License-Identifier: MIT
// mount, file, walk, setting.
#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/detail/change.hh"
#include "baseline/detail/facts.hh"
#include "baseline/detail/procedure.hh"

#include <algorithm>
#include <set>

namespace tarn::guest::baseline {
namespace {

Status passed(bool good) {
    return good ? Status::kPass : Status::kFail;
}

// ---- mount: path, options, separate, given

void add_mount(Judgement& out,
               const Rule& rule,
               const std::string& what,
               const std::vector<std::string>& has,
               const std::string& source) {
    std::vector<std::string> missing;
    for (const std::string& option : rule.list("options")) {
        if (std::ranges::find(has, option) == has.end()) {
            missing.push_back(option);
        }
    }
    out.add(passed(missing.empty()),
            what,
            missing.empty() ? join(has, ",") : "without " + join(missing, ", "),
            source);
}

// What mounts it at boot: fstab, else a unit of its own. False when nothing does.
bool judge_mount_at_boot(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string path = rule.text("path");
    for (const Mount& mount : facts.fstab()) {
        if (mount.point == path) {
            std::vector<std::string> options = mount.options;
            const auto& given = rule.list("given");
            options.insert(options.end(), given.begin(), given.end());
            add_mount(out, rule, path + ", at boot", options, "/etc/fstab");
            return true;
        }
    }
    const std::string unit = mount_unit_name(path);
    if (facts.unit_state(unit) != UnitState::kEnabled) {
        return false;
    }
    std::vector<std::string> options;
    std::string source;
    for (const Setting& setting : facts.unit_settings(unit)) {
        if (setting.section == "Mount" && setting.key == "Options") {
            options.clear();  // the last one counts
            for (const std::string_view one : split(setting.value, ',')) {
                options.emplace_back(trim(one));
            }
            source = setting.where;
        }
    }
    add_mount(out, rule, path + ", at boot", options, source);
    return true;
}

void judge_mount(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string path = rule.text("path");
    const bool required = rule.text("separate") == "required";
    out.expect((required ? "a file system of its own with " : "") +
               join(rule.list("options"), ", "));
    const bool at_boot = judge_mount_at_boot(facts, rule, out);
    if (!facts.target.live()) {
        if (!at_boot && !rule.list("given").empty()) {
            add_mount(out, rule, path, rule.list("given"), "systemd");
        } else if (!at_boot) {
            out.add(required ? Status::kFail : Status::kNotApplicable,
                    path,
                    "is no file system of its own");
        }
        return;
    }
    const auto& mounts = facts.mounts();
    if (!mounts) {
        out.add(Status::kError, path, mounts.error().message, "/proc/self/mountinfo");
        return;
    }
    const auto found = std::find_if(
        mounts->rbegin(), mounts->rend(), [&](const Mount& one) { return one.point == path; });
    if (found == mounts->rend()) {
        out.add(required || at_boot ? Status::kFail : Status::kNotApplicable,
                path,
                "is no file system of its own",
                "/proc/self/mountinfo");
        return;
    }
    if (found->type == "autofs") {
        out.add(Status::kInformational, path, "is mounted on demand", "/proc/self/mountinfo");
        return;
    }
    add_mount(out, rule, path + ", now", found->options, "/proc/self/mountinfo");
}

// ---- file: paths, mode, owners, groups, absent, directories

// Name or number of an owner, as `ls` shows it.
std::string owner_name(const Facts& facts, std::uint32_t uid) {
    if (uid == 0) {
        return "root";
    }
    const auto& accounts = facts.accounts();
    for (const Account& account : accounts ? *accounts : std::vector<Account>()) {
        if (account.uid == uid) {
            return account.name;
        }
    }
    return fmt::to_string(uid);
}

std::string group_name(const Facts& facts, std::uint32_t gid) {
    if (gid == 0) {
        return "root";
    }
    const auto& groups = facts.groups();
    for (const Group& group : groups ? *groups : std::vector<Group>()) {
        if (group.gid == gid) {
            return group.name;
        }
    }
    return fmt::to_string(gid);
}

bool one_of(const std::vector<std::string>& allowed, const std::string& name) {
    return allowed.empty() || std::ranges::find(allowed, name) != allowed.end();
}

bool wanted_kind(const Rule& rule, const FileInfo& info) {
    return rule.flag("directories") ? info.kind == FileKind::kDirectory
                                    : info.kind == FileKind::kFile;
}

bool hidden_by(const Rule& rule, const std::string& path) {
    return std::ranges::any_of(
        rule.list("except"), [&](const std::string& pattern) { return glob_match(pattern, path); });
}

void judge_file(const Facts& facts, const Rule& rule, Judgement& out) {
    const auto most = static_cast<std::uint32_t>(parse_u64(rule.text("mode"), 8).value_or(07777));
    const std::vector<std::string> owners =
        rule.list("owners").empty() ? std::vector<std::string>{"root"} : rule.list("owners");
    out.expect(fmt::format(
        "mode {:04o} or narrower, owner {}{}",
        most,
        join(owners, " or "),
        rule.list("groups").empty() ? "" : ", group " + join(rule.list("groups"), " or ")));
    const std::string absent = rule.text("absent", "notapplicable");
    for (const std::string& pattern : rule.list("paths")) {
        bool any = false;
        for (const std::string& path : expand(facts.target, pattern)) {
            const auto info = facts.target.info(path, Follow::kYes);
            if (!info && info.error().kind != ErrorKind::kNotFound) {
                out.add(Status::kError, path, info.error().message, path);
            }
            if (!info || !wanted_kind(rule, *info) || hidden_by(rule, path)) {
                continue;
            }
            any = true;
            const std::string owner = owner_name(facts, info->uid);
            const std::string group = group_name(facts, info->gid);
            const bool good = (info->mode & ~most) == 0 && one_of(owners, owner) &&
                              one_of(rule.list("groups"), group);
            out.add(
                passed(good), path, fmt::format("{:04o} {}:{}", info->mode, owner, group), path);
        }
        if (!any) {
            out.add(absent == "pass"   ? Status::kPass
                    : absent == "fail" ? Status::kFail
                                       : Status::kNotApplicable,
                    pattern,
                    "is not there",
                    pattern);
        }
    }
}

std::vector<Change> plan_file(const Facts& facts, const Rule& rule) {
    std::vector<Change> out;
    const auto most = parse_u64(rule.text("mode"), 8);
    if (!most) {
        return out;
    }
    for (const std::string& pattern : rule.list("paths")) {
        for (const std::string& path : expand(facts.target, pattern)) {
            const auto info = facts.target.info(path, Follow::kNo);
            if (!info || !wanted_kind(rule, *info) || hidden_by(rule, path)) {
                continue;
            }
            Change change;
            change.kind = Change::Kind::kMode;
            change.path = path;
            change.mode = info->mode & static_cast<std::uint32_t>(*most);  // never wider
            change.uid = info->uid;
            change.gid = info->gid;
            const auto& owners = rule.list("owners");
            if (owners.empty() || owners[0] == "root") {
                change.uid =
                    one_of(owners, owner_name(facts, info->uid)) && !owners.empty() ? info->uid : 0;
            }
            if (!one_of(rule.list("groups"), group_name(facts, info->gid)) &&
                rule.list("groups")[0] == "root") {
                change.gid = 0;
            }
            if (change.mode != info->mode || change.uid != info->uid || change.gid != info->gid) {
                out.push_back(std::move(change));
            }
        }
    }
    return out;
}

// ---- walk: check, allow

void add_places(Judgement& out,
                const WalkFacts::Places& places,
                const std::string& what,
                std::size_t looked_at) {
    if (places.count == 0) {
        out.add(Status::kPass, "files and directories", fmt::format("{} looked at", looked_at));
        return;
    }
    Evidence& evidence =
        out.add(Status::kFail, what, fmt::format("{}, first {}", places.count, places.some[0]));
    for (const std::string& path : places.some) {
        evidence.parts.push_back({path, Status::kFail, what, path});
    }
}

void judge_walk(const Facts& facts, const Rule& rule, Judgement& out) {
    const auto& walked = facts.walk();
    const std::string check = rule.text("check");
    if (!walked) {
        out.add(Status::kError, "file systems", walked.error().message);
        return;
    }
    if (check == "sticky") {
        out.expect("the sticky bit on every directory that all may write to");
        add_places(out, walked->no_sticky, "directories without it", walked->entries);
    } else if (check == "unowned") {
        out.expect("every file belongs to an account and a group that are there");
        add_places(out, walked->unowned, "files of nobody", walked->entries);
    } else if (check == "world-writable") {
        out.expect("no file that all may write to");
        add_places(out, walked->world_writable, "files that all may write to", walked->entries);
    } else if (check == "privileged") {
        out.expect("set-user-ID and set-group-ID only where it is known to be needed");
        WalkFacts::Places other;
        for (const std::string& path : walked->privileged_all) {
            const bool known = std::ranges::any_of(
                rule.list("allow"),
                [&](const std::string& pattern) { return glob_match(pattern, path); });
            if (!known) {
                other.add(path);
            }
        }
        add_places(out, other, "programs that should not", walked->entries);
    } else {
        out.add(Status::kError, "check", "`" + check + "` is no check of procedure walk");
    }
}

// ---- setting: files, drop-ins, format, section, key, flag, default, or-all, restart

std::optional<SettingFormat> format_of(const Rule& rule) {
    const std::string name = rule.text("format", "pairs");
    return name == "words"   ? std::optional(SettingFormat::kWords)
           : name == "pairs" ? std::optional(SettingFormat::kPairs)
           : name == "ini"   ? std::optional(SettingFormat::kIni)
                             : std::nullopt;
}

struct SettingFiles {
    std::vector<Setting> settings;
    std::optional<Error> problem;
    bool any = false;
};

SettingFiles read_settings(const Facts& facts, const Rule& rule, SettingFormat format) {
    SettingFiles out;
    const auto add = [&](const std::string& path) {
        const auto text = facts.target.read(path, 1u << 20);
        if (!text) {
            if (text.error().kind != ErrorKind::kNotFound) {
                out.problem = text.error();
            }
            return false;
        }
        for (Setting& one : parse_settings(*text, format, path)) {
            out.settings.push_back(std::move(one));
        }
        out.any = true;
        return true;
    };
    for (const std::string& path : rule.list("files")) {
        if (add(path)) {
            break;  // the first that is there hides the others
        }
    }
    for (const std::string& path : facts.drop_ins(rule.list("drop-ins"))) {
        add(path);
    }
    return out;
}

const Setting* last_of(const std::vector<Setting>& settings,
                       const std::string& section,
                       const std::string& key) {
    const Setting* found = nullptr;
    for (const Setting& one : settings) {
        if (one.key == key && (section.empty() || one.section == section)) {
            found = &one;
        }
    }
    return found;
}

// "minclass >= 4": every one of them holds.
bool all_hold(const std::vector<Setting>& settings, const std::vector<std::string>& terms) {
    return !terms.empty() && std::ranges::all_of(terms, [&](const std::string& term) {
        const std::size_t blank = term.find(' ');
        const auto expect =
            parse_expectation(blank == std::string::npos ? "" : term.substr(blank + 1));
        const Setting* setting = last_of(settings, "", term.substr(0, blank));
        return expect && setting != nullptr && expect->met(setting->value);
    });
}

void judge_setting(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string key = rule.text("key");
    out.expect(key + " " + rule.expect.text);
    const auto format = format_of(rule);
    if (!format) {
        out.add(Status::kError, "format", "`" + rule.text("format") + "` is no format");
        return;
    }
    const SettingFiles read = read_settings(facts, rule, *format);
    if (read.problem) {
        out.add(Status::kError, key, read.problem->message);
        return;
    }
    const Setting* setting = last_of(read.settings, rule.text("in"), key);
    if (all_hold(read.settings, rule.list("or-all"))) {
        out.add(Status::kPass, join(rule.list("or-all"), ", "), "is so");
    } else if (setting != nullptr) {
        const std::string value =
            rule.flag("flag") && setting->value.empty() ? "yes" : setting->value;
        out.add(passed(rule.expect.met(value)), key, value, setting->where);
    } else if (const std::string given = rule.text("default"); !given.empty()) {
        out.add(passed(rule.expect.met(given)), key, given + ", when it is not set");
    } else {
        out.add(Status::kFail,
                key,
                "is not set",
                rule.list("files").empty() ? "" : rule.list("files")[0]);
    }
}

std::vector<Change> plan_setting(const Facts& facts, const Rule& rule) {
    const auto format = format_of(rule);
    const std::string value = preferred(rule);
    if (!format || value.empty() || rule.flag("no-remedy")) {
        return {};
    }
    static_cast<void>(facts);
    Change change;
    change.kind = Change::Kind::kSetting;
    change.path = rule.list("drop-ins").empty()
                      ? rule.list("files").at(0)
                      : rule.list("drop-ins")[0] + "/99-tarn-baseline.conf";
    change.format = *format;
    change.section = rule.text("in");
    change.key = rule.text("key");
    change.value = rule.flag("flag") ? "" : value;
    if (const std::string unit = rule.text("restart"); !unit.empty()) {
        change.activate.push_back({"systemctl", "try-restart", unit});
    }
    return {change};
}

}  // namespace

std::vector<Procedure> file_procedures() {
    return {
        {"mount",
         {{"path", true}, {"options", true, true}, {"separate"}, {"given", false, true}},
         judge_mount},
        {"file",
         {{"paths", true, true},
          {"mode", true},
          {"owners", false, true},
          {"groups", false, true},
          {"except", false, true},
          {"absent"},
          {"directories"}},
         judge_file,
         plan_file},
        {"walk", {{"check", true}, {"allow", false, true}}, judge_walk},
        {"setting",
         {{"files", false, true},
          {"drop-ins", false, true},
          {"format"},
          {"in"},
          {"key", true},
          {"flag"},
          {"default"},
          {"or-all", false, true},
          {"restart"},
          {"no-remedy"},
          {"set"}},
         judge_setting,
         plan_setting,
         true},
    };
}

}  // namespace tarn::guest::baseline
