// SPDX-License-Identifier: MIT
#include "metadata/broker.hh"

#include <algorithm>
#include <utility>

#include "imds/imds.hh"
#include "metadata/broker_detail.hh"

namespace tarn::guest {

namespace {

constexpr std::string_view kDescription = R"(# The machine's metadata, tokens and scheduled events
interface org.tarn.Metadata

# What is below a path: /instance/..., /loadbalancer/..., /versions. A leaf is its text, all else
# JSON. User data is empty for all but root. fetchedUSec is CLOCK_BOOTTIME.
method Get(key: string, cache: ?bool) -> (data: string, leaf: bool, fetchedUSec: int, stale: bool)

# A token of a managed identity; at most one of the three ids.
method GetToken(resource: string, clientId: ?string, objectId: ?string, msiResId: ?string) -> (accessToken: string, tokenType: string, expiresOn: int, expiresIn: int, resource: string, clientId: string)

# The signed document, not verified: the caller does that.
method GetAttested(nonce: ?string) -> (encoding: string, signature: string)

# With "more": the events now and whenever they change.
method GetEvents() -> (incarnation: int, events: []object)

# Lets an event happen before its time. For the first of its resources only, unless forced.
method Acknowledge(eventId: string, force: ?bool) -> ()

method GetStatus() -> (version: string, identity: string, documentAgeUSec: ?int, tokens: int, calls: int, subscribers: int)

error KeyNotFound (key: string)
error NotAvailable (status: int, reason: string)
error TokenRefused (status: int, code: string, description: string)
error Timeout (reason: string)
error Busy ()
error EventNotFound (eventId: string)
error NotLeader (leader: string)
)";

constexpr std::string_view kSystemdDescription = R"(# The part of systemd's interface that is served
interface io.systemd.InstanceMetadata

type WellKnown (base, hostname, region, zone, ipv4_public, ipv6_public, ssh_key, userdata, userdata_base, userdata_base64)

method Get(key: ?string, wellKnown: ?WellKnown, interface: ?int, refreshUSec: ?int, cache: ?bool, firewallMark: ?int, wait: ?bool) -> (data: string, interface: ?int)

error KeyNotFound ()
error WellKnownKeyUnset ()
error NotAvailable ()
error NotSupported ()
error CommunicationFailure ()
error Timeout ()
)";

constexpr std::string_view kServiceDescription = R"(interface org.varlink.service

method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)
method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound (interface: string)
error MethodNotFound (method: string)
error MethodNotImplemented (method: string)
error InvalidParameter (parameter: string)
error PermissionDenied ()
error ExpectedMore ()
)";

}  // namespace

std::string_view interface_description(std::string_view name) {
    if (name == kInterface) {
        return kDescription;
    }
    if (name == kSystemdInterface) {
        return kSystemdDescription;
    }
    return name == "org.varlink.service" ? kServiceDescription : std::string_view();
}

struct Broker::Method {
    std::string_view name;
    Handler handler;
    std::vector<std::string_view> parameters;
};

const std::vector<Broker::Method>& Broker::methods() {
    static const std::vector<Method> kMethods = {
        {"org.tarn.Metadata.Get", &Broker::get, {"key", "cache"}},
        {"org.tarn.Metadata.GetToken",
         &Broker::get_token,
         {"resource", "clientId", "objectId", "msiResId"}},
        {"org.tarn.Metadata.GetAttested", &Broker::get_attested, {"nonce"}},
        {"org.tarn.Metadata.GetEvents", &Broker::get_events, {}},
        {"org.tarn.Metadata.Acknowledge", &Broker::acknowledge, {"eventId", "force"}},
        {"org.tarn.Metadata.GetStatus", &Broker::status, {}},
        {"io.systemd.InstanceMetadata.Get",
         &Broker::get_systemd,
         {"key", "wellKnown", "interface", "refreshUSec", "cache", "firewallMark", "wait"}},
        {"org.varlink.service.GetInfo", &Broker::info, {}},
        {"org.varlink.service.GetInterfaceDescription", &Broker::description, {"interface"}},
    };
    return kMethods;
}

namespace {

FetchRequest document_request(std::string key, std::string target, std::string older) {
    FetchRequest request;
    request.key = std::move(key);
    request.target = std::move(target);
    request.older_target = std::move(older);
    return request;
}

}  // namespace

Broker::Broker(
    Scheduler& scheduler, Fetcher& fetcher, Access access, BrokerOptions options, Log log)
    : scheduler_(scheduler),
      fetcher_(fetcher),
      access_(std::move(access)),
      options_(std::move(options)),
      log_(std::move(log)),
      poll_pause_(options_.poll) {
    instance_.request = document_request("instance", kInstanceTarget, kInstanceTargetOlder);
    balancer_.request =
        document_request("loadbalancer", "/metadata/loadbalancer?api-version=2020-10-01", {});
    balancer_.request.absent_is_final = true;
    versions_.request = document_request("versions", "/metadata/versions", {});
    for (Source* source : {&instance_, &balancer_, &versions_}) {
        source->key = source->request.key;
    }
    events_.key = "events";
}

Broker::~Broker() {
    scheduler_.cancel(poll_timer_);
    for (const auto& [ticket, waiter] : waiters_) {
        scheduler_.cancel(waiter.timer);
    }
}

std::uint64_t Broker::call(const Peer& peer, const ParsedCall& call, const Answer& answer) {
    ++calls_;
    // An answer may let its connection's next call in: that one has a ticket of its own.
    const std::uint64_t outer = std::exchange(resuming_, 0);
    const std::uint64_t ticket = dispatch(peer, call, answer);
    resuming_ = outer;
    return ticket;
}

std::uint64_t Broker::dispatch(const Peer& peer, const ParsedCall& parsed, const Answer& answer) {
    const Call& call = parsed.call;
    const auto& all = methods();
    const auto method = std::ranges::find(all, call.method, &Method::name);
    if (method == all.end()) {
        const std::string interface = call.method.substr(0, call.method.rfind('.'));
        if (interface_description(interface).empty()) {
            return refuse(answer,
                          "org.varlink.service.InterfaceNotFound",
                          {{"interface", string_text(interface)}});
        }
        return refuse(
            answer, "org.varlink.service.MethodNotFound", {{"method", string_text(call.method)}});
    }
    if (!parsed.odd_parameter.empty()) {
        return invalid(answer, parsed.odd_parameter);
    }
    for (const auto& [name, value] : call.parameters) {
        if (std::ranges::find(method->parameters, name) == method->parameters.end()) {
            return invalid(answer, name);
        }
    }
    return (this->*method->handler)({peer, call, answer});
}

std::uint64_t Broker::wait(Entry& entry,
                           Millis patience,
                           const Answer& answer,
                           std::function<void()> resume) {
    const std::uint64_t ticket = resuming_ != 0 ? resuming_ : next_++;
    const auto give_up = [this, ticket, patience, &entry] {
        const auto found = waiters_.find(ticket);
        if (found == waiters_.end()) {
            return;
        }
        const Answer late = found->second.answer;
        std::string why = fetcher_.problem(entry.key);
        why = why.empty() ? fmt::format("no answer in {} s", patience.count() / 1000) : why;
        forget(ticket);
        refuse(late, "org.tarn.Metadata.Timeout", {{"reason", string_text(why)}});
    };
    waiters_[ticket] = {&entry, std::move(resume), answer, scheduler_.after(patience, give_up)};
    entry.waiters.push_back(ticket);
    return ticket;
}

void Broker::start(Entry& entry,
                   const FetchRequest& request,
                   std::function<void(const Fetched&)> landed) {
    entry.pending = true;
    entry.key = request.key;
    entry.flight = fetcher_.fetch(request, [this, &entry, landed](const Fetched& fetched) {
        entry.pending = false;
        entry.landing = true;
        entry.last = fetched;
        landed(fetched);
        resume_all(entry);
        entry.landing = false;
        // The answers to calls of their own are not kept.
        const auto own = once_.find(entry.key);
        if (own != once_.end() && &own->second == &entry && !entry.pending) {
            once_.erase(own);
        }
    });
}

void Broker::resume_all(Entry& entry) {
    for (const std::uint64_t ticket : std::exchange(entry.waiters, {})) {
        const auto found = waiters_.find(ticket);
        if (found == waiters_.end()) {
            continue;
        }
        const auto resume = std::move(found->second.resume);
        scheduler_.cancel(found->second.timer);
        waiters_.erase(found);
        resuming_ = ticket;
        resume();
        resuming_ = 0;
    }
}

void Broker::forget(std::uint64_t ticket) {
    subscribers_.erase(ticket);
    const auto found = waiters_.find(ticket);
    if (found == waiters_.end()) {
        return;
    }
    Entry& entry = *found->second.entry;
    scheduler_.cancel(found->second.timer);
    waiters_.erase(found);
    std::erase(entry.waiters, ticket);
    if (!entry.waiters.empty() || !entry.pending || &entry == &events_) {
        return;
    }
    fetcher_.forget(entry.flight);
    entry.pending = false;
    if (const auto own = once_.find(entry.key); own != once_.end() && &own->second == &entry) {
        once_.erase(own);
    }
}

std::uint64_t Broker::once(const FetchRequest& request,
                           Millis patience,
                           const Answer& answer,
                           std::function<void(const Fetched&)> use) {
    Entry& entry = once_[request.key];
    const std::uint64_t ticket =
        wait(entry, patience, answer, [&entry, use = std::move(use)] { use(entry.last); });
    if (!entry.pending) {
        start(entry, request, [](const Fetched&) {});
    }
    return ticket;
}

std::uint64_t Broker::status(const Request& request) {
    std::string identity = "unknown";
    if (!vm_id_.empty() && !options_.dmi_uuid.empty()) {
        identity = same_vm_id(vm_id_, options_.dmi_uuid) ? "same" : "different";
    }
    const auto age = instance_.document
                         ? std::to_string((scheduler_.now() - instance_.fetched).count() * 1000)
                         : std::string("null");
    request.answer(reply_text(object_text({{"version", string_text("0.1.0")},
                                           {"identity", string_text(identity)},
                                           {"documentAgeUSec", age},
                                           {"tokens", std::to_string(tokens_.size())},
                                           {"calls", std::to_string(calls_)},
                                           {"subscribers", std::to_string(subscribers_.size())}})),
                   true);
    return 0;
}

std::uint64_t Broker::info(const Request& request) {
    request.answer(reply_text(object_text({{"vendor", string_text("Tarn")},
                                           {"product", string_text("tarn-metadata")},
                                           {"version", string_text("0.1.0")},
                                           {"url", string_text("")},
                                           {"interfaces",
                                            fmt::format("[{},{},{}]",
                                                        string_text(kSystemdInterface),
                                                        string_text(kInterface),
                                                        string_text("org.varlink.service"))}})),
                   true);
    return 0;
}

std::uint64_t Broker::description(const Request& request) {
    const std::string name = text_of(request.call, "interface");
    const std::string_view text = interface_description(name);
    if (text.empty()) {
        return refuse(request.answer,
                      "org.varlink.service.InterfaceNotFound",
                      {{"interface", string_text(name)}});
    }
    request.answer(reply_text(object_text({{"description", string_text(text)}})), true);
    return 0;
}

}  // namespace tarn::guest
