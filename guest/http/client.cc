// SPDX-License-Identifier: MIT
#include "http/client.hh"

#include "base/fd.hh"
#include "base/strings.hh"

#include "http/parser.hh"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tarn::guest {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kNoRoute = "no route to it";

std::string name_of(const Endpoint& server) {
    return fmt::format("{}:{}", server.address, server.port);
}

Result<sockaddr_in> socket_address(const std::string& text, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (text.find('\0') != std::string::npos ||
        ::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) {
        return fail(ErrorKind::kUsage, "`{}` is no numeric IPv4 address", text);
    }
    return address;
}

Error network_error(const Endpoint& server, int problem) {
    const bool unreachable = problem == ENETUNREACH || problem == EHOSTUNREACH;
    return error(ErrorKind::kNetwork,
                 "{}: {}",
                 name_of(server),
                 unreachable ? std::string(kNoRoute) : std::string(std::strerror(problem)));
}

// Waits for `events`; false when `end` comes first.
Result<bool> wait_for(int fd, short events, Clock::time_point end, const Endpoint& server) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) {
            return false;
        }
        pollfd item{fd, events, 0};
        const int ready = ::poll(&item, 1, static_cast<int>(std::min<long long>(left, 60'000)));
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return fail(network_error(server, errno));
        }
    }
}

Result<Fd> connect_to(const HttpRequest& request, Clock::time_point end) {
    const sockaddr_in address =
        TARN_TRY(socket_address(request.server.address, request.server.port));
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return fail(network_error(request.server, errno));
    }
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!request.source_address.empty()) {
        const sockaddr_in source = TARN_TRY(socket_address(request.source_address, 0));
        if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
            return fail(error(ErrorKind::kNetwork,
                              "{}: cannot send from {}: {}",
                              name_of(request.server),
                              request.source_address,
                              std::strerror(errno)));
        }
    }
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        return fd;
    }
    if (errno != EINPROGRESS) {
        return fail(network_error(request.server, errno));
    }
    if (!TARN_TRY(wait_for(fd.get(), POLLOUT, end, request.server))) {
        return fail(ErrorKind::kNetwork, "{}: no connection in time", name_of(request.server));
    }
    int problem = 0;
    socklen_t size = sizeof problem;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0) {
        return fail(network_error(request.server, problem));
    }
    return fd;
}

// A server may answer, and close, before it has read all: what cannot be sent is then no error yet.
Result<void> send_all(int fd,
                      std::string_view bytes,
                      Clock::time_point end,
                      const Endpoint& server) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return {};
        } else if (errno == EAGAIN) {
            if (!TARN_TRY(wait_for(fd, POLLOUT, end, server))) {
                return fail(
                    ErrorKind::kNetwork, "{}: it does not take the request", name_of(server));
            }
        } else if (errno != EINTR) {
            return fail(network_error(server, errno));
        }
    }
    return {};
}

Result<HttpResponse> receive(int fd, const HttpRequest& request, Clock::time_point end) {
    ResponseParser parser(request.body_limit, request.method == "HEAD");
    char buffer[16384];
    for (;;) {
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n > 0) {
            if (TARN_TRY(parser.feed({buffer, static_cast<std::size_t>(n)}))) {
                break;
            }
        } else if (n == 0) {
            break;
        } else if (errno == EAGAIN) {
            if (!TARN_TRY(wait_for(fd, POLLIN, end, request.server))) {
                return fail(ErrorKind::kNetwork, "no whole answer in time");
            }
        } else if (errno != EINTR) {
            return fail(ErrorKind::kNetwork, "the connection broke: {}", std::strerror(errno));
        }
        if (Clock::now() >= end) {  // bytes that trickle in do not prolong it
            return fail(ErrorKind::kNetwork, "no whole answer in time");
        }
    }
    return std::move(parser).finish();
}

bool printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    });
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text, std::uint16_t default_port) {
    const std::size_t colon = text.find(':');
    Endpoint result{std::string(text.substr(0, colon)), default_port};
    if (colon != std::string_view::npos) {
        const auto port = parse_u64(text.substr(colon + 1));
        if (!port || *port == 0 || *port > 65535) {
            return fail(ErrorKind::kUsage, "`{}`: the port is a number from 1 to 65535", text);
        }
        result.port = static_cast<std::uint16_t>(*port);
    }
    TARN_TRY(socket_address(result.address, result.port));
    return result;
}

Result<std::string> format_request(const HttpRequest& request) {
    const bool target_ok = request.target.starts_with('/') && printable(request.target) &&
                           !contains(request.target, " ");
    if (!target_ok) {
        return fail(ErrorKind::kUsage, "`{}` is no encoded path of a URL", request.target);
    }
    if (!printable(request.host)) {
        return fail(ErrorKind::kUsage, "`{}` cannot be a host", request.host);
    }
    std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}",
                                  request.method,
                                  request.target,
                                  request.host.empty() ? request.server.address : request.host);
    if (request.server.port != 80 && request.host.empty()) {
        out += fmt::format(":{}", request.server.port);
    }
    out += "\r\nConnection: close\r\n";
    for (const auto& [name, value] : request.headers) {
        if (name.empty() || !printable(name) || !printable(value) || contains(name, ":")) {
            return fail(ErrorKind::kUsage, "`{}` cannot be a header", name);
        }
        out += fmt::format("{}: {}\r\n", name, value);
    }
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        out += fmt::format("Content-Length: {}\r\n", request.body.size());
    }
    return out + "\r\n" + request.body;
}

Result<HttpResponse> http_request(const HttpRequest& request) {
    const std::string bytes = TARN_TRY(format_request(request));
    const Clock::time_point begin = Clock::now();
    const Clock::time_point end = begin + request.total_timeout;
    const Fd fd = TARN_TRY(connect_to(request, std::min(end, begin + request.connect_timeout)));
    TARN_TRY(send_all(fd.get(), bytes, end, request.server));
    auto response = receive(fd.get(), request, end);
    if (!response) {
        return fail(std::move(response.error()).context(name_of(request.server)));
    }
    return response;
}

bool network_unreachable(const Error& error) {
    return error.kind == ErrorKind::kNetwork && contains(error.message, kNoRoute);
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        }
    }
    return out;
}

}  // namespace tarn::guest
