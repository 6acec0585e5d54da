// SPDX-License-Identifier: MIT
// Local clients of the broker: a UNIX socket, Varlink messages, one call at a time of each
// connection, and limits that no client can make others pay for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "metadata/broker.hh"
#include "metadata/loop.hh"

namespace tarn::guest {

struct ServerLimits {
    std::size_t connections = 512, of_one_user = 64, of_root = 384;
    Millis idle{60'000};            // without a call
    Millis partial{10'000};         // for the rest of a call that has begun
    Millis stuck{30'000};           // for a client that does not read
    std::size_t output = 1u << 20;  // more waits for a client: it is let go
};

class Server {
  public:
    using PeerOf = std::function<Result<Peer>(int socket)>;
    Server(Loop& loop, Broker& broker, ServerLimits limits = {}, PeerOf peer_of_socket = peer_of);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Result<void> listen(Fd listener);
    // Since when nobody is connected and nothing is under way; nothing while somebody is.
    std::optional<Millis> quiet_since() const;
    std::size_t connections() const { return connections_.size(); }

  private:
    struct Connection {
        std::uint64_t id = 0;
        Fd socket;
        Peer peer;
        std::string in, out;
        std::size_t sent = 0;
        bool busy = false, streaming = false, processing = false, oneway = false, ended = false;
        std::uint64_t ticket = 0;
        std::uint32_t events = 0;
        Millis active{0}, began{0};  // of anything; of the call that has not come whole
    };
    void accept_all();
    void add(Fd socket, Peer peer);
    void ready(std::uint64_t id, std::uint32_t events);
    bool receive(Connection& connection);
    void process(Connection& connection);
    bool one_call(Connection& connection, std::string_view message);
    void answered(std::uint64_t id, const std::string& message, bool last);
    bool flush(Connection& connection);
    void watch_what_matters(Connection& connection);
    void close(std::uint64_t id);
    void sweep();

    Loop& loop_;
    Broker& broker_;
    ServerLimits limits_;
    PeerOf peer_of_;
    Fd listener_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
    std::map<uid_t, std::size_t> of_user_;
    std::uint64_t next_ = 1;
    Millis quiet_since_{0};
    Scheduler::TimerId sweep_timer_ = 0;
};

// The socket that systemd passed (LISTEN_FDS), or nothing.
std::optional<Fd> passed_socket();
// A listening socket at `path` for all to connect to; what was there is replaced.
Result<Fd> listen_at(const std::string& path);

}  // namespace tarn::guest
