// SPDX-License-Identifier: MIT
#include "emulator/detail/events.hh"

#include "base/hash.hh"
#include "base/strings.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

namespace tarn::emulator {

namespace {

constexpr double kSwitchOn = 120, kForgotten = 86400;

std::string http_date(double wall) {
    const auto seconds = static_cast<std::time_t>(wall);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                       kDays[parts.tm_wday],
                       parts.tm_mday,
                       kMonths[parts.tm_mon],
                       parts.tm_year + 1900,
                       parts.tm_hour,
                       parts.tm_min,
                       parts.tm_sec);
}

std::string event_id(const Event& event, std::size_t number, const std::string& group) {
    std::string hex = sha256_hex(fmt::format("event {} {}", number, group)).substr(0, 32);
    std::string id = event.id.empty()
                         ? hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) +
                               "-" + hex.substr(16, 4) + "-" + hex.substr(20)
                         : event.id;
    for (char& c : id) {
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return id;
}

}  // namespace

std::string EventBook::group_name(const Instance& instance) {
    return instance.scale_set.empty() ? "vm/" + instance.name : "set/" + instance.scale_set;
}

EventBook::EventBook(const Scenario& scenario) : compression_(scenario.compression) {
    for (const Instance& instance : scenario.instances) {
        const std::string name = group_name(instance);
        Group& group = groups_[name];
        for (std::size_t i = 0; i < scenario.events.size(); ++i) {
            const Event& event = scenario.events[i];
            if (!glob_match(event.instances, instance.name)) {
                continue;
            }
            auto known = std::ranges::find(group.events, &event, &Known::event);
            if (known == group.events.end()) {
                group.events.push_back({&event, event_id(event, i, name), {}, {}});
                known = group.events.end() - 1;
            }
            known->resources.push_back(instance.name);
        }
    }
}

const EventBook::Group* EventBook::group_of(const Instance& instance) const {
    const auto found = groups_.find(group_name(instance));
    return found == groups_.end() ? nullptr : &found->second;
}

double EventBook::ask(const Instance& instance, double now) {
    Group& group = groups_[group_name(instance)];
    if (!group.on || now - group.last_asked > kForgotten / compression_) {
        group.on = now + kSwitchOn / compression_;
        for (Known& known : group.events) {
            known.acknowledged.reset();
        }
    }
    group.last_asked = now;
    return *group.on;
}

EventBook::Times EventBook::times(const Group& group, const Known& known) const {
    const double scheduled = group.on.value_or(0) + known.event->after_seconds / compression_;
    const double planned = scheduled + known.event->notice_seconds / compression_;
    const double started =
        known.acknowledged ? std::clamp(*known.acknowledged, scheduled, planned) : planned;
    return {scheduled, started, started + known.event->lasts_seconds / compression_};
}

std::string EventBook::document(const Instance& instance, double now, double wall) const {
    nlohmann::ordered_json root;
    std::uint64_t incarnation = 1;
    nlohmann::ordered_json events = nlohmann::ordered_json::array();
    const Group* group = group_of(instance);
    if (group != nullptr && group->on && now >= *group->on) {
        for (const Known& known : group->events) {
            const Times at = times(*group, known);
            incarnation += (now >= at.scheduled ? 1U : 0U) + (now >= at.gone ? 1U : 0U) +
                           (now >= at.started && at.started > at.scheduled ? 1U : 0U);
            if (now < at.scheduled || now >= at.gone) {
                continue;
            }
            const bool started = now >= at.started;
            events.push_back({{"EventId", known.id},
                              {"EventStatus", started ? "Started" : "Scheduled"},
                              {"EventType", known.event->type},
                              {"ResourceType", "VirtualMachine"},
                              {"Resources", known.resources},
                              {"NotBefore", started ? "" : http_date(wall + at.started - now)},
                              {"Description", known.event->description},
                              {"EventSource", "Platform"},
                              {"DurationInSeconds", -1}});
        }
    }
    root["DocumentIncarnation"] = incarnation;
    root["Events"] = std::move(events);
    return root.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool EventBook::start(const Instance& instance, const std::vector<std::string>& ids, double now) {
    Group& group = groups_[group_name(instance)];
    if (!group.on || now < *group.on) {
        return false;
    }
    std::vector<Known*> wanted;
    for (const std::string& id : ids) {
        const auto known = std::ranges::find_if(
            group.events, [&](const Known& each) { return to_lower(each.id) == to_lower(id); });
        if (known == group.events.end()) {
            return false;
        }
        const Times at = times(group, *known);
        if (now < at.scheduled || now >= at.gone) {
            return false;
        }
        wanted.push_back(&*known);
    }
    for (Known* known : wanted) {
        if (!known->acknowledged) {
            known->acknowledged = now;
        }
    }
    return true;
}

}  // namespace tarn::emulator
