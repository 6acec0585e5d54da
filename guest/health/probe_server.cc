// SPDX-License-Identifier: MIT
#include "health/probe_server.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <vector>

#include "base/strings.hh"

namespace tarn::guest {

std::optional<ProbeRequest> parse_probe(std::string_view head) {
    const auto lines = split_lines(head);
    if (lines.empty()) {
        return std::nullopt;
    }
    const auto words =
        split(lines[0].ends_with('\r') ? lines[0].substr(0, lines[0].size() - 1) : lines[0], ' ');
    if (words.size() != 3 || words[0].empty() || !words[1].starts_with('/') ||
        !words[2].starts_with("HTTP/1.")) {
        return std::nullopt;
    }
    ProbeRequest request;
    request.method = words[0];
    const std::size_t query = words[1].find('?');
    request.path = words[1].substr(0, query);
    request.query =
        query == std::string_view::npos ? std::string_view() : words[1].substr(query + 1);
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::size_t colon = lines[i].find(':');
        if (colon == std::string_view::npos) {
            return std::nullopt;
        }
        if (to_lower(lines[i].substr(0, colon)) == "accept") {
            request.accept +=
                (request.accept.empty() ? "" : ",") + std::string(trim(lines[i].substr(colon + 1)));
        }
    }
    return request;
}

namespace {

const char* reason_of(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        default:
            return "Error";
    }
}

}  // namespace

std::string answer_text(const ProbeAnswer& answer, bool with_body) {
    std::string text = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n",
        answer.status,
        reason_of(answer.status),
        answer.type,
        answer.body.size());
    if (answer.status == 405) {
        text += "Allow: GET, HEAD\r\n";
    }
    text += "\r\n";
    return with_body ? text + answer.body : text;
}

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
    Fd socket;
    std::string in, out;
    std::size_t sent = 0;
    Clock::time_point end;
};

std::string answer_to(std::string_view head, const ProbeHandler& handler) {
    const auto request = parse_probe(head);
    if (!request) {
        return answer_text({400, "text/plain", "expected a request of HTTP/1.1\n"}, true);
    }
    if (request->method != "GET" && request->method != "HEAD") {
        return answer_text({405, "text/plain", "only GET and HEAD\n"}, true);
    }
    return answer_text(handler(*request), request->method == "GET");
}

// False when it is over.
bool receive(Connection& one, const ProbeHandler& handler) {
    std::array<char, 4096> buffer;
    const ssize_t got = recv(one.socket.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) {
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    one.in.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t end = one.in.find("\r\n\r\n");
    if (end != std::string::npos && end <= kMaxHead) {
        one.out = answer_to(std::string_view(one.in).substr(0, end), handler);
    } else if (one.in.size() > kMaxHead) {
        one.out = answer_text({431, "text/plain", "too long\n"}, true);
    }
    return true;
}

bool transmit(Connection& one) {
    const std::string_view rest = std::string_view(one.out).substr(one.sent);
    const ssize_t sent = send(one.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    one.sent += static_cast<std::size_t>(sent);
    if (one.sent == one.out.size()) {
        // What the client still sends would reset the connection before it has read.
        shutdown(one.socket.get(), SHUT_WR);
        std::array<char, 4096> rest_of_it;
        (void)recv(one.socket.get(), rest_of_it.data(), rest_of_it.size(), MSG_DONTWAIT);
        return false;
    }
    return true;
}

void accept_one(const Fd& listener, const ProbeLimits& limits, std::list<Connection>& all) {
    Fd socket(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
        all.push_back({std::move(socket), {}, {}, 0, Clock::now() + limits.patience});
    }
}

int wait_time(const std::list<Connection>& all, Clock::time_point idle_end) {
    Clock::time_point end = idle_end;
    for (const Connection& one : all) {
        end = std::min(end, one.end);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

}  // namespace

Result<void> serve_probes(const Fd& listener,
                          int stop,
                          const ProbeLimits& limits,
                          const ProbeHandler& handler) {
    (void)fcntl(listener.get(), F_SETFL, fcntl(listener.get(), F_GETFL) | O_NONBLOCK);
    std::list<Connection> all;
    const auto idle_time = limits.exit_when_idle.count() > 0
                               ? limits.exit_when_idle
                               : std::chrono::milliseconds(std::chrono::hours(24 * 365));
    auto idle_end = Clock::now() + idle_time;
    for (;;) {
        std::vector<pollfd> wait = {{stop, POLLIN, 0}};
        // Those beyond the limit wait in the queue of the socket.
        wait.push_back({all.size() < limits.connections ? listener.get() : -1, POLLIN, 0});
        for (const Connection& one : all) {
            wait.push_back(
                {one.socket.get(), static_cast<short>(one.out.empty() ? POLLIN : POLLOUT), 0});
        }
        if (poll(wait.data(), wait.size(), wait_time(all, idle_end)) < 0 && errno != EINTR) {
            return fail(sys_error("wait for", "probes"));
        }
        if ((wait[0].revents & POLLIN) != 0) {
            return {};
        }
        const auto now = Clock::now();
        std::size_t at = 2;
        for (auto one = all.begin(); one != all.end(); ++at) {
            const short got = wait[at].revents;
            bool good = now < one->end;
            if (good && got != 0) {
                good = one->out.empty() ? receive(*one, handler) : transmit(*one);
            }
            one = good ? std::next(one) : all.erase(one);
        }
        if ((wait[1].revents & POLLIN) != 0) {
            accept_one(listener, limits, all);
        }
        if (!all.empty()) {
            idle_end = now + idle_time;
        } else if (now >= idle_end) {
            return {};
        }
    }
}

Result<Fd> listen_tcp(std::string_view address) {
    const std::size_t colon = address.rfind(':');
    const auto port =
        colon == std::string_view::npos ? std::nullopt : parse_u64(address.substr(colon + 1));
    std::string host(address.substr(0, colon));
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    const bool six = host.starts_with('[') && host.ends_with(']');
    if (six) {
        host = host.substr(1, host.size() - 2);
    }
    const bool good = port && *port <= 65535 &&
                      inet_pton(six ? AF_INET6 : AF_INET,
                                host.c_str(),
                                six ? static_cast<void*>(&v6.sin6_addr) : &v4.sin_addr) == 1;
    if (!good) {
        return fail(ErrorKind::kUsage, "`{}` is no ADDRESS:PORT", address);
    }
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(*port));
    Fd socket(::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    const auto* where =
        six ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
    if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(socket.get(), where, six ? sizeof v6 : sizeof v4) != 0 ||
        listen(socket.get(), 64) != 0) {
        return fail(sys_error("listen at", address));
    }
    return socket;
}

}  // namespace tarn::guest
