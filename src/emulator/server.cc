// SPDX-License-Identifier: MIT
// One thread, one epoll: a connection costs its buffers, an instance its state.
#include "emulator/server.hh"

#include "base/fd.hh"
#include "base/strings.hh"
#include "emulator/detail/platform.hh"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <set>
#include <unordered_map>

namespace tarn::emulator {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kIdle = 60;  // seconds without a whole request, or without taking an answer
constexpr std::size_t kRead = 64U << 10;

struct Connection {
    enum class State { kReading, kWaiting, kWriting };
    Fd fd;
    std::uint32_t source = 0;
    Role role = Role::kAll;
    State state = State::kReading;
    std::string in, out;
    std::size_t sent = 0;
    bool keep_alive = true;
    bool reset = false;  // ends without an answer
    Effect effect;
    InstanceState* identity = nullptr;
    double timer = 0;
    std::uint32_t events = 0;
};

struct Bound {
    Fd fd;
    Role role;
};

Result<Bound> bind_listener(Listener& listener) {
    const auto address = parse_ipv4(listener.address);
    if (!address) {
        return fail(ErrorKind::kUsage, "`{}` is no IPv4 address", listener.address);
    }
    const std::string shown = fmt::format("{}:{}", listener.address, listener.port);
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
        return fail(sys_error("open a socket for", shown));
    }
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(listener.port);
    name.sin_addr.s_addr = htonl(*address);
    socklen_t size = sizeof name;
    auto* raw = reinterpret_cast<sockaddr*>(&name);
    if (::bind(fd.get(), raw, size) != 0 || ::listen(fd.get(), 4096) != 0 ||
        ::getsockname(fd.get(), raw, &size) != 0) {
        return fail(sys_error("listen on", shown));
    }
    listener.port = ntohs(name.sin_port);
    return Bound{std::move(fd), listener.role};
}

std::string issuer_url(const std::vector<Listener>& listeners) {
    const Listener* best = nullptr;
    for (const Listener& each : listeners) {
        if (best == nullptr || (each.role == Role::kMetadata && best->role != Role::kMetadata)) {
            best = &each;
        }
    }
    const std::string port = best->port == 80 ? "" : fmt::format(":{}", best->port);
    return fmt::format("http://{}{}/emulator/ca/intermediate.cer", best->address, port);
}

std::string garbage() {
    std::string out = "\x01\x02 this is no HTTP ";
    for (unsigned i = 0; i < 400; ++i) {
        out.push_back(static_cast<char>((i * 167 + 13) & 0xff));
    }
    return out;
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

}  // namespace

Result<Listener> Listener::parse(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const auto port = parse_u64(colon == std::string::npos ? "" : text.substr(colon + 1));
    Listener listener;
    listener.address = text.substr(0, colon);
    if (!port || *port > 65535 || !parse_ipv4(listener.address)) {
        return fail(error(ErrorKind::kUsage, "`{}` is no place to listen on", text)
                        .advise("write IPv4 address and port, as 127.0.0.1:8169"));
    }
    listener.port = static_cast<std::uint16_t>(*port);
    return listener;
}

struct Server::Impl {
    ServerOptions options;
    std::vector<Bound> bound;
    std::optional<Platform> platform;
    Fd epoll, wake, spare;
    Clock::time_point began = Clock::now();
    std::unordered_map<int, std::unique_ptr<Connection>> connections;
    std::set<std::pair<double, int>> timers;

    double now() const { return std::chrono::duration<double>(Clock::now() - began).count(); }

    Result<void> watch(int fd, std::uint32_t events) const {
        epoll_event event{};
        event.events = events;
        event.data.fd = fd;
        if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
            return fail(sys_error("watch", "a socket"));
        }
        return {};
    }
    void want(Connection& connection, std::uint32_t events) const {
        if (connection.events != events) {
            epoll_event event{};
            event.events = events;
            event.data.fd = connection.fd.get();
            ::epoll_ctl(epoll.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
            connection.events = events;
        }
    }
    void set_timer(Connection& connection, double at) {
        timers.erase({connection.timer, connection.fd.get()});
        connection.timer = at;
        timers.insert({at, connection.fd.get()});
    }
    void close(Connection& connection) {
        release(connection);
        if (connection.reset) {
            const linger now_or_never{1, 0};
            ::setsockopt(
                connection.fd.get(), SOL_SOCKET, SO_LINGER, &now_or_never, sizeof now_or_never);
        } else {
            // What is unread when a socket closes would take the answer away from its reader.
            char rest[4096];
            ::shutdown(connection.fd.get(), SHUT_WR);
            for (int i = 0; i < 64 && ::recv(connection.fd.get(), rest, sizeof rest, 0) > 0; ++i) {
            }
        }
        timers.erase({connection.timer, connection.fd.get()});
        connections.erase(connection.fd.get());  // the connection is gone after this
    }
    static void release(Connection& connection) {
        if (connection.identity != nullptr) {
            Platform::finished(connection.identity);
            connection.identity = nullptr;
        }
    }

    void accept_all(const Bound& from);
    void read(Connection& connection);
    void serve(Connection& connection);
    // Both: true when the answer is out and the connection is there for the next request.
    bool begin(Connection& connection, Spoken spoken, bool keep_alive);
    bool write(Connection& connection);
    void go_on(Connection& connection);
    int patience() const;  // milliseconds until the next timer; -1: none
    void happened(int fd, std::uint32_t events);
    void run_timers();
};

void Server::Impl::accept_all(const Bound& from) {
    for (;;) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        Fd fd(::accept4(from.fd.get(),
                        reinterpret_cast<sockaddr*>(&peer),
                        &size,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd) {
            if (errno == EMFILE || errno == ENFILE) {
                // Without a descriptor the connection could not even be refused.
                spare.reset();
                const Fd refused(::accept4(from.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
                spare = Fd(::eventfd(0, EFD_CLOEXEC));
                if (refused) {
                    continue;
                }
            }
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            return;
        }
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto made = std::make_unique<Connection>();
        Connection& connection = *made;
        connection.fd = std::move(fd);
        connection.source = ntohl(peer.sin_addr.s_addr);
        connection.role = from.role;
        connection.events = EPOLLIN;
        const int number = connection.fd.get();
        connections[number] = std::move(made);
        set_timer(connection, now() + kIdle);
        if (!watch(number, EPOLLIN)) {
            close(connection);
        }
    }
}

void Server::Impl::read(Connection& connection) {
    char buffer[kRead];
    const ssize_t size = ::recv(connection.fd.get(), buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size <= 0) {
        close(connection);
        return;
    }
    connection.in.append(buffer, static_cast<std::size_t>(size));
    serve(connection);
}

void Server::Impl::serve(Connection& connection) {
    for (bool next = true; next;) {
        ParsedRequest parsed = parse_request(connection.in);
        if (parsed.progress == Progress::kMore) {
            want(connection, EPOLLIN);
            return;
        }
        Spoken spoken;
        if (parsed.progress == Progress::kBad) {
            spoken.answer = std::move(parsed.refusal);
            parsed.request.keep_alive = false;
        } else {
            connection.in.erase(0, parsed.used);
            spoken = platform->speak(parsed.request, connection.role, connection.source, now());
        }
        next = begin(connection, std::move(spoken), parsed.request.keep_alive);
    }
}

bool Server::Impl::begin(Connection& connection, Spoken spoken, bool keep_alive) {
    const Effect& effect = spoken.effect;
    connection.identity = spoken.identity;
    connection.keep_alive = keep_alive && !effect.garbage && !effect.cut_after && !effect.drop;
    connection.reset = effect.drop;
    connection.out = effect.drop      ? ""
                     : effect.garbage ? garbage()
                                      : render(spoken.answer, connection.keep_alive);
    if (effect.cut_after && connection.out.size() > *effect.cut_after) {
        connection.out.resize(*effect.cut_after);
    }
    connection.effect = std::move(spoken.effect);
    connection.sent = 0;
    if (spoken.at > now()) {
        connection.state = Connection::State::kWaiting;
        want(connection, 0);
        set_timer(connection, spoken.at);
        return false;
    }
    return write(connection);
}

bool Server::Impl::write(Connection& connection) {
    connection.state = Connection::State::kWriting;
    while (connection.sent < connection.out.size()) {
        std::size_t piece = connection.out.size() - connection.sent;
        if (connection.effect.slow_pause > 0) {
            piece = std::min<std::size_t>(piece, connection.effect.slow_piece);
        }
        const ssize_t size = ::send(
            connection.fd.get(), connection.out.data() + connection.sent, piece, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0 && errno == EAGAIN) {
            set_timer(connection, now() + kIdle);
            want(connection, EPOLLOUT);
            return false;
        }
        if (size < 0) {
            close(connection);
            return false;
        }
        connection.sent += static_cast<std::size_t>(size);
        if (connection.effect.slow_pause > 0 && connection.sent < connection.out.size()) {
            connection.state = Connection::State::kWaiting;
            want(connection, 0);
            set_timer(connection, now() + connection.effect.slow_pause);
            return false;
        }
    }
    release(connection);
    if (!connection.keep_alive) {
        close(connection);
        return false;
    }
    connection.state = Connection::State::kReading;
    connection.out.clear();
    connection.effect = {};
    set_timer(connection, now() + kIdle);
    return true;
}

void Server::Impl::go_on(Connection& connection) {
    if (write(connection)) {
        serve(connection);
    }
}

int Server::Impl::patience() const {
    if (timers.empty()) {
        return -1;
    }
    const double left = timers.begin()->first - now();
    return left <= 0 ? 0 : static_cast<int>(std::min(std::ceil(left * 1000), 60'000.0));
}

void Server::Impl::happened(int fd, std::uint32_t events) {
    for (const Bound& listener : bound) {
        if (listener.fd.get() == fd) {
            accept_all(listener);
            return;
        }
    }
    const auto found = connections.find(fd);
    if (found == connections.end()) {
        return;  // the wake-up, or closed by an event before this one
    }
    Connection& connection = *found->second;
    if (connection.state == Connection::State::kReading) {
        read(connection);
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        close(connection);
    } else if (connection.state == Connection::State::kWriting) {
        go_on(connection);
    }
}

void Server::Impl::run_timers() {
    while (!timers.empty() && timers.begin()->first <= now()) {
        Connection& due = *connections.at(timers.begin()->second);
        if (due.state == Connection::State::kWaiting) {
            go_on(due);
        } else {
            close(due);  // idle
        }
    }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::start(ServerOptions options) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    ServerOptions& own = impl->options;
    if (own.scenario.instances.empty() || own.listeners.empty()) {
        return fail(ErrorKind::kUsage, "an emulator needs an instance and an address to listen on");
    }
    raise_descriptor_limit();
    impl->epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
    impl->wake = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    impl->spare = Fd(::eventfd(0, EFD_CLOEXEC));
    if (!impl->epoll || !impl->wake || !impl->spare) {
        return fail(sys_error("open", "an epoll instance"));
    }
    TARN_TRY(impl->watch(impl->wake.get(), EPOLLIN));
    for (Listener& listener : own.listeners) {
        impl->bound.push_back(TARN_TRY(bind_listener(listener)));
        TARN_TRY(impl->watch(impl->bound.back().fd.get(), EPOLLIN));
    }
    Authority authority = TARN_TRY(Authority::make(issuer_url(own.listeners)));
    impl->platform.emplace(own.scenario, std::move(authority), own.on_event, own.on_request);
    return Server(std::move(impl));
}

const std::vector<Listener>& Server::listeners() const {
    return impl_->options.listeners;
}

std::string Server::root_certificate() const {
    return impl_->platform->authority().root_pem();
}

Result<void> Server::run(const std::stop_token& stop) {
    Impl& own = *impl_;
    const std::stop_callback on_stop(stop, [&own] { ::eventfd_write(own.wake.get(), 1); });
    epoll_event events[256];
    while (!stop.stop_requested()) {
        const int count = ::epoll_wait(own.epoll.get(), events, std::size(events), own.patience());
        if (count < 0 && errno != EINTR) {
            return fail(sys_error("wait for", "connections"));
        }
        for (int i = 0; i < count; ++i) {
            own.happened(events[i].data.fd, events[i].events);
        }
        own.run_timers();
    }
    return {};
}

}  // namespace tarn::emulator
