// SPDX-License-Identifier: MIT
#include "provision/session.hh"

#include "base/process.hh"
#include "base/strings.hh"

#include "provision/kvp.hh"
#include "provision/markers.hh"
#include "provision/text.hh"

#include <algorithm>

namespace tarn::guest {

namespace {

double seconds_since_power_on() {
    return static_cast<double>(boot_time().count()) / 1000;
}

std::string whole_message(const Error& error) {
    std::string text = error.message;
    for (const std::string& note : error.notes) {
        // Notes may show lines of a document: one of them says enough to the platform.
        if (!contains(note, "\n")) {
            text += "; " + note;
        }
    }
    return one_line(text);
}

}  // namespace

Result<void> Session::begin() {
    lock_ = TARN_TRY(lock_machine(machine_, options_.lock));
    if (auto before = current_status(machine_)) {
        status_ = std::move(*before);
    }
    status_.stage = stage_;
    return {};
}

Result<bool> Session::identify() {
    detection_ = detect(machine_);
    if (detection_.switched_off) {
        return nothing_to_do(detection_.why);
    }
    if (detection_.platform == Platform::kAzure) {
        status_.source = "azure";
        log(detection_.why);
        if (detection_.vm_id.empty()) {
            return fail(ErrorKind::kFailed, "no VM id: the firmware's UUID cannot be read");
        }
        TARN_TRY(open(detection_.vm_id));
        return true;
    }
    // A seed on a disk, or one that SMBIOS speaks of.
    seed_ = TARN_TRY(find_nocloud_seed(machine_));
    if (seed_) {
        detection_.platform = Platform::kNoCloud;
        detection_.why = "a seed on " + seed_->where;
    } else if (detection_.platform == Platform::kNoCloud && !detection_.seed.contains("seedfrom")) {
        seed_ = NoCloudSeed{"SMBIOS", {}, {}, {}, {}};
    }
    if (detection_.platform == Platform::kNone) {
        return nothing_to_do("no platform is detected");
    }
    status_.source = "nocloud";
    log(detection_.why);
    return true;  // whose instance it is, its meta-data says
}

Result<bool> Session::nothing_to_do(const std::string& why) {
    log(why);
    status_.status = "disabled";
    status_.end_seconds = seconds_since_power_on();
    TARN_TRY(save_status());
    return false;
}

Result<void> Session::open(const std::string& instance_id) {
    if (!state_) {
        state_ = TARN_TRY(State::open(machine_, instance_id));
        status_.instance_id = state_->instance_id();
    }
    return {};
}

Result<void> Session::provision(Settings settings) {
    TARN_TRY(open(settings.instance_id));
    settings.instance_id = state_->instance_id();
    settings.metadata["state_directory"] = state_->path("");
    settings.metadata["state_directory"].pop_back();
    if (machine_.exists(state_->path("ovf-env.xml"))) {
        settings.metadata["ovf_file"] = state_->path("ovf-env.xml");
    }
    for (const std::string& warning : settings.warnings) {
        const std::string line = one_line(warning);
        if (std::find(status_.warnings.begin(), status_.warnings.end(), line) ==
            status_.warnings.end()) {
            log("warning: " + line);
            status_.warnings.push_back(line);
        }
    }
    TARN_TRY(state_->save("settings.json", settings_json(settings)));
    return apply(TARN_TRY(plan(settings)), Phase::kEarly, false);
}

Result<Plan> Session::plan(const Settings& settings) {
    Plan steps = TARN_TRY(options_.planner(settings, machine_));
    left_to_cloud_init_ = steps.payload == PayloadKind::kCloudInit;
    for (const std::string& note : steps.notes) {
        log(note);
    }
    if (left_to_cloud_init_) {
        log("left to cloud-init: " + steps.why_cloud_init);
    }
    return steps;
}

Result<void> Session::apply_every_boot(const Settings& settings) {
    const Plan steps = TARN_TRY(plan(settings));
    return apply(steps, Phase::kEarly, true);
}

Result<void> Session::apply(const Plan& plan, Phase phase, bool only_every_boot) {
    for (const Step& step : plan.steps) {
        if (step.phase != phase || (only_every_boot && !step.every_boot)) {
            continue;
        }
        Journal& journal = step.every_boot ? state_->boot_journal() : state_->journal();
        if (journal.has(step.name, step.inputs)) {
            continue;
        }
        auto done = run_step(step);
        if (!done && !step.from_payload) {
            return done;
        }
        if (!done) {
            payload_failed(done.error());
        }
        TARN_TRY(journal.add(step.name, step.inputs));
    }
    return {};
}

// What only the user's document asked for does not keep the machine from its platform.
void Session::payload_failed(const Error& error) {
    const std::string line = whole_message(error);
    log("error: " + line);
    status_.errors.push_back(line);
    status_.payload_errors.push_back(line);
}

Result<void> Session::run_step(const Step& step) {
    const double begin = seconds_since_power_on();
    auto done = step.run(machine_);
    const double seconds = seconds_since_power_on() - begin;
    status_.steps.push_back({step.name, seconds});
    if (!done) {
        return fail(std::move(done.error()).context(step.name));
    }
    log(fmt::format("{}: {:.3f} s", step.name, seconds));
    return {};
}

// Every step has its turn, and none is tried twice: what a command did before it failed is not
// known.
Result<void> Session::apply_workload(const Settings& settings) {
    const Plan steps = TARN_TRY(plan(settings));
    std::optional<Error> first;
    bool waited = false;
    for (const Step& step : steps.steps) {
        if (step.phase != Phase::kWorkload) {
            continue;
        }
        Journal& journal = step.every_boot ? state_->boot_journal() : state_->journal();
        if (journal.has(step.name, step.inputs)) {
            continue;
        }
        if (!waited) {
            wait_until_online(machine_, options_.online);
            waited = true;
        }
        auto done = run_step(step);
        TARN_TRY(journal.add(step.name, step.inputs));
        if (!done) {
            payload_failed(done.error());
            first = first ? std::move(first) : std::optional<Error>(std::move(done.error()));
        }
    }
    if (first) {
        return fail(std::move(*first));
    }
    return {};
}

Result<std::optional<Settings>> Session::kept_settings() const {
    const auto text = TARN_TRY(state_->load("settings.json"));
    if (!text) {
        return std::optional<Settings>();
    }
    return std::optional<Settings>(TARN_TRY(parse_settings(*text)));
}

Result<void> Session::save_status() {
    TARN_TRY(write_status(machine_, status_));
    if (state_) {
        TARN_TRY(state_->save("result.json", status_json(status_)));
    }
    mark_for_others();
    return {};
}

// Files that others wait for: none of them is a reason to fail. WALinuxAgent's are a step.
void Session::mark_for_others() {
    if (status_.source.empty() || left_to_cloud_init_) {
        return;
    }
    CloudInitMarkers markers{
        status_.source, status_.instance_id, status_.errors, status_.status != "running"};
    auto written = write_cloud_init_markers(machine_, markers);
    if (!written) {
        log("warning: " + written.error().message);
    }
}

Result<void> Session::pending() {
    status_.status = "running";
    return save_status();
}

Result<void> Session::ready() {
    if (!is_applied()) {
        TARN_TRY(state_->journal().add(kApplied, ""));
    }
    status_.status = "running";
    status_.platform_ready = true;
    status_.errors = status_.payload_errors;  // others of a stage before are made good
    status_.ready_seconds = seconds_since_power_on();
    TARN_TRY(save_status());
    lock_.reset();
    options_.applied();
    return {};
}

Result<void> Session::finished() {
    status_.status = "done";
    status_.workload_ready = true;
    status_.end_seconds = seconds_since_power_on();
    return save_status();
}

void Session::find_servers() {
    asked_servers_ = true;
    if (options_.wait_for_dhcp && !lease_) {
        lease_ = wait_for_lease(machine_, options_.lease);
        log(lease_ ? "lease on interface " + lease_->interface + ": " + lease_->address
                   : std::string("no DHCP lease"));
    }
    if (options_.wireserver) {
        wireserver_ = *options_.wireserver;
    } else if (lease_ && !lease_->wireserver.empty()) {
        wireserver_.address = lease_->wireserver;
    }
    source_address_ = options_.source_address;
    if (source_address_.empty() && lease_ && lease_->is_primary()) {
        source_address_ = lease_->address;
    }
}

Report Session::report(bool success, std::string reason) const {
    Report out;
    out.success = success;
    out.reason = std::move(reason);
    out.vm_id = state_ ? state_->instance_id() : detection_.vm_id;
    out.seconds = seconds_since_power_on();
    out.timestamp = timestamp_now();
    return out;
}

void Session::write_report(const Report& text) const {
    auto written = write_kvp(
        machine_, kProvisioningReport, report_text(text, kKvpValue), boot_epoch(machine_));
    if (!written) {
        log("warning: the host is not told by KVP: " + written.error().message);
    }
}

// First KVP, since the host looks at it when the health report comes.
Result<void> Session::report_ready() {
    write_report(report(true, {}));
    auto told = report_health(
        wireserver_, {true, {}}, options_.health, source_address_, [this](const std::string& said) {
            log(said);
        });
    if (told) {
        TARN_TRY(state_->journal().add(kReported, ""));
    }
    TARN_TRY(write_told(machine_,
                        {told.has_value(),
                         seconds_since_power_on(),
                         told ? std::string() : whole_message(told.error())}));
    return told;
}

Failure Session::give_up(Error error) {
    const std::string reason = whole_message(error);
    log("error: " + reason);
    status_.status = "error";
    if (std::find(status_.errors.begin(), status_.errors.end(), reason) == status_.errors.end()) {
        status_.errors.push_back(reason);
    }
    status_.end_seconds = seconds_since_power_on();
    // Once a machine was reported ready there is nothing more to tell the platform.
    if (detection_.platform == Platform::kAzure && !(state_ && is_reported())) {
        const Report failure = report(false, reason);
        write_report(failure);
        if (std::string_view(stage_) == "network") {
            if (!asked_servers_) {
                find_servers();
            }
            HealthPolicy policy = options_.health;
            policy.total = std::min(policy.total, options_.failure_report);
            auto told = report_health(wireserver_,
                                      {false, report_text(failure, kHealthDescription)},
                                      policy,
                                      source_address_,
                                      [this](const std::string& said) { log(said); });
            if (!told) {
                log("warning: the platform is not told: " + told.error().message);
            }
        }
    }
    if (auto saved = save_status(); !saved) {
        log("warning: " + saved.error().message);
    }
    return fail(std::move(error));
}

}  // namespace tarn::guest
