// SPDX-License-Identifier: MIT
// Scheduled events: the document, who may acknowledge, and what changed between two documents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace tarn::guest {

inline constexpr const char* kEventsTarget = "/metadata/scheduledevents?api-version=2020-07-01";

struct ScheduledEvent {
    std::string id, type, resource_type, status, not_before, description, source;
    std::vector<std::string> resources;
    std::int64_t duration_seconds = -1;
    bool operator==(const ScheduledEvent&) const = default;
};
struct EventDocument {
    std::int64_t incarnation = 0;
    std::vector<ScheduledEvent> events;
    bool operator==(const EventDocument&) const = default;
};
// Limits: 256 events, 1024 resources each. kCorrupt with the path that is wrong.
Result<EventDocument> parse_events(std::string_view json);
std::string event_text(const ScheduledEvent& event);       // the service's own JSON form
std::string document_text(const EventDocument& document);  // as well

// "Mon, 04 May 2026 10:20:00 GMT" in seconds since 1970; nothing for an empty or wrong text.
std::optional<std::int64_t> parse_http_date(std::string_view text);

// An acknowledgement lets the event happen for every machine of `resources`, so one speaks for all:
// the first of them.
bool leads(const ScheduledEvent& event, std::string_view machine);
bool concerns(const ScheduledEvent& event, std::string_view machine);
std::string acknowledgement(std::string_view event_id);  // body of the POST
// A name that is safe in a file name and an environment.
bool is_event_id(std::string_view id);

enum class Stage { kScheduled, kStarted, kGone };
std::string_view stage_name(Stage stage);
struct Change {
    ScheduledEvent event;
    Stage stage = Stage::kScheduled;
};
// What a machine is to be told, given what it was told before. An event that is gone was cancelled
// or is over: the service does not say which.
std::vector<Change> changes(const std::vector<Change>& told,
                            const EventDocument& document,
                            std::string_view machine);

}  // namespace tarn::guest
