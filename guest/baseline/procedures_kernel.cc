// SPDX-License-Identifier: MIT
// sysctl, module, kernel, secure-boot, text.
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

// ---- sysctl: keys, expect, expect-with-more-nics, default

std::string proc_path(const std::string& key) {
    return "/proc/sys/" + sysctl_path(key);
}

std::size_t count_nics(const Target& target) {
    const auto names = target.list("/sys/class/net");
    std::size_t count = 0;
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
        count += target.exists("/sys/class/net/" + name + "/device") ? 1U : 0U;
    }
    return count;
}

Expectation sysctl_expectation(const Facts& facts, const Rule& rule) {
    const std::string more = rule.text("expect-with-more-nics");
    if (!more.empty() && facts.target.live() && count_nics(facts.target) > 1) {
        if (auto parsed = parse_expectation(more)) {
            return *parsed;
        }
    }
    return rule.expect;
}

void judge_persistent(const Facts& facts,
                      const Rule& rule,
                      const Expectation& expect,
                      const std::string& key,
                      Judgement& out) {
    const std::string what = key + ", at boot";
    if (const auto said = facts.sysctl().find(key)) {
        out.add(passed(expect.met(said->value)), what, said->value, said->where);
    } else if (const std::string given = rule.text("default"); !given.empty()) {
        out.add(passed(expect.met(given)), what, given + ", the kernel's own value");
    } else {
        out.add(Status::kFail, what, "set by no file of sysctl.d");
    }
    // procps applies it after all others, systemd not at all: it must not say the opposite.
    const auto text = facts.target.read("/etc/sysctl.conf", 1u << 20);
    const auto info = facts.target.info("/etc/sysctl.conf", Follow::kNo);
    if (text && info) {
        SysctlConfig config;
        config.add(*text, "/etc/sysctl.conf");
        const auto said = config.find(key);
        if (said && !expect.met(said->value)) {
            out.add(Status::kFail, what, said->value, said->where);
        }
    }
}

void judge_sysctl(const Facts& facts, const Rule& rule, Judgement& out) {
    const Expectation expect = sysctl_expectation(facts, rule);
    out.expect(expect.text);
    for (const std::string& key : rule.list("keys")) {
        if (facts.target.live()) {
            const std::string path = proc_path(key);
            const auto value = facts.target.read(path, 64u << 10);
            if (!value) {
                if (value.error().kind != ErrorKind::kNotFound) {
                    out.add(Status::kError, key + ", now", value.error().message, path);
                } else if (rule.flag("required")) {
                    out.add(Status::kFail, key + ", now", "the kernel has no such setting", path);
                } else {
                    out.add(Status::kNotApplicable, key, "the kernel has no such setting", path);
                }
                continue;
            }
            const std::string now(trim(*value));
            out.add(passed(expect.met(now)), key + ", now", now, path);
        }
        if (!rule.flag("runtime-only")) {
            judge_persistent(facts, rule, expect, key, out);
        } else if (!facts.target.live()) {
            out.add(Status::kNotChecked, key, "is known of a running machine only");
        }
    }
}

std::vector<Change> plan_sysctl(const Facts& facts, const Rule& rule) {
    std::vector<Change> out;
    const std::string value = preferred(rule);
    const Expectation expect = sysctl_expectation(facts, rule);
    for (const std::string& key : rule.list("keys")) {
        const auto now = facts.target.read(proc_path(key), 64u << 10);
        if (value.empty() || (facts.target.live() && !now)) {
            continue;
        }
        const auto said = facts.sysctl().find(key);
        if (!said || !expect.met(said->value)) {
            Change line;
            line.path = "/etc/sysctl.d/99-tarn-baseline.conf";
            line.key = key;
            line.value = key + " = " + value;
            out.push_back(std::move(line));
        }
        if (now && !expect.met(trim(*now))) {
            Change runtime;
            runtime.kind = Change::Kind::kRuntime;
            runtime.path = proc_path(key);
            runtime.value = value;
            out.push_back(std::move(runtime));
        }
    }
    return out;
}

// ---- module: modules

bool refuses(std::string_view command) {
    const auto words = split_words(command);
    const std::string program = words.empty() ? "" : file_name(words[0]);
    return program == "false" || program == "true";
}

// Whether any module of the tree is called so; true when it cannot be told.
bool may_exist(const Facts& facts, const std::string& name) {
    const std::string base = "/usr/lib/modules/" + facts.kernel_release();
    const auto modules = facts.target.read(base + "/modules.dep", 16u << 20);
    if (!modules || facts.kernel_release().empty()) {
        return true;
    }
    for (const std::string_view line : split_lines(*modules)) {
        const std::string_view path = line.substr(0, line.find(':'));
        const std::string_view file = path.substr(path.rfind('/') + 1);
        if (module_name(file.substr(0, file.find(".ko"))) == name) {
            return true;
        }
    }
    return false;
}

bool is_loaded(const Facts& facts, const std::string& name) {
    return facts.target.live() && facts.target.exists("/sys/module/" + name + "/initstate");
}

void judge_module(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("cannot be loaded: `install NAME /bin/false` and `blacklist NAME`");
    const ModprobeConfig& config = facts.modprobe();
    for (const std::string& module : rule.list("modules")) {
        const std::string name = module_name(module);
        if (is_loaded(facts, name)) {
            out.add(Status::kFail, module, "is loaded", "/proc/modules");
            continue;
        }
        const auto install = config.installs.find(name);
        const bool installed = install != config.installs.end() && refuses(install->second.value);
        const auto listed = config.blacklisted.find(name);
        if (installed && listed != config.blacklisted.end()) {
            out.add(Status::kPass, module, "cannot be loaded", install->second.where);
        } else if (!may_exist(facts, name)) {
            out.add(Status::kPass,
                    module,
                    "this kernel has no such module",
                    "/usr/lib/modules/" + facts.kernel_release() + "/modules.dep");
        } else if (installed) {
            out.add(Status::kFail, module, "is not blacklisted", install->second.where);
        } else {
            out.add(Status::kFail, module, "can be loaded");
        }
    }
}

std::vector<Change> plan_module(const Facts& facts, const Rule& rule) {
    std::vector<Change> out;
    for (const std::string& module : rule.list("modules")) {
        for (const std::string word : {"blacklist ", "install "}) {
            Change change;
            change.path = "/etc/modprobe.d/99-tarn-baseline.conf";
            change.key = word + module;
            change.value = word + module + (word[0] == 'i' ? " /bin/false" : "");
            change.reboot = is_loaded(facts, module_name(module));
            out.push_back(std::move(change));
        }
    }
    return out;
}

// ---- kernel: any, all, none of terms
//   CONFIG_X=y|m  CONFIG_X!=y  arg:word  arg:name=value  arg:name>=number  lockdown:integrity
//   module.parameter: "parameter:module.sig_enforce=Y"

enum class Truth { kYes, kNo, kUnknown };

Truth argument_holds(const std::vector<std::string>& arguments, const std::string& term) {
    const std::size_t at_least = term.find(">=");
    if (at_least == std::string::npos) {
        return std::ranges::find(arguments, term) != arguments.end() ? Truth::kYes : Truth::kNo;
    }
    const std::string name = term.substr(0, at_least) + "=";
    const auto bound = parse_u64(term.substr(at_least + 2));
    Truth truth = Truth::kNo;
    for (const std::string& one : arguments) {
        if (one.starts_with(name)) {  // the last one counts
            const auto value = parse_u64(one.substr(name.size()));
            truth = value && bound && *value >= *bound ? Truth::kYes : Truth::kNo;
        }
    }
    return truth;
}

Truth config_holds(const Facts& facts, const std::string& term) {
    const auto& config = facts.kernel_config();
    if (!config) {
        return Truth::kUnknown;
    }
    const bool negated = term.find("!=") != std::string::npos;
    const std::size_t sign = term.find(negated ? "!=" : "=");
    const auto found = config->find(term.substr(0, sign));
    const std::string value = found == config->end() ? "n" : found->second;
    const auto allowed = split(std::string_view(term).substr(sign + (negated ? 2 : 1)), '|');
    const bool is = std::ranges::find(allowed, value) != allowed.end();
    return is != negated ? Truth::kYes : Truth::kNo;
}

Truth holds(const Facts& facts, const std::string& term, std::string& source) {
    const std::size_t colon = term.find(':');
    const std::string kind = colon == std::string::npos ? "" : term.substr(0, colon);
    const std::string rest = term.substr(colon + 1);
    if (term.starts_with("CONFIG_")) {
        source = "the kernel's configuration";
        return config_holds(facts, term);
    }
    if (kind == "arg") {
        source = "the kernel's command line";
        return facts.arguments() ? argument_holds(*facts.arguments(), rest) : Truth::kUnknown;
    }
    if (kind == "lockdown") {
        source = "/sys/kernel/security/lockdown";
        const auto text = facts.target.read(source, 4096);
        if (!text) {
            return facts.target.live() && text.error().kind == ErrorKind::kNotFound
                       ? Truth::kNo
                       : Truth::kUnknown;
        }
        return contains(*text, "[" + rest + "]") || contains(*text, "[confidentiality]")
                   ? Truth::kYes
                   : Truth::kNo;
    }
    if (kind == "parameter") {
        const std::size_t dot = rest.find('.');
        const std::size_t sign = rest.find('=');
        if (dot == std::string::npos || sign == std::string::npos || sign < dot) {
            return Truth::kUnknown;
        }
        source = "/sys/module/" + rest.substr(0, dot) + "/parameters/" +
                 rest.substr(dot + 1, sign - dot - 1);
        const auto value = facts.target.read(source, 4096);
        return !value ? facts.target.live() ? Truth::kNo : Truth::kUnknown
               : trim(*value) == rest.substr(sign + 1) ? Truth::kYes
                                                       : Truth::kNo;
    }
    source = "";
    return Truth::kUnknown;
}

void add_truth(Judgement& out, const Facts& facts, const std::string& term, bool wanted) {
    std::string source;
    switch (holds(facts, term, source)) {
        case Truth::kYes:
            out.add(passed(wanted), term, "is so", source);
            return;
        case Truth::kNo:
            out.add(passed(!wanted), term, "is not so", source);
            return;
        case Truth::kUnknown:
            break;
    }
    out.add(
        facts.target.live() ? Status::kError : Status::kNotChecked, term, "is not known", source);
}

void judge_kernel(const Facts& facts, const Rule& rule, Judgement& out) {
    const auto& any = rule.list("any");
    std::vector<std::string> expected;
    if (!any.empty()) {
        expected.push_back("one of " + join(any, ", "));
        bool unknown = false;
        bool found = false;
        for (const std::string& term : any) {
            std::string source;
            const Truth truth = holds(facts, term, source);
            unknown = unknown || truth == Truth::kUnknown;
            if (truth == Truth::kYes) {
                out.add(Status::kPass, term, "is so", source);
                found = true;
                break;
            }
        }
        if (!found) {
            out.add(!unknown              ? Status::kFail
                    : facts.target.live() ? Status::kError
                                          : Status::kNotChecked,
                    join(any, ", "),
                    unknown ? "is not known" : "none of them is so");
        }
    }
    for (const std::string& term : rule.list("all")) {
        add_truth(out, facts, term, true);
    }
    for (const std::string& term : rule.list("none")) {
        add_truth(out, facts, term, false);
    }
    if (!rule.list("all").empty()) {
        expected.push_back(join(rule.list("all"), ", "));
    }
    if (!rule.list("none").empty()) {
        expected.push_back("none of " + join(rule.list("none"), ", "));
    }
    out.expect(join(expected, "; "));
    // What the boot loader could be asked for as well.
    for (const std::string& path : expand(facts.target, "/boot/loader/entries/*.conf")) {
        const auto text = facts.target.read(path, 64u << 10);
        for (const std::string_view line : split_lines(text ? std::string_view(*text) : "")) {
            const auto words = line.starts_with("options ") ? parse_arguments(line.substr(8))
                                                            : std::vector<std::string>();
            for (const std::string& term : rule.list("none")) {
                if (term.starts_with("arg:") &&
                    argument_holds(words, term.substr(4)) == Truth::kYes) {
                    out.add(Status::kFail, term, "a boot entry has it", path);
                }
            }
        }
    }
}

// ---- secure-boot

constexpr const char* kGlobalVariable = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";

void judge_secure_boot(const Facts& facts, const Rule& rule, Judgement& out) {
    static_cast<void>(rule);
    out.expect("SecureBoot 1, SetupMode 0");
    if (!facts.target.live()) {
        out.add(Status::kNotChecked, "Secure Boot", "is known of a running machine only");
        return;
    }
    if (!facts.target.exists("/sys/firmware/efi")) {
        out.add(Status::kFail, "Secure Boot", "the machine was not started by UEFI");
        return;
    }
    for (const auto& [name, wanted] : {std::pair{"SecureBoot", 1}, {"SetupMode", 0}}) {
        const std::string path = std::string("/sys/firmware/efi/efivars/") + name + kGlobalVariable;
        const auto bytes = facts.target.read(path, 4096);
        if (!bytes) {
            out.add(status_of(bytes.error(), Status::kFail), name, bytes.error().message, path);
        } else if (bytes->size() < 5) {  // four bytes of attributes go before the value
            out.add(Status::kError, name, "the variable is too short", path);
        } else {
            const int value = static_cast<unsigned char>((*bytes)[4]);
            out.add(passed(value == wanted), name, fmt::to_string(value), path);
        }
    }
}

// ---- text: paths, expect, contains, lacks, selected, mask, absent

void judge_content(const Rule& rule, const std::string& path, std::string text, Judgement& out) {
    if (rule.flag("selected")) {  // "none [integrity] confidentiality"
        const std::size_t open = text.find('[');
        const std::size_t close = text.find(']', open);
        text = close == std::string::npos ? text : text.substr(open + 1, close - open - 1);
    }
    const std::string shown = text.substr(0, text.find('\n')).substr(0, 200);
    if (const auto mask = parse_u64(rule.text("mask"))) {
        const auto value = parse_u64(trim(text));
        out.add(value ? passed((*value & *mask) == 0) : Status::kError, path, shown, path);
        return;
    }
    bool good = rule.expect.text.empty() || rule.expect.met(trim(text));
    for (const std::string& part : rule.list("contains")) {
        good = good && contains(text, part);
    }
    for (const std::string& part : rule.list("lacks")) {
        good = good && !contains(text, part);
    }
    out.add(passed(good), path, shown, path);
}

void judge_text(const Facts& facts, const Rule& rule, Judgement& out) {
    std::vector<std::string> expected;
    if (!rule.expect.text.empty()) {
        expected.push_back(rule.expect.text);
    }
    if (!rule.list("contains").empty()) {
        expected.push_back("has " + join(rule.list("contains"), ", "));
    }
    if (!rule.list("lacks").empty()) {
        expected.push_back("lacks " + join(rule.list("lacks"), ", "));
    }
    if (!rule.text("mask").empty()) {
        expected.push_back("no bit of " + rule.text("mask"));
    }
    out.expect(join(expected, "; "));
    const std::string absent = rule.text("absent", "notapplicable");
    for (const std::string& pattern : rule.list("paths")) {
        const bool runtime = pattern.starts_with("/proc/") || pattern.starts_with("/sys/");
        if (runtime && !facts.target.live()) {
            out.add(Status::kNotChecked, pattern, "is known of a running machine only");
            continue;
        }
        const auto found = expand(facts.target, pattern);
        for (const std::string& path : found) {
            auto text = facts.target.read(path, 1u << 20);
            if (text) {
                judge_content(rule, path, std::move(*text), out);
            } else {
                out.add(Status::kError, path, text.error().message, path);
            }
        }
        if (found.empty()) {
            out.add(absent == "pass"   ? Status::kPass
                    : absent == "fail" ? Status::kFail
                                       : Status::kNotApplicable,
                    pattern,
                    "is not there",
                    pattern);
        }
    }
}

}  // namespace

std::string preferred(const Rule& rule) {
    if (const std::string set = rule.text("set"); !set.empty()) {
        return set;
    }
    using Kind = Expectation::Kind;
    const Expectation& expect = rule.expect;
    return expect.kind == Kind::kOneOf || expect.kind == Kind::kAtLeast ||
                   expect.kind == Kind::kAtMost
               ? expect.values[0]
               : std::string();
}

std::vector<Procedure> kernel_procedures() {
    return {
        {"sysctl",
         {{"keys", true, true},
          {"expect-with-more-nics"},
          {"default"},
          {"required"},
          {"runtime-only"},
          {"set"}},
         judge_sysctl,
         plan_sysctl,
         true},
        {"module", {{"modules", true, true}}, judge_module, plan_module},
        {"kernel",
         {{"any", false, true}, {"all", false, true}, {"none", false, true}},
         judge_kernel},
        {"secure-boot", {}, judge_secure_boot},
        {"text",
         {{"paths", true, true},
          {"contains", false, true},
          {"lacks", false, true},
          {"selected"},
          {"mask"},
          {"absent"}},
         judge_text},
    };
}

}  // namespace tarn::guest::baseline
