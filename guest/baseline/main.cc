// SPDX-License-Identifier: MIT
// tarn-baseline: judges a machine by rules, puts it right, takes that back.
#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/config.hh"
#include "baseline/engine.hh"
#include "baseline/live_target.hh"
#include "baseline/remediate.hh"
#include "baseline/report.hh"
#include <getopt.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

namespace {

using namespace tarn;
using namespace tarn::guest::baseline;

constexpr const char* kHelp =
    "tarn-baseline audit|remediate|undo|confirm|list|explain RULE [OPTION...]\n"
    "\n"
    "  audit       judge this machine\n"
    "  remediate   put right what fails and can be put right\n"
    "  undo        take the last remediation back\n"
    "  confirm     keep what would be taken back by itself\n"
    "  list        the rules of a profile\n"
    "  explain     one rule, and how this machine does\n"
    "\n"
    "  --profile NAME    minimal, azure, cis-l1, cis-l2, or all; else what /etc/tarn/baseline.d\n"
    "                    or the image says, else minimal\n"
    "  --rule ID         only this rule (may be repeated)\n"
    "  --role NAME       a role of this machine (may be repeated)\n"
    "  --quick           no walk over file systems, no rpm\n"
    "  -O, --format F    text, json, sarif, oscal, xccdf, azure\n"
    "  --all             text, sarif: rules that pass as well\n"
    "  --evidence        text: everything that was looked at\n"
    "  --output FILE     write the report there, all or nothing\n"
    "  --root DIR        judge a directory that holds a machine's files\n"
    "  --rules DIR       rules to read instead of /usr/share/tarn/baseline\n"
    "  --dry-run         remediate: only tell\n"
    "  --safe-only       remediate: nothing that can lock an administrator out\n"
    "  --revert-after S  remediate: seconds until lock-out changes are taken back unless\n"
    "                    confirmed (300; 0: never)\n"
    "  --unconfirmed     undo: only what was not confirmed\n"
    "  --help, --version\n"
    "\n"
    "Exit code: 0 the machine is as it should be, 1 it is not or something failed, 2 usage.\n";

struct Arguments {
    std::string command, rule, profile, format = "text", output, root = "/";
    std::string rules = "/usr/share/tarn/baseline";
    std::vector<std::string> roles, only;
    bool all = false, evidence = false, quick = false, dry_run = false, safe_only = false;
    bool unconfirmed = false;
    unsigned revert_after = 300;
};

int complain(const Error& error) {
    std::string text = "tarn-baseline: " + error.message + "\n";
    for (const std::string& help : error.help) {
        text += "  help: " + help + "\n";
    }
    std::fputs(text.c_str(), stderr);
    return error.kind == ErrorKind::kUsage ? 2 : 1;
}

Error usage(std::string text) {
    return Error{ErrorKind::kUsage, std::move(text)}
        .advise("tarn-baseline --help")
        .context("usage");
}

enum Option {
    kProfile = 256,
    kRule,
    kRole,
    kQuick,
    kAll,
    kEvidence,
    kOutput,
    kRoot,
    kRules,
    kDryRun,
    kSafeOnly,
    kRevertAfter,
    kUnconfirmed,
    kHelpOption,
    kVersionOption
};
const option kOptions[] = {{"profile", 1, nullptr, kProfile},
                           {"rule", 1, nullptr, kRule},
                           {"role", 1, nullptr, kRole},
                           {"quick", 0, nullptr, kQuick},
                           {"format", 1, nullptr, 'O'},
                           {"all", 0, nullptr, kAll},
                           {"evidence", 0, nullptr, kEvidence},
                           {"output", 1, nullptr, kOutput},
                           {"root", 1, nullptr, kRoot},
                           {"rules", 1, nullptr, kRules},
                           {"dry-run", 0, nullptr, kDryRun},
                           {"safe-only", 0, nullptr, kSafeOnly},
                           {"revert-after", 1, nullptr, kRevertAfter},
                           {"unconfirmed", 0, nullptr, kUnconfirmed},
                           {"help", 0, nullptr, kHelpOption},
                           {"version", 0, nullptr, kVersionOption},
                           {nullptr, 0, nullptr, 0}};

template <class T>
struct Place {
    int name;
    T Arguments::* place;
};
constexpr Place<std::string> kTexts[] = {{kProfile, &Arguments::profile},
                                         {'O', &Arguments::format},
                                         {kOutput, &Arguments::output},
                                         {kRoot, &Arguments::root},
                                         {kRules, &Arguments::rules}};
constexpr Place<std::vector<std::string>> kLists[] = {{kRule, &Arguments::only},
                                                      {kRole, &Arguments::roles}};
constexpr Place<bool> kFlags[] = {{kQuick, &Arguments::quick},
                                  {kAll, &Arguments::all},
                                  {kEvidence, &Arguments::evidence},
                                  {kDryRun, &Arguments::dry_run},
                                  {kSafeOnly, &Arguments::safe_only},
                                  {kUnconfirmed, &Arguments::unconfirmed}};

// False: no such option, or a value that is none.
bool take(Arguments& out, int name, const std::string& value) {
    for (const auto& one : kTexts) {
        if (one.name == name) {
            out.*one.place = value;
            return true;
        }
    }
    for (const auto& one : kLists) {
        if (one.name == name) {
            (out.*one.place).push_back(value);
            return true;
        }
    }
    for (const auto& one : kFlags) {
        if (one.name == name) {
            out.*one.place = true;
            return true;
        }
    }
    const auto seconds = parse_u64(value);
    out.revert_after = static_cast<unsigned>(seconds.value_or(0));
    return name == kRevertAfter && seconds && *seconds <= 86400;
}

Result<Arguments> parse(int argc, char** argv) {
    Arguments out;
    for (int one = 0; (one = ::getopt_long(argc, argv, "O:", kOptions, nullptr)) != -1;) {
        if (one == kHelpOption || one == kVersionOption) {
            out.command = one == kHelpOption ? "help" : "version";
            return out;
        }
        if (!take(out, one, optarg == nullptr ? "" : optarg)) {
            return fail(usage(one == kRevertAfter ? "--revert-after takes seconds, at most a day"
                                                  : "unknown option"));
        }
    }
    out.root = absolute_path(out.root, current_directory());
    if (optind >= argc) {
        return fail(usage("a command is missing"));
    }
    out.command = argv[optind++];
    if (out.command == "explain" && optind < argc) {
        out.rule = argv[optind++];
    }
    if (optind < argc) {
        return fail(usage(fmt::format("`{}` is one argument too many", argv[optind])));
    }
    return out;
}

std::string today() {
    return iso_time(static_cast<std::int64_t>(::time(nullptr))).substr(0, 10);
}

struct Session {
    Arguments arguments;
    std::vector<Rule> rules;
    MachineConfig config;
    AuditOptions options;
};

Result<Session> prepare(const Arguments& arguments, const Target& target) {
    Session out;
    out.arguments = arguments;
    out.rules = TARN_TRY(load_rules(arguments.rules));
    out.config = TARN_TRY(load_machine_config(target));
    AuditOptions& options = out.options;
    options.profile = !arguments.profile.empty()    ? arguments.profile
                      : !out.config.profile.empty() ? out.config.profile
                                                    : "minimal";
    const std::vector<std::string> names(std::begin(kProfiles), std::end(kProfiles));
    if (options.profile == "all") {
        options.profile.clear();
    } else if (std::ranges::find(names, options.profile) == names.end()) {
        return fail(usage(fmt::format("`{}` is no profile", options.profile))
                        .advise(did_you_mean(options.profile, names)));
    }
    std::vector<std::string> ids;
    for (const Rule& rule : out.rules) {
        ids.push_back(rule.id);
    }
    options.rules = arguments.only;
    if (!arguments.rule.empty()) {
        options.rules = {arguments.rule};
    }
    for (const std::string& id : options.rules) {
        if (std::ranges::find(ids, id) == ids.end()) {
            return fail(usage(fmt::format("`{}` is no rule", id)).advise(did_you_mean(id, ids)));
        }
    }
    options.roles = detect_roles(target);
    for (const std::vector<std::string>& more : {out.config.roles, arguments.roles}) {
        options.roles.insert(options.roles.end(), more.begin(), more.end());
    }
    options.slow = !arguments.quick;
    options.today = today();
    options.exceptions = out.config.exceptions;
    return out;
}

Result<std::string> format_report(const Report& report, const Arguments& arguments) {
    ReportOptions options;
    options.all = arguments.all;
    options.evidence = arguments.evidence;
    if (::getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) {
        return fail(sys_error("get", "random bytes"));
    }
    const std::string& format = arguments.format;
    return format == "text"    ? report_text(report, options)
           : format == "json"  ? report_json(report)
           : format == "sarif" ? report_sarif(report, options)
           : format == "oscal" ? report_oscal(report, options)
           : format == "xccdf" ? report_xccdf(report, options)
                               : report_azure(report, options);
}

Result<void> put(const std::string& text, const Arguments& arguments) {
    if (arguments.output.empty()) {
        return write_all(STDOUT_FILENO, text, "standard output");
    }
    return write_file_atomic(arguments.output, text, 0640);
}

Result<void> show(const Report& report, const Arguments& arguments, std::string head = {}) {
    head += TARN_TRY(format_report(report, arguments));
    return put(head, arguments);
}

Result<int> run_audit(const Session& session, const Target& target) {
    Report report = audit(target, session.rules, session.options);
    report.machine = machine_id(target);
    TARN_TRY(show(report, session.arguments));
    return report.compliant() ? 0 : 1;
}

Result<int> run_list(const Session& session) {
    std::string out;
    for (const Rule* rule : select(session.rules, session.options)) {
        out += fmt::format("{:<28} {:<4} {:<8} {}\n",
                           rule->id,
                           rule->section,
                           to_string(rule->severity),
                           rule->title);
    }
    TARN_TRY(put(out, session.arguments));
    return 0;
}

Result<int> run_explain(Session session, const Target& target) {
    if (session.arguments.rule.empty()) {
        return fail(usage("explain takes a rule"));
    }
    const Rule& rule = *select(session.rules, session.options).at(0);
    std::string out = fmt::format(
        "{}: {}\n  section    {}\n  severity   {}\n  risk       {}\n"
        "  profiles   {}\n  procedure  {}\n",
        rule.id,
        rule.title,
        rule.section,
        to_string(rule.severity),
        to_string(rule.risk),
        join(rule.profiles, ", "),
        rule.procedure);
    for (const auto& [name, values] : {std::pair{"references", rule.references},
                                       {"only-roles", rule.only_roles},
                                       {"unless-roles", rule.unless_roles}}) {
        if (!values.empty()) {
            out += fmt::format("  {:<10} {}\n", name, join(values, ", "));
        }
    }
    for (const auto& [name, values] : rule.parameters) {
        out += fmt::format("  {:<10} {}\n", name, join(values, ", "));
    }
    for (const auto& [name, text] :
         {std::pair{"why", rule.why}, {"remedy", rule.remedy}, {"declared", rule.where}}) {
        if (!text.empty()) {
            out += fmt::format("  {:<10} {}\n", name, text);
        }
    }
    session.arguments.all = session.arguments.evidence = true;
    const Report report = audit(target, session.rules, session.options);
    TARN_TRY(show(report, session.arguments, out));
    return report.compliant() ? 0 : 1;
}

RemediateOptions remediate_options(const Arguments& arguments) {
    RemediateOptions options;
    options.root = arguments.root;
    options.dry_run = arguments.dry_run;
    options.lock_out = !arguments.safe_only;
    options.revert_seconds = arguments.revert_after;
    return options;
}

Result<int> run_remediate(const Session& session, const Target& target) {
    RemediateOptions options = remediate_options(session.arguments);
    options.audit = session.options;
    Remediated result = TARN_TRY(remediate(target, session.rules, options));
    std::string told;
    for (const std::string& line : result.done) {
        told += line + "\n";
    }
    for (const std::string& line : result.problems) {
        told += "problem: " + line + "\n";
    }
    if (result.must_confirm) {
        told += fmt::format(
            "`tarn-baseline confirm` within {} s, or what can lock you out is "
            "taken back\n",
            options.revert_seconds);
    }
    std::fputs(told.c_str(), stderr);
    result.report.machine = machine_id(target);
    TARN_TRY(show(result.report, session.arguments));
    return result.report.compliant() && result.problems.empty() ? 0 : 1;
}

Result<int> run_undo(const Arguments& arguments) {
    const Undone undone = TARN_TRY(undo(remediate_options(arguments), arguments.unconfirmed));
    std::string told;
    for (const std::string& line : undone.done) {
        told += line + "\n";
    }
    for (const std::string& line : undone.left) {
        told += "left: " + line + "\n";
    }
    TARN_TRY(put(told, arguments));
    return undone.left.empty() ? 0 : 1;
}

Result<int> run_command(const Arguments& arguments) {
    constexpr std::string_view kFormats[] = {"text", "json", "sarif", "oscal", "xccdf", "azure"};
    if (std::ranges::find(kFormats, arguments.format) == std::end(kFormats)) {
        return fail(usage("a format is one of text, json, sarif, oscal, xccdf, azure"));
    }
    if (arguments.command == "undo") {
        return run_undo(arguments);
    }
    if (arguments.command == "confirm") {
        TARN_TRY(confirm(remediate_options(arguments)));
        return 0;
    }
    const LiveTarget target = TARN_TRY(LiveTarget::open(arguments.root));
    const Session session = TARN_TRY(prepare(arguments, target));
    if (arguments.command == "audit") {
        return run_audit(session, target);
    }
    if (arguments.command == "remediate") {
        return run_remediate(session, target);
    }
    if (arguments.command == "list") {
        return run_list(session);
    }
    if (arguments.command == "explain") {
        return run_explain(session, target);
    }
    return fail(
        usage(fmt::format("`{}` is no command", arguments.command))
            .advise(did_you_mean(arguments.command,
                                 {"audit", "remediate", "undo", "confirm", "list", "explain"})));
}

}  // namespace

int main(int argc, char** argv) {
    ::umask(022);
    const auto arguments = parse(argc, argv);
    if (!arguments) {
        return complain(arguments.error());
    }
    if (arguments->command == "help" || arguments->command == "version") {
        std::fputs(arguments->command == "help" ? kHelp : "tarn-baseline 1.0.0\n", stdout);
        return 0;
    }
    const auto code = run_command(*arguments);
    return code ? *code : complain(code.error());
}
