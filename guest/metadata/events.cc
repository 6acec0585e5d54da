// SPDX-License-Identifier: MIT
#include "metadata/events.hh"

#include <algorithm>
#include <ctime>

#include "base/strings.hh"
#include "varlink/json.hh"

namespace tarn::guest {

namespace {

constexpr std::size_t kMaxEvents = 256, kMaxResources = 1024, kMaxText = 4096;

Result<ScheduledEvent> parse_event(const nlohmann::json& json, std::size_t index) {
    ScheduledEvent event;
    event.id = text_member(json, "EventId");
    event.type = text_member(json, "EventType");
    event.resource_type = text_member(json, "ResourceType");
    event.status = text_member(json, "EventStatus");
    event.not_before = text_member(json, "NotBefore");
    event.description = text_member(json, "Description");
    event.source = text_member(json, "EventSource");
    if (!is_event_id(event.id)) {
        return fail(
            ErrorKind::kCorrupt, "Events[{}].EventId: `{}` is no identifier", index, event.id);
    }
    if (event.type.empty() || event.status.empty()) {
        return fail(ErrorKind::kCorrupt, "Events[{}]: no EventType or no EventStatus", index);
    }
    const auto duration = json.find("DurationInSeconds");
    if (duration != json.end() && duration->is_number_integer()) {
        event.duration_seconds = duration->get<std::int64_t>();
    }
    const auto resources = json.find("Resources");
    if (resources == json.end() || !resources->is_array() || resources->size() > kMaxResources) {
        return fail(ErrorKind::kCorrupt, "Events[{}].Resources: expected a list of names", index);
    }
    for (const auto& name : *resources) {
        if (!name.is_string() || name.get_ref<const std::string&>().size() > kMaxText) {
            return fail(ErrorKind::kCorrupt, "Events[{}].Resources: expected names", index);
        }
        event.resources.push_back(name.get<std::string>());
    }
    return event;
}

nlohmann::json event_json(const ScheduledEvent& event) {
    return {{"EventId", event.id},
            {"EventType", event.type},
            {"ResourceType", event.resource_type},
            {"Resources", event.resources},
            {"EventStatus", event.status},
            {"NotBefore", event.not_before},
            {"Description", event.description},
            {"EventSource", event.source},
            {"DurationInSeconds", event.duration_seconds}};
}

}  // namespace

bool is_event_id(std::string_view id) {
    return !id.empty() && id.size() <= 128 && id.front() != '-' && id.front() != '.' &&
           std::ranges::all_of(id, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == '.';
           });
}

Result<EventDocument> parse_events(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return fail(ErrorKind::kCorrupt, "scheduled events: no JSON object");
    }
    EventDocument document;
    const auto incarnation = json->find("DocumentIncarnation");
    if (incarnation != json->end() && incarnation->is_number_integer()) {
        document.incarnation = incarnation->get<std::int64_t>();
    }
    const auto events = json->find("Events");
    if (events == json->end() || !events->is_array() || events->size() > kMaxEvents) {
        return fail(
            ErrorKind::kCorrupt, "scheduled events: `Events` is no list of up to {}", kMaxEvents);
    }
    for (std::size_t i = 0; i < events->size(); ++i) {
        if (!(*events)[i].is_object()) {
            return fail(ErrorKind::kCorrupt, "Events[{}]: expected an object", i);
        }
        document.events.push_back(TARN_TRY(parse_event((*events)[i], i)));
    }
    return document;
}

std::string event_text(const ScheduledEvent& event) {
    return dump_json(event_json(event));
}

std::string document_text(const EventDocument& document) {
    nlohmann::json events = nlohmann::json::array();
    for (const ScheduledEvent& event : document.events) {
        events.push_back(event_json(event));
    }
    return dump_json({{"DocumentIncarnation", document.incarnation}, {"Events", events}});
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
    if (text.empty() || text.size() > 64) {
        return std::nullopt;
    }
    tm time{};
    const std::string copy(text);
    const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    return timegm(&time);
}

bool leads(const ScheduledEvent& event, std::string_view machine) {
    return !event.resources.empty() && to_lower(event.resources.front()) == to_lower(machine);
}

bool concerns(const ScheduledEvent& event, std::string_view machine) {
    const std::string lower = to_lower(machine);
    return std::ranges::any_of(event.resources,
                               [&](const std::string& name) { return to_lower(name) == lower; });
}

std::string acknowledgement(std::string_view event_id) {
    return dump_json({{"StartRequests", {{{"EventId", std::string(event_id)}}}}});
}

std::string_view stage_name(Stage stage) {
    switch (stage) {
        case Stage::kScheduled:
            return "Scheduled";
        case Stage::kStarted:
            return "Started";
        case Stage::kGone:
            return "Gone";
    }
    return "";
}

std::vector<Change> changes(const std::vector<Change>& told,
                            const EventDocument& document,
                            std::string_view machine) {
    std::vector<Change> out;
    for (const ScheduledEvent& event : document.events) {
        if (!concerns(event, machine)) {
            continue;
        }
        const Stage stage = event.status == "Started" ? Stage::kStarted : Stage::kScheduled;
        const auto known =
            std::ranges::find_if(told, [&](const Change& one) { return one.event.id == event.id; });
        if (known == told.end() || (known->stage == Stage::kScheduled && stage != known->stage)) {
            out.push_back({event, stage});
        }
    }
    for (const Change& one : told) {
        const bool there = std::ranges::any_of(
            document.events, [&](const ScheduledEvent& event) { return event.id == one.event.id; });
        if (!there) {
            out.push_back({one.event, Stage::kGone});
        }
    }
    return out;
}

}  // namespace tarn::guest
