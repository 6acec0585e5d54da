// SPDX-License-Identifier: MIT
#include "metadata/server.hh"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/strings.hh"

namespace tarn::guest {

Server::Server(Loop& loop, Broker& broker, ServerLimits limits, PeerOf peer_of_socket)
    : loop_(loop),
      broker_(broker),
      limits_(limits),
      peer_of_(std::move(peer_of_socket)),
      quiet_since_(loop.now()) {}

Server::~Server() {
    loop_.cancel(sweep_timer_);
    while (!connections_.empty()) {
        close(connections_.begin()->first);
    }
    if (listener_) {
        loop_.unwatch(listener_.get());
    }
}

Result<void> Server::listen(Fd listener) {
    const int flags = fcntl(listener.get(), F_GETFL);
    if (flags < 0 || fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
        return fail(sys_error("set up", "the socket"));
    }
    TARN_TRY(loop_.watch(listener.get(), EPOLLIN, [this](std::uint32_t) { accept_all(); }));
    listener_ = std::move(listener);
    return {};
}

std::optional<Millis> Server::quiet_since() const {
    return connections_.empty() ? std::optional(quiet_since_) : std::nullopt;
}

void Server::accept_all() {
    for (int i = 0; i < 64; ++i) {
        Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            return;
        }
        auto peer = peer_of_(socket.get());
        if (!peer || connections_.size() >= limits_.connections ||
            of_user_[peer->uid] >= (peer->is_root() ? limits_.of_root : limits_.of_one_user)) {
            continue;  // closed
        }
        add(std::move(socket), std::move(*peer));
    }
}

void Server::add(Fd socket, Peer peer) {
    auto connection = std::make_unique<Connection>();
    const std::uint64_t id = next_++;
    connection->id = id;
    connection->socket = std::move(socket);
    connection->peer = std::move(peer);
    connection->events = EPOLLIN;
    connection->active = loop_.now();
    const auto watched = loop_.watch(
        connection->socket.get(), EPOLLIN, [this, id](std::uint32_t events) { ready(id, events); });
    if (watched) {
        ++of_user_[connection->peer.uid];
        connections_.emplace(id, std::move(connection));
        if (sweep_timer_ == 0) {
            sweep_timer_ = loop_.after(Millis(1000), [this] { sweep(); });
        }
    }
}

void Server::ready(std::uint64_t id, std::uint32_t events) {
    Connection& connection = *connections_.at(id);
    const bool over =
        (events & EPOLLIN) != 0 ? !receive(connection) : (events & (EPOLLERR | EPOLLHUP)) != 0;
    if (over) {
        return close(id);
    }
    process(connection);
}

// False when the connection is of no more use.
bool Server::receive(Connection& connection) {
    std::array<char, 16384> buffer;
    const ssize_t got = recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (got == 0) {
        connection.ended = true;
        return (connection.busy && !connection.streaming) || !connection.out.empty();
    }
    connection.active = loop_.now();
    if (connection.in.empty()) {
        connection.began = connection.active;
    }
    connection.in.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
}

// Calls that have come whole, then what there is to send; may end the connection.
void Server::process(Connection& connection) {
    const std::uint64_t id = connection.id;
    std::size_t done = 0;
    bool good = true;
    while (good && !connection.busy && connection.out.size() - connection.sent < limits_.output) {
        const std::size_t end = connection.in.find('\0', done);
        if (end == std::string::npos) {
            good = connection.in.size() - done <= kMaxCall;
            break;
        }
        good = one_call(connection, std::string_view(connection.in).substr(done, end - done));
        done = end + 1;
    }
    if (done > 0) {
        connection.in.erase(0, done);
        connection.began = connection.active;
    }
    if (!good || !flush(connection)) {
        return close(id);
    }
    if (connection.ended && !connection.busy && connection.out.empty()) {
        return close(id);
    }
    watch_what_matters(connection);
}

bool Server::one_call(Connection& connection, std::string_view message) {
    const auto call = parse_call(message);
    if (!call) {
        return false;
    }
    const std::uint64_t id = connection.id;
    connection.busy = connection.processing = true;
    connection.streaming = call->call.more;
    connection.oneway = call->call.oneway;
    const std::uint64_t ticket =
        broker_.call(connection.peer, *call, [this, id](const std::string& text, bool last) {
            answered(id, text, last);
        });
    connection.processing = false;
    connection.ticket = connection.busy ? ticket : 0;
    return true;
}

void Server::answered(std::uint64_t id, const std::string& message, bool last) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) {
        return;
    }
    Connection& connection = *found->second;
    if (!connection.oneway) {
        connection.out += message;
        connection.out += '\0';
    }
    if (last) {
        connection.busy = connection.streaming = false;
        connection.ticket = 0;
    }
    if (connection.processing) {
        return;
    }
    if (connection.streaming && connection.out.size() - connection.sent > limits_.output) {
        return close(id);
    }
    process(connection);
}

// False when the connection broke.
bool Server::flush(Connection& connection) {
    while (connection.sent < connection.out.size()) {
        const std::string_view rest = std::string_view(connection.out).substr(connection.sent);
        const ssize_t sent = send(connection.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        connection.sent += static_cast<std::size_t>(sent);
        connection.active = loop_.now();
    }
    connection.out.clear();
    connection.sent = 0;
    if (connection.out.capacity() > (64u << 10)) {
        connection.out.shrink_to_fit();
    }
    return true;
}

void Server::watch_what_matters(Connection& connection) {
    std::uint32_t events = 0;
    // Not more than one call ahead: the rest waits in the socket.
    if (!connection.ended && connection.in.size() <= kMaxCall) {
        events |= EPOLLIN;
    }
    if (!connection.out.empty()) {
        events |= EPOLLOUT;
    }
    if (events != connection.events) {
        connection.events = events;
        loop_.change(connection.socket.get(), events);
    }
}

void Server::close(std::uint64_t id) {
    const auto node = connections_.extract(id);
    if (node.empty()) {
        return;
    }
    const Connection& connection = *node.mapped();
    loop_.unwatch(connection.socket.get());
    const auto count = of_user_.find(connection.peer.uid);
    if (--count->second == 0) {
        of_user_.erase(count);
    }
    if (connection.ticket != 0) {
        broker_.forget(connection.ticket);
    }
    quiet_since_ = loop_.now();
}

void Server::sweep() {
    const Millis now = loop_.now();
    std::vector<std::uint64_t> late;
    for (const auto& [id, connection] : connections_) {
        const Millis since = now - connection->active;
        const bool stuck = !connection->out.empty() && since > limits_.stuck;
        const bool partial = !connection->busy && !connection->in.empty() &&
                             now - connection->began > limits_.partial;
        const bool idle = !connection->busy && since > limits_.idle;
        if (stuck || partial || idle) {
            late.push_back(id);
        }
    }
    for (const std::uint64_t id : late) {
        close(id);
    }
    sweep_timer_ = 0;
    if (!connections_.empty()) {
        sweep_timer_ = loop_.after(Millis(1000), [this] { sweep(); });
    }
}

std::optional<Fd> passed_socket() {
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    if (pid == nullptr || count == nullptr ||
        parse_u64(pid) != static_cast<std::uint64_t>(getpid()) || parse_u64(count) != 1U) {
        return std::nullopt;
    }
    (void)fcntl(3, F_SETFD, FD_CLOEXEC);
    return Fd(3);
}

Result<Fd> listen_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return fail(ErrorKind::kUsage, "{}: too long for a socket", path);
    }
    path.copy(address.sun_path, path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)unlink(path.c_str());
    if (!socket || bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), 128) != 0 || chmod(path.c_str(), 0666) != 0) {
        return fail(sys_error("listen at", path));
    }
    return socket;
}

}  // namespace tarn::guest
