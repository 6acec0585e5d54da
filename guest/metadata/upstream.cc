// SPDX-License-Identifier: MIT
#include "metadata/upstream.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "http/parser.hh"

namespace tarn::guest {

struct TcpTransport::Exchange {
    std::uint64_t id = 0;
    HttpRequest request;
    Exchanged done;
    std::string url;
    Fd socket;
    std::string out;
    std::optional<ResponseParser> parser;
    std::size_t sent = 0;
    bool connected = false;
    Scheduler::TimerId connect_timer = 0, total_timer = 0;
};

namespace {

Result<Fd> open_socket(const HttpRequest& request, bool& connected) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(request.server.port);
    if (inet_pton(AF_INET, request.server.address.c_str(), &address.sin_addr) != 1) {
        return fail(ErrorKind::kUsage, "`{}` is no IPv4 address", request.server.address);
    }
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) {
        return fail(sys_error("make", "a socket"));
    }
    if (!request.source_address.empty()) {
        sockaddr_in source{};
        source.sin_family = AF_INET;
        if (inet_pton(AF_INET, request.source_address.c_str(), &source.sin_addr) != 1 ||
            bind(socket.get(), reinterpret_cast<sockaddr*>(&source), sizeof source) != 0) {
            return fail(ErrorKind::kNetwork, "cannot bind to {}", request.source_address);
        }
    }
    connected = connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (!connected && errno != EINPROGRESS) {
        return fail(ErrorKind::kNetwork,
                    "cannot connect to {}:{}: {}",
                    request.server.address,
                    request.server.port,
                    std::strerror(errno));
    }
    return socket;
}

}  // namespace

TcpTransport::~TcpTransport() {
    for (auto& [id, exchange] : running_) {
        loop_.cancel(exchange->connect_timer);
        loop_.cancel(exchange->total_timer);
        if (exchange->socket) {
            loop_.unwatch(exchange->socket.get());
        }
    }
}

void TcpTransport::start(const HttpRequest& request, Exchanged done) {
    auto exchange = std::make_shared<Exchange>();
    exchange->id = next_++;
    exchange->request = request;
    exchange->done = std::move(done);
    exchange->url = fmt::format("http://{}:{}{}",
                                request.server.address,
                                request.server.port,
                                request.target.substr(0, request.target.find('?')));
    running_.emplace(exchange->id, exchange);
    exchange->connect_timer = loop_.after(Millis(0), [this, exchange] { begin(exchange); });
}

void TcpTransport::begin(const std::shared_ptr<Exchange>& exchange) {
    auto text = format_request(exchange->request);
    if (!text) {
        return finish(exchange, fail(std::move(text.error())));
    }
    exchange->out = std::move(*text);
    exchange->parser.emplace(exchange->request.body_limit);
    auto socket = open_socket(exchange->request, exchange->connected);
    if (!socket) {
        return finish(exchange, fail(std::move(socket.error())));
    }
    exchange->socket = std::move(*socket);
    exchange->connect_timer = loop_.after(exchange->request.connect_timeout, [this, exchange] {
        if (!exchange->connected) {
            finish(exchange, fail(ErrorKind::kNetwork, "{}: no connection in time", exchange->url));
        }
    });
    exchange->total_timer = loop_.after(exchange->request.total_timeout, [this, exchange] {
        finish(exchange, fail(ErrorKind::kNetwork, "{}: no answer in time", exchange->url));
    });
    auto watched = loop_.watch(exchange->socket.get(),
                               EPOLLOUT,
                               [this, exchange](std::uint32_t events) { ready(exchange, events); });
    if (!watched) {
        exchange->socket.reset();
        finish(exchange, fail(std::move(watched.error())));
    }
}

void TcpTransport::ready(const std::shared_ptr<Exchange>& exchange, std::uint32_t events) {
    if (!exchange->connected) {
        int code = 0;
        socklen_t size = sizeof code;
        getsockopt(exchange->socket.get(), SOL_SOCKET, SO_ERROR, &code, &size);
        if (code != 0) {
            return finish(exchange,
                          fail(ErrorKind::kNetwork,
                               "{}: cannot connect: {}",
                               exchange->url,
                               std::strerror(code)));
        }
        exchange->connected = true;
    }
    if (exchange->sent < exchange->out.size()) {
        const std::string_view rest = std::string_view(exchange->out).substr(exchange->sent);
        const ssize_t sent = send(exchange->socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return finish(
                exchange,
                fail(ErrorKind::kNetwork, "{}: cut off: {}", exchange->url, std::strerror(errno)));
        }
        exchange->sent += sent > 0 ? static_cast<std::size_t>(sent) : 0;
        if (exchange->sent == exchange->out.size()) {
            loop_.change(exchange->socket.get(), EPOLLIN);
        }
        return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        receive(exchange);
    }
}

void TcpTransport::receive(const std::shared_ptr<Exchange>& exchange) {
    std::array<char, 16384> buffer;
    const ssize_t got = recv(exchange->socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return;
        }
        return finish(
            exchange,
            fail(ErrorKind::kNetwork, "{}: cut off: {}", exchange->url, std::strerror(errno)));
    }
    if (got > 0) {
        auto whole = exchange->parser->feed({buffer.data(), static_cast<std::size_t>(got)});
        if (!whole) {
            return finish(exchange, fail(std::move(whole.error()).context(exchange->url)));
        }
        if (!*whole) {
            return;
        }
    }
    auto answer = std::move(*exchange->parser).finish();
    if (!answer) {
        answer = fail(std::move(answer.error()).context(exchange->url));
    }
    finish(exchange, std::move(answer));
}

void TcpTransport::finish(const std::shared_ptr<Exchange>& exchange, Result<HttpResponse> result) {
    if (running_.erase(exchange->id) == 0) {
        return;
    }
    const auto keep = exchange;
    loop_.cancel(exchange->connect_timer);
    loop_.cancel(exchange->total_timer);
    if (exchange->socket) {
        loop_.unwatch(exchange->socket.get());
        exchange->socket.reset();
    }
    const Exchanged done = std::move(exchange->done);
    done(std::move(result));
}

Millis SlidingWindow::take(Millis now) {
    while (!taken_.empty() && now - taken_.front() >= window_) {
        taken_.pop_front();
    }
    if (taken_.size() < limit_) {
        taken_.push_back(now);
        return Millis(0);
    }
    return window_ - (now - taken_.front());
}

Gate::Gate(Scheduler& scheduler, Transport& transport, GateLimits limits)
    : scheduler_(scheduler),
      transport_(transport),
      limits_(limits),
      general_{SlidingWindow(limits.general_per_second, limits.window), limits.general_at_once},
      identity_{SlidingWindow(limits.identity_per_second, limits.window), limits.identity_at_once} {
}

Gate::~Gate() {
    *alive_ = false;
    scheduler_.cancel(general_.timer);
    scheduler_.cancel(identity_.timer);
}

void Gate::submit(Budget budget, HttpRequest request, Exchanged done) {
    Lane& to = lane(budget);
    if (to.waiting.size() >= limits_.queue) {
        return done(fail(ErrorKind::kNetwork, "too many requests wait for the metadata service"));
    }
    to.waiting.push_back({std::move(request), std::move(done)});
    pump(to);
}

void Gate::pump(Lane& lane) {
    while (!lane.waiting.empty() && lane.running < lane.at_once) {
        const Millis wait = lane.window.take(scheduler_.now());
        if (wait > Millis(0)) {
            scheduler_.cancel(lane.timer);
            lane.timer = scheduler_.after(wait, [this, &lane] { pump(lane); });
            return;
        }
        const Waiting next = std::move(lane.waiting.front());
        lane.waiting.pop_front();
        ++lane.running;
        ++sent_;
        transport_.start(next.request,
                         [this, &lane, alive = alive_, done = next.done](Result<HttpResponse> got) {
                             if (*alive) {
                                 --lane.running;
                                 done(std::move(got));
                                 pump(lane);
                             }
                         });
    }
}

}  // namespace tarn::guest
