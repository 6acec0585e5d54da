// rooms: guest_metadata
// SPDX-License-Identifier: MIT
// Calls of clients, and what the broker answers them: whatever comes, one answer of one message.
#include "metadata/broker.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace tarn::guest;

class Clock : public Scheduler {
  public:
    Millis now() const override { return Millis(1000); }
    std::int64_t wall() const override { return 1'790'000'000; }
};
// Answers nothing.
class Nowhere : public Transport {
  public:
    void start(const HttpRequest&, Exchanged) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parse_reply(text);
    const auto call = parse_call(text);
    if (!call) {
        return 0;
    }
    Clock clock;
    Nowhere transport;
    Gate gate(clock, transport);
    Fetcher fetcher(clock, gate, {"127.0.0.1", 80});
    Broker broker(clock, fetcher, Access(), {}, [](const std::string&) {});
    for (const uid_t uid : {0U, 1000U}) {
        Peer peer;
        peer.uid = uid;
        int answers = 0;
        const auto ticket = broker.call(peer, *call, [&](const std::string& message, bool) {
            ++answers;
            if (!parse_reply(message) || message.find('\0') != std::string::npos) {
                __builtin_trap();
            }
        });
        if (answers + (ticket != 0 ? 1 : 0) != 1) {
            __builtin_trap();
        }
        broker.forget(ticket);
        if (!broker.idle()) {
            __builtin_trap();
        }
    }
    return 0;
}
