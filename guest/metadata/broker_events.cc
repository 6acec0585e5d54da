// SPDX-License-Identifier: MIT
// Scheduled events: asked for once a second while somebody listens, and not at all otherwise: the
// first question switches the feature on for the machine.
#include <algorithm>
#include <utility>

#include "metadata/broker_detail.hh"

namespace tarn::guest {

namespace {

std::string events_reply(const EventDocument& document, bool continues) {
    std::string events = "[";
    for (const ScheduledEvent& event : document.events) {
        events += events.size() > 1 ? "," : "";
        events += event_text(event);
    }
    return reply_text(object_text({{"incarnation", std::to_string(document.incarnation)},
                                   {"events", events + "]"}}),
                      continues);
}

constexpr Millis kFirstAnswer{120'000};  // switching the feature on takes up to two minutes

}  // namespace

void Broker::poll_events() {
    scheduler_.cancel(poll_timer_);
    poll_timer_ = 0;
    if (events_.pending) {
        return;
    }
    FetchRequest request;
    request.key = "events";
    request.rule = RetryRule::kOnce;
    request.target = kEventsTarget;
    request.first_try = event_document_ ? Millis(10'000) : kFirstAnswer;
    start(events_, request, [this](const Fetched& fetched) { landed_events(fetched); });
}

void Broker::landed_events(const Fetched& fetched) {
    bool good = fetched.status == 200;
    if (good) {
        auto document = parse_events(fetched.body);
        good = document.has_value();
        if (good) {
            const bool news = !event_document_ || *event_document_ != *document;
            event_document_ = std::move(*document);
            events_fetched_ = scheduler_.now();
            const std::string message = news ? events_reply(*event_document_, true) : std::string();
            const auto listeners = news ? subscribers_ : decltype(subscribers_){};
            for (const auto& [ticket, answer] : listeners) {
                answer(message, false);
            }
        } else {
            events_.last = {0, {}, document.error().message};
        }
    }
    if (!good) {
        log_("scheduled events: " + events_.last.why);
    }
    poll_pause_ = good ? options_.poll : std::min(poll_pause_ * 2, options_.longest_poll);
    if (!subscribers_.empty()) {
        poll_timer_ = scheduler_.after(poll_pause_, [this] {
            if (!subscribers_.empty()) {
                poll_events();
            }
        });
    }
}

std::uint64_t Broker::get_events(const Request& request) {
    const bool fresh = event_document_ && scheduler_.now() - events_fetched_ < 2 * options_.poll;
    if (request.call.more) {
        const std::uint64_t ticket = next_++;
        subscribers_.emplace(ticket, request.answer);
        if (fresh) {
            request.answer(events_reply(*event_document_, true), false);
        } else {
            event_document_.reset();  // so that the next one is news
        }
        if (poll_timer_ == 0) {
            poll_events();
        }
        return ticket;
    }
    if (fresh) {
        request.answer(events_reply(*event_document_, false), true);
        return 0;
    }
    const std::uint64_t ticket =
        wait(events_, options_.event_patience, request.answer, [this, answer = request.answer] {
            if (events_.last.status == 200 && event_document_) {
                answer(events_reply(*event_document_, false), true);
            } else {
                unavailable(answer, events_.last);
            }
        });
    poll_events();
    return ticket;
}

std::uint64_t Broker::acknowledge(const Request& request) {
    if (!request.peer.is_root()) {
        return refuse(request.answer, kPermissionDenied);
    }
    const std::string id = text_of(request.call, "eventId");
    if (!is_event_id(id)) {
        return invalid(request.answer, "eventId");
    }
    const bool force = flag_of(request.call, "force", false);
    // Who leads is known by the machine's name, and the event by the document as it is now.
    return with_document(
        instance_, true, request.answer, [this, id, force, answer = request.answer] {
            const auto look = [this, id, force, answer] {
                if (events_.last.status != 200 || !event_document_) {
                    return unavailable(answer, events_.last);
                }
                const auto& all = event_document_->events;
                const auto event = std::ranges::find(all, id, &ScheduledEvent::id);
                if (event == all.end()) {
                    return refuse(
                        answer, "org.tarn.Metadata.EventNotFound", {{"eventId", string_text(id)}});
                }
                return ack_known(*event, force, answer);
            };
            if (event_document_ && scheduler_.now() - events_fetched_ < 2 * options_.poll) {
                return look();
            }
            const std::uint64_t ticket = wait(events_, options_.event_patience, answer, look);
            poll_events();
            return ticket;
        });
}

std::uint64_t Broker::ack_known(const ScheduledEvent& event, bool force, const Answer& answer) {
    if (!force && !leads(event, instance_.document->text("compute/name"))) {
        return refuse(
            answer,
            "org.tarn.Metadata.NotLeader",
            {{"leader",
              string_text(event.resources.empty() ? std::string() : event.resources.front())}});
    }
    if (event.status == "Started") {
        answer(reply_text("{}"), true);  // it happens already
        return 0;
    }
    FetchRequest request;
    request.key = "acknowledge " + event.id;
    request.method = "POST";
    request.target = kEventsTarget;
    request.body = acknowledgement(event.id);
    request.first_try = Millis(10'000);
    log_(fmt::format("acknowledging event {} ({})", event.id, event.type));
    return once(request, options_.document_patience, answer, [answer](const Fetched& fetched) {
        if (fetched.status == 200) {
            answer(reply_text("{}"), true);
        } else {
            unavailable(answer, fetched);
        }
    });
}

}  // namespace tarn::guest
