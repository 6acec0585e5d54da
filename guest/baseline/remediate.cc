// SPDX-License-Identifier: MIT
#include "baseline/remediate.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/detail/change.hh"
#include "baseline/detail/facts.hh"
#include "baseline/detail/journal.hh"
#include "baseline/detail/procedure.hh"

#include <algorithm>
#include <map>

namespace tarn::guest::baseline {
namespace {

const std::string kChanges = std::string(kStateDirectory) + "/changes";

struct Batch {
    std::vector<Place> places;
    std::vector<std::vector<std::string>> checks, activate;
    std::vector<std::string> rules;
    std::vector<std::string> reboot;  // rules that need one
    bool lock_out = false;
};

Place* place_of(Batch& batch, PlaceKind kind, const std::string& path) {
    for (Place& place : batch.places) {
        if (place.kind == kind && place.path == path) {
            return &place;
        }
    }
    return nullptr;
}

void add_once(std::vector<std::vector<std::string>>& commands,
              const std::vector<std::string>& command) {
    if (!command.empty() && std::ranges::find(commands, command) == commands.end()) {
        commands.push_back(command);
    }
}

PlaceKind kind_of(Change::Kind kind) {
    switch (kind) {
        case Change::Kind::kLine:
        case Change::Kind::kSetting:
            return PlaceKind::kFile;
        case Change::Kind::kRuntime:
            return PlaceKind::kRuntime;
        case Change::Kind::kMode:
            return PlaceKind::kMode;
        case Change::Kind::kMask:
            break;
    }
    return PlaceKind::kLink;
}

Result<void> add_change(const Files& files, Batch& batch, const Change& change) {
    const PlaceKind kind = kind_of(change.kind);
    Place* place = place_of(batch, kind, change.path);
    if (place == nullptr) {
        Place seen = TARN_TRY(files.look(kind, change.path));
        if (!seen.existed) {
            seen.new_mode = seen.mode = change.mode;
        }
        seen.after = seen.before;
        batch.places.push_back(std::move(seen));
        place = &batch.places.back();
    }
    switch (change.kind) {
        case Change::Kind::kLine:
            place->after = with_line(place->after, change);
            break;
        case Change::Kind::kSetting:
            place->after = with_setting(place->after, change);
            break;
        case Change::Kind::kRuntime:
            place->after = change.value;
            break;
        case Change::Kind::kMask:
            place->after = "/dev/null";
            break;
        case Change::Kind::kMode:
            place->new_mode = change.mode;
            place->new_uid = change.uid;
            place->new_gid = change.gid;
            break;
    }
    add_once(batch.checks, change.check);
    for (const auto& command : change.activate) {
        add_once(batch.activate, command);
    }
    return {};
}

struct Remediator {
    const Files& files;
    const RemediateOptions& options;
    Remediated& result;

    bool programs() const { return files.live() || options.programs; }

    bool run_program(const std::vector<std::string>& argv, std::string& why) {
        Command command;
        command.argv = argv;
        command.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}};
        command.timeout = std::chrono::seconds(60);
        command.merge_error = true;
        const auto ended = options.runner(command);
        if (!ended || ended->exit_code != 0) {
            why = fmt::format("`{}`: {}",
                              join(argv, " "),
                              ended ? trim(std::string_view(ended->output).substr(0, 400))
                                    : std::string_view(ended.error().message));
            return false;
        }
        return true;
    }

    Result<std::string> next_name() {
        const auto names = files.list(kChanges);
        unsigned long last = 0;
        for (const std::string& name : names ? *names : std::vector<std::string>()) {
            last = std::max<unsigned long>(last, parse_u64(name.substr(0, 6)).value_or(0));
        }
        return fmt::format("{:06}.json", last + 1);
    }

    void take_back(const Batch& batch) {
        for (auto place = batch.places.rbegin(); place != batch.places.rend(); ++place) {
            const auto done = files.revert(*place);
            if (!done || !*done) {
                result.problems.push_back(place->path + " could not be taken back" +
                                          (done ? "" : ": " + done.error().message));
            }
        }
    }

    // False: everything of the batch is as before.
    Result<bool> apply(const Batch& batch) {
        Record record;
        record.name = TARN_TRY(next_name());
        record.places = batch.places;
        record.activate = batch.activate;
        record.unconfirmed = batch.lock_out && programs() && options.revert_seconds > 0;
        const std::string path = kChanges + "/" + record.name;
        std::string why;
        if (record.unconfirmed &&
            !run_program({"systemd-run",
                          "--quiet",
                          "--collect",
                          fmt::format("--unit={}", kRevertUnit),
                          fmt::format("--on-active={}", options.revert_seconds),
                          "--timer-property=AccuracySec=1s",
                          "/usr/bin/tarn-baseline",
                          "undo",
                          "--unconfirmed"},
                         why)) {
            result.problems.push_back("nothing that can lock you out was changed: " + why);
            return false;
        }
        TARN_TRY(files.write(path, write_record(record), 0600, 0, 0));
        for (const Place& place : batch.places) {
            if (auto done = files.apply(place); !done) {
                result.problems.push_back(done.error().message);
                take_back(batch);
                TARN_TRY(files.remove(path));
                return false;
            }
        }
        for (const auto& check : batch.checks) {
            if (programs() && !run_program(check, why)) {
                result.problems.push_back("taken back, " + why);
                take_back(batch);
                TARN_TRY(files.remove(path));
                return false;
            }
        }
        activate(batch);
        result.must_confirm = result.must_confirm || record.unconfirmed;
        return true;
    }

    void activate(const Batch& batch) {
        if (!programs()) {
            return;
        }
        std::string why;
        for (const Place& place : batch.places) {
            if (!place.existed && place.kind == PlaceKind::kFile && find_program("restorecon")) {
                run_program({"restorecon", place.path}, why);
            }
        }
        for (const auto& command : batch.activate) {
            if (!run_program(command, why)) {
                result.problems.push_back(why);
            }
        }
    }
};

// The changes of every rule that fails, by risk: what can lock out in a batch of its own.
std::pair<Batch, Batch> plan_batches(const Target& target,
                                     const Files& files,
                                     const RemediateOptions& options,
                                     const Report& report,
                                     std::vector<std::string>& problems) {
    const Facts facts(target, options.audit.roles);
    std::pair<Batch, Batch> out;
    out.second.lock_out = true;
    for (const Risk risk : {Risk::kSafe, Risk::kRestart, Risk::kLockOut}) {
        Batch& batch = risk == Risk::kLockOut ? out.second : out.first;
        for (const Finding& finding : report.findings) {
            const Rule& rule = *finding.rule;
            if (rule.risk != risk || finding.status != Status::kFail ||
                finding.exception != nullptr || finding.remediation != Remediation::kAvailable ||
                (risk == Risk::kLockOut && !options.lock_out)) {
                continue;
            }
            bool reboot = false;
            for (const Change& change : find_procedure(rule.procedure)->plan(facts, rule)) {
                reboot = reboot || change.reboot;
                if (auto added = add_change(files, batch, change); !added) {
                    problems.push_back(rule.id + ": " + added.error().message);
                }
            }
            batch.rules.push_back(rule.id);
            if (reboot) {
                batch.reboot.push_back(rule.id);
            }
        }
    }
    return out;
}

void tell(const Batch& batch, std::vector<std::string>& out) {
    for (const Place& place : batch.places) {
        if (place.kind == PlaceKind::kMode) {
            out.push_back(
                fmt::format("{}: mode {:04o}, was {:04o}", place.path, place.new_mode, place.mode));
        } else if (place.kind == PlaceKind::kRuntime) {
            out.push_back(
                fmt::format("{}: {}, was {}", place.path, trim(place.after), trim(place.before)));
        } else {
            out.push_back(place.path + (place.existed ? ": changed" : ": new"));
        }
    }
}

bool named(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

Result<Remediated> remediate(const Target& target,
                             const std::vector<Rule>& rules,
                             const RemediateOptions& options) {
    const Files files = TARN_TRY(Files::open(options.root));
    Remediated result;
    Report before = audit(target, rules, options.audit);
    const auto [calm, risky] = plan_batches(target, files, options, before, result.problems);
    if (options.dry_run) {
        tell(calm, result.done);
        tell(risky, result.done);
        result.report = std::move(before);
        return result;
    }
    Remediator remediator{files, options, result};
    std::vector<std::string> changed;
    std::vector<std::string> reboot;
    for (const Batch* batch : {&calm, &risky}) {
        if (!batch->places.empty() && TARN_TRY(remediator.apply(*batch))) {
            tell(*batch, result.done);
            changed.insert(changed.end(), batch->rules.begin(), batch->rules.end());
            reboot.insert(reboot.end(), batch->reboot.begin(), batch->reboot.end());
        }
    }
    result.report = audit(target, rules, options.audit);
    for (Finding& finding : result.report.findings) {
        if (!named(changed, finding.rule->id)) {
            continue;
        }
        const bool waits = named(reboot, finding.rule->id);
        finding.remediation = waits ? Remediation::kNeedsReboot : Remediation::kApplied;
        if (finding.status == Status::kPass) {
            finding.status = Status::kFixed;
        }
    }
    return result;
}

Result<Undone> undo(const RemediateOptions& options, bool only_unconfirmed) {
    const Files files = TARN_TRY(Files::open(options.root));
    std::vector<std::string> names;
    if (auto listed = files.list(kChanges)) {
        names = std::move(*listed);
    }
    std::erase_if(names, [](const std::string& name) { return !name.ends_with(".json"); });
    Undone out;
    Remediated told;
    Remediator remediator{files, options, told};
    bool any = false;
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        const std::string path = kChanges + "/" + *name;
        const std::string text = TARN_TRY(files.read(path));
        const Record record = TARN_TRY(parse_record(text, path));
        if (only_unconfirmed && !record.unconfirmed) {
            continue;
        }
        any = true;
        for (auto place = record.places.rbegin(); place != record.places.rend(); ++place) {
            const auto done = files.revert(*place);
            if (done && *done) {
                out.done.push_back(place->path + ": as it was");
            } else {
                out.left.push_back(place->path +
                                   (done ? ": was changed since" : ": " + done.error().message));
            }
        }
        Batch batch;
        batch.activate = record.activate;
        remediator.activate(batch);
        TARN_TRY(files.remove(path));
        if (!only_unconfirmed) {
            break;
        }
    }
    out.left.insert(out.left.end(), told.problems.begin(), told.problems.end());
    if (!any && !only_unconfirmed) {
        return fail(ErrorKind::kNotFound, "there is nothing to undo");
    }
    return out;
}

Result<void> confirm(const RemediateOptions& options) {
    const Files files = TARN_TRY(Files::open(options.root));
    bool any = false;
    const auto names = files.list(kChanges);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
        const std::string path = kChanges + "/" + name;
        const std::string text = TARN_TRY(files.read(path));
        Record record = TARN_TRY(parse_record(text, path));
        if (record.unconfirmed) {
            any = true;
            record.unconfirmed = false;
            TARN_TRY(files.write(path, write_record(record), 0600, 0, 0));
        }
    }
    if (!any) {
        return fail(ErrorKind::kNotFound, "nothing waits to be confirmed");
    }
    Remediated told;
    Remediator remediator{files, options, told};
    std::string why;
    if (remediator.programs()) {
        // The timer finds nothing to take back any more; stopping it is tidiness.
        remediator.run_program({"systemctl", "stop", std::string(kRevertUnit) + ".timer"}, why);
    }
    return {};
}

}  // namespace tarn::guest::baseline
