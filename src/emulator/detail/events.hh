// SPDX-License-Identifier: MIT
// Scheduled events as a function of the time: what each instance of a group (a scale set, or an
// instance alone) is told. Seconds are the server's, already compressed.
#pragma once

#include "emulator/scenario.hh"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarn::emulator {

class EventBook {
  public:
    explicit EventBook(const Scenario& scenario);

    // When the first answer may go out: the feature is switched on by asking, which takes two
    // minutes; a day without a question switches it off.
    double ask(const Instance& instance, double now);
    // The document, `wall` being the time of day at `now`.
    std::string document(const Instance& instance, double now, double wall) const;
    // Starts events before their time. False when one of them is not known to this instance.
    bool start(const Instance& instance, const std::vector<std::string>& ids, double now);

  private:
    struct Known {  // one event, as one group sees it
        const Event* event;
        std::string id;
        std::vector<std::string> resources;
        std::optional<double> acknowledged;
    };
    struct Group {
        std::optional<double> on;  // when it was, or will be, switched on
        double last_asked = 0;
        std::vector<Known> events;
    };
    struct Times {
        double scheduled, started, gone;
    };
    Times times(const Group& group, const Known& known) const;
    const Group* group_of(const Instance& instance) const;
    static std::string group_name(const Instance& instance);

    double compression_;
    std::map<std::string, Group> groups_;
};

}  // namespace tarn::emulator
