// SPDX-License-Identifier: MIT
// Programs of the administrator that are told of scheduled events. A program of its own beside the
// broker, so that the broker starts no programs; systemd runs it only where there are hooks.
//
// Every executable file of /etc/tarn/events.d and /usr/lib/tarn/events.d runs in the order of names
// (one in /etc takes the place of the same name in /usr/lib; a link to /dev/null masks it), with
// the event as JSON on standard input and in TARN_EVENT_{ID,TYPE,STAGE,STATUS,NOT_BEFORE,RESOURCES,
// LEADER}. STAGE is Scheduled (drain now), Started (it happens, perhaps without notice) or Gone (it
// is over or cancelled: undo). When all hooks of Scheduled end with 0 in time, and this machine is
// the first of the event's resources, the event is acknowledged; else it happens at its time.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/process.hh"
#include "metadata/events.hh"
#include "metadata/loop.hh"

namespace tarn::guest {

struct HookOptions {
    std::vector<std::string> directories{"/etc/tarn/events.d", "/usr/lib/tarn/events.d"};
    std::string state =
        "/var/lib/tarn/events/told.json";  // what was told, across restarts and reboots
    std::string machine;                   // compute.name
    Millis longest{0};                     // 0: the notice of the event's type
};

// Those that would run, in order. One that others than root may write is refused and told of.
std::vector<std::string> find_hooks(const std::vector<std::string>& directories,
                                    std::vector<std::string>& complaints);
// How long the hooks of a change may take, by its NotBefore and its type.
Millis drain_time(const Change& change, std::int64_t wall);
std::string told_text(const std::vector<Change>& told);
std::vector<Change> parse_told(std::string_view json);  // nothing of what it cannot read

class HookRunner {
  public:
    using Acknowledge = std::function<void(const std::string& event_id)>;
    using Log = std::function<void(const std::string& line)>;
    HookRunner(const Scheduler& clock, HookOptions options, Acknowledge acknowledge, Log log);

    void take(const EventDocument& document);
    // Sees to the programs that run; false when there are none.
    bool step();

  private:
    struct Run {
        Change change;
        std::vector<std::string> hooks;
        std::size_t next = 0;
        std::optional<Child> child;
        std::optional<Millis> end;
        bool good = true;
    };
    bool advance(Run& run);
    void start_next(Run& run);
    void finish(const Run& run);
    Command command_of(const Run& run, int input) const;

    const Scheduler& clock_;
    HookOptions options_;
    Acknowledge acknowledge_;
    Log log_;
    std::vector<Change> told_;
    std::list<Run> runs_;
};

}  // namespace tarn::guest
