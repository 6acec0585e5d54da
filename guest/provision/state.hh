// SPDX-License-Identifier: MIT
// What provisioning remembers. /var/lib/tarn/provision (0700):
//   instance            the identity of the machine this disk was last started on
//   <instance>/journal  the steps that are done, a line each, on the disk before the next begins
//   <instance>/settings.json, ovf-env.xml   what the sources said, without the password
//   <instance>/result.json                  how it ended
// and of this boot alone, /run/tarn/provision: lock, journal, status.json and report.json (readable
// by all).
#pragma once

#include "base/fd.hh"
#include "base/result.hh"

#include "provision/machine.hh"
#include "provision/settings.hh"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

inline constexpr const char* kStateDirectory = "/var/lib/tarn/provision";
inline constexpr const char* kRunDirectory = "/run/tarn/provision";

// Lines of "CHECKSUM INPUTS NAME", appended whole; a torn one counts for nothing.
class Journal {
  public:
    static Result<Journal> open(const Machine& machine, const std::string& path);
    bool has(std::string_view name, std::string_view inputs) const;
    bool has_any(std::string_view name) const;                         // whatever its inputs were
    Result<void> add(std::string_view name, std::string_view inputs);  // on the disk afterwards

  private:
    Fd fd_;
    std::string path_;
    bool torn_ = false;
    std::set<std::string> entries_;  // "INPUTS NAME"
};

struct DoneStep {
    std::string name;
    double seconds = 0;
};
struct Status {
    std::string status = "running";  // "running", "done", "error", "disabled"
    std::string stage;               // "early", "network", "workload"
    std::string source, instance_id;
    bool platform_ready = false;  // login works
    bool workload_ready = false;  // the user's commands are done
    std::vector<std::string> errors, warnings;
    std::vector<std::string> payload_errors;    // those of `errors` that did not stop provisioning
    double ready_seconds = 0, end_seconds = 0;  // since power-on
    std::vector<DoneStep> steps;                // of this boot, in order
};
std::string status_json(const Status& status);
Result<Status> parse_status(std::string_view json);

std::string settings_json(const Settings& settings);  // without the password
Result<Settings> parse_settings(std::string_view json);

// Only one run works on a machine at a time: kFailed after `limit`.
Result<Fd> lock_machine(const Machine& machine, std::chrono::milliseconds limit);

class State {
  public:
    // The instance's directory is made. Those of other instances, which came with a captured disk,
    // are removed.
    static Result<State> open(const Machine& machine, const std::string& instance_id);

    const std::string& instance_id() const { return instance_id_; }  // as it is remembered
    Journal& journal() { return journal_; }
    const Journal& journal() const { return journal_; }
    Journal& boot_journal() { return boot_journal_; }
    std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }
    Result<void> save(const std::string& name, std::string_view bytes) const;  // 0600
    Result<std::optional<std::string>> load(const std::string& name) const;

  private:
    State(const Machine& machine, std::string id)
        : machine_(&machine), instance_id_(std::move(id)) {}
    const Machine* machine_;
    std::string instance_id_, directory_;
    Journal journal_, boot_journal_;
};

// How telling the platform went; a file of its own, since the workload goes on meanwhile.
struct Told {
    bool ready = false;
    double seconds = 0;  // since power-on
    std::string error;
};
std::string told_json(const Told& told);
std::optional<Told> parse_told(std::string_view json);
std::optional<Told> current_told(const Machine& machine);
Result<void> write_told(const Machine& machine, const Told& told);

// status.json of this boot; a machine that has none yet: nullopt.
std::optional<Status> current_status(const Machine& machine);
Result<void> write_status(const Machine& machine, const Status& status);

}  // namespace tarn::guest
