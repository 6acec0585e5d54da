// SPDX-License-Identifier: MIT
#include "varlink/client.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tarn::guest {

namespace {

constexpr std::size_t kMaxReply = 16u << 20;
using Clock = std::chrono::steady_clock;

}  // namespace

Result<VarlinkClient> VarlinkClient::connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return fail(ErrorKind::kUsage, "{}: too long for a socket", path);
    }
    path.copy(address.sun_path, path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return fail(sys_error("make", "a socket"));
    }
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        return fail(sys_error("connect to", path));
    }
    return VarlinkClient(std::move(socket));
}

Result<void> VarlinkClient::send(std::string_view method, std::string_view parameters, bool more) {
    std::string message = call_text(method, parameters, more);
    message += '\0';
    std::string_view rest = message;
    while (!rest.empty()) {
        const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return fail(ErrorKind::kNetwork, "the broker hung up: {}", std::strerror(errno));
        }
        rest.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
    return {};
}

Result<Reply> VarlinkClient::next(std::chrono::milliseconds timeout) {
    const auto end = Clock::now() + timeout;
    for (;;) {
        const std::size_t nul = in_.find('\0');
        if (nul != std::string::npos) {
            auto reply = parse_reply(std::string_view(in_).substr(0, nul));
            in_.erase(0, nul + 1);
            return reply;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        pollfd ready{socket_.get(), POLLIN, 0};
        const int count = left.count() < 0 ? 0 : poll(&ready, 1, static_cast<int>(left.count()));
        if (count == 0) {
            return fail(ErrorKind::kNetwork, "no answer of the broker in time");
        }
        std::array<char, 16384> buffer;
        const ssize_t got = count < 0 ? -1 : recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || in_.size() > kMaxReply) {
            return fail(ErrorKind::kNetwork, "the broker hung up");
        }
        in_.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

Result<Reply> VarlinkClient::call(std::string_view method,
                                  std::string_view parameters,
                                  std::chrono::milliseconds timeout) {
    TARN_TRY(send(method, parameters, false));
    return next(timeout);
}

}  // namespace tarn::guest
