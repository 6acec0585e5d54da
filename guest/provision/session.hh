// SPDX-License-Identifier: MIT
// What the stages of run.hh share: the lock, the instance, its state, applying and reporting.
#pragma once

#include "provision/detect.hh"
#include "provision/dhcp.hh"
#include "provision/media.hh"
#include "provision/report.hh"
#include "provision/run.hh"

#include <optional>
#include <string>

namespace tarn::guest {

// Names in the journal that are no steps.
inline constexpr const char* kApplied = "@applied";    // all early steps are done: login works
inline constexpr const char* kReported = "@reported";  // and the platform was told

class Session {
  public:
    Session(const Machine& machine, const RunOptions& options, const char* stage)
        : machine_(machine), options_(options), stage_(stage) {}

    // Takes the lock and reads what the stage before said.
    Result<void> begin();
    // Finds out who this machine is. False: there is nothing to do, and status.json says so.
    Result<bool> identify();
    Result<void> open(const std::string& instance_id);

    // Applies the early steps of what the settings say, and keeps the settings.
    Result<void> provision(Settings settings);
    Result<void> apply_every_boot(const Settings& settings);
    Result<void> apply_workload(const Settings& settings);
    Result<std::optional<Settings>> kept_settings() const;

    // The end of a stage.
    Result<void> pending();   // the next stage goes on
    Result<void> ready();     // login works; gives the lock back and lets others start
    Result<void> finished();  // workload and all
    // Tells the failure by every way there is, and gives it back as the error.
    Failure give_up(Error error);

    // The network stage's part.
    void find_servers();
    bool asked_servers() const { return asked_servers_; }
    Result<void> report_ready();  // after ready()

    const Machine& machine() const { return machine_; }
    const RunOptions& options() const { return options_; }
    State& state() { return *state_; }
    Status& status() { return status_; }
    const Detection& detection() const { return detection_; }
    const std::optional<NoCloudSeed>& seed() const { return seed_; }
    const std::string& source_address() const { return source_address_; }
    const std::optional<Lease>& lease() const { return lease_; }
    bool is_applied() const { return state_->journal().has_any(kApplied); }
    bool is_reported() const { return state_->journal().has_any(kReported); }
    void log(std::string_view text) const { options_.log(text); }

  private:
    Result<bool> nothing_to_do(const std::string& why);
    Result<Plan> plan(const Settings& settings);
    Result<void> apply(const Plan& plan, Phase phase, bool only_every_boot);
    Result<void> run_step(const Step& step);
    void payload_failed(const Error& error);
    Report report(bool success, std::string reason) const;
    void write_report(const Report& report) const;
    Result<void> save_status();
    void mark_for_others();

    const Machine& machine_;
    const RunOptions& options_;
    const char* stage_;
    Fd lock_;
    Detection detection_;
    std::optional<NoCloudSeed> seed_;
    std::optional<State> state_;
    Status status_;
    bool left_to_cloud_init_ = false;  // which then writes its files itself
    std::optional<Lease> lease_;
    bool asked_servers_ = false;
    Endpoint wireserver_{kWireserverAddress, 80};
    std::string source_address_;
};

}  // namespace tarn::guest
