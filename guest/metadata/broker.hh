// SPDX-License-Identifier: MIT
// What the broker answers. It knows nothing of sockets: a peer, a call and where its replies go.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metadata/access.hh"
#include "metadata/document.hh"
#include "metadata/events.hh"
#include "metadata/fetch.hh"
#include "metadata/token.hh"
#include "varlink/message.hh"

namespace tarn::guest {

inline constexpr std::string_view kInterface = "org.tarn.Metadata";
// The interface of systemd's service of the same kind: Get() of it is served as well.
inline constexpr std::string_view kSystemdInterface = "io.systemd.InstanceMetadata";
std::string_view interface_description(std::string_view name);  // empty: not one of ours

struct BrokerOptions {
    // A document that old is asked for again while the old one is served; four times as old, the
    // client waits for the new one.
    Millis document_ttl{300'000};
    Millis document_patience{30'000}, token_patience{75'000}, event_patience{125'000};
    Millis refused_ttl{10'000};    // how long a final refusal of a token is remembered
    Millis refresh_pause{30'000};  // after a refresh that failed while the old token serves
    Millis poll{1'000}, longest_poll{10'000};
    std::size_t max_tokens = 128, max_replies = 512;
    std::string dmi_uuid;  // /sys/class/dmi/id/product_uuid; empty: unknown
};

class Broker {
  public:
    // One message without its NUL; `last`: no more will come for this call.
    using Answer = std::function<void(const std::string& message, bool last)>;
    using Log = std::function<void(const std::string& line)>;

    Broker(Scheduler& scheduler, Fetcher& fetcher, Access access, BrokerOptions options, Log log);
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    // A ticket for forget(), or 0 when the last answer was given before this returned.
    std::uint64_t call(const Peer& peer, const ParsedCall& call, const Answer& answer);
    void forget(std::uint64_t ticket);
    void set_access(Access access) { access_ = std::move(access); }
    bool idle() const { return waiters_.empty() && subscribers_.empty(); }
    std::size_t tokens() const { return tokens_.size(); }

  private:
    // Something of the platform that many may wait for.
    struct Entry {
        std::string key;  // of its flight
        std::uint64_t flight = 0;
        bool pending = false;
        bool landing = false;  // those who waited are being answered
        Fetched last;
        std::vector<std::uint64_t> waiters;
    };
    struct Source : Entry {
        FetchRequest request;
        std::optional<Document> document;
        Millis fetched{0}, next_refresh{0};
        bool stale = false;
        std::array<std::unordered_map<std::string, std::string>, 2> replies;  // by Sight
    };
    struct TokenEntry : Entry {
        std::optional<Token> token;
        TokenTimes times;
        Millis used{0}, refused_until{0};
    };
    struct Waiter {
        Entry* entry = nullptr;
        std::function<void()> resume;  // the entry has landed
        Answer answer;
        Scheduler::TimerId timer = 0;
    };
    struct Request {
        const Peer& peer;
        const Call& call;
        const Answer& answer;
    };
    using Handler = std::uint64_t (Broker::*)(const Request&);
    struct Method;
    static const std::vector<Method>& methods();

    std::uint64_t dispatch(const Peer& peer, const ParsedCall& call, const Answer& answer);
    std::uint64_t wait(Entry& entry,
                       Millis patience,
                       const Answer& answer,
                       std::function<void()> resume);
    void start(Entry& entry,
               const FetchRequest& request,
               std::function<void(const Fetched&)> landed);
    void resume_all(Entry& entry);

    std::uint64_t get(const Request& request);
    std::uint64_t get_systemd(const Request& request);
    std::uint64_t get_token(const Request& request);
    std::uint64_t get_attested(const Request& request);
    std::uint64_t get_events(const Request& request);
    std::uint64_t acknowledge(const Request& request);
    std::uint64_t status(const Request& request);
    std::uint64_t info(const Request& request);
    std::uint64_t description(const Request& request);

    // Calls `use` once the source has a document, at once when it has.
    std::uint64_t with_document(Source& source,
                                bool cached,
                                const Answer& answer,
                                std::function<std::uint64_t()> use);
    void refresh(Source& source);
    void landed(Source& source, const Fetched& fetched);
    bool may_be_cached(const Request& request, const Source& source) const;
    Source* source_of(std::string_view& path);
    bool answer_path(Source& source,
                     const std::string& key,
                     std::string_view path,
                     Sight sight,
                     const Answer& answer);

    TokenEntry* token_entry(const TokenKey& key);
    void refresh(const TokenKey& key, TokenEntry& entry);
    void landed(TokenEntry& entry, const Fetched& fetched);
    bool answer_token(TokenEntry& entry, const Answer& answer);
    // A request of its own, whose answer is not kept.
    std::uint64_t once(const FetchRequest& request,
                       Millis patience,
                       const Answer& answer,
                       std::function<void(const Fetched&)> use);

    void poll_events();
    void landed_events(const Fetched& fetched);
    std::uint64_t ack_known(const ScheduledEvent& event, bool force, const Answer& answer);

    Scheduler& scheduler_;
    Fetcher& fetcher_;
    Access access_;
    BrokerOptions options_;
    Log log_;
    Source instance_, balancer_, versions_;
    std::string vm_id_;
    std::map<TokenKey, TokenEntry> tokens_;
    std::map<std::string, Entry> once_;
    Entry events_;
    std::optional<EventDocument> event_document_;
    Millis events_fetched_{0}, poll_pause_{0};
    Scheduler::TimerId poll_timer_ = 0;
    std::map<std::uint64_t, Answer> subscribers_;
    std::unordered_map<std::uint64_t, Waiter> waiters_;
    std::uint64_t next_ = 1, calls_ = 0;
    std::uint64_t resuming_ = 0;  // the ticket whose work goes on after its entry landed
};

}  // namespace tarn::guest
