// SPDX-License-Identifier: MIT
// For tests: a server on 127.0.0.1 that answers each connection with the bytes a function gives it.
#pragma once

#include "base/fd.hh"
#include "base/strings.hh"

#include "http/client.hh"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tarn::guest {

// What the server got: the head as it came, and the body.
struct SeenRequest {
    std::string head, body;
    std::string line() const { return head.substr(0, head.find("\r\n")); }
    bool has(const std::string& header_line) const { return contains(head, header_line + "\r\n"); }
};

class TestServer {
  public:
    // Bytes of the answer; what is done with them: sent and closed, or held open until the end.
    struct Answer {
        std::string bytes;
        bool hold_open = false;
        int pause_between_bytes_ms = 0;
    };
    using Handler = std::function<Answer(const SeenRequest&)>;

    explicit TestServer(Handler handler) : handler_(std::move(handler)) {
        listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        TARN_CHECK(::bind(listener_.get(), generic, size) == 0);
        TARN_CHECK(::listen(listener_.get(), 64) == 0);
        TARN_CHECK(::getsockname(listener_.get(), generic, &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { loop(); });
    }
    ~TestServer() {
        stop_ = true;
        thread_.join();
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    Endpoint endpoint() const { return {"127.0.0.1", port_}; }
    std::vector<SeenRequest> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

    static Answer reply(int status, const std::string& body, const std::string& headers = {}) {
        return {fmt::format(
            "HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body)};
    }

  private:
    void loop() {
        while (!stop_) {
            pollfd item{listener_.get(), POLLIN, 0};
            if (::poll(&item, 1, 10) <= 0) {
                continue;
            }
            Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (fd) {
                serve(std::move(fd));
            }
        }
    }
    void serve(Fd fd) {
        SeenRequest request = read_request(fd.get());
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(request);
        }
        const Answer answer = handler_(request);
        const std::size_t piece = answer.pause_between_bytes_ms > 0 ? 1 : answer.bytes.size();
        for (std::size_t at = 0; at < answer.bytes.size() && !stop_; at += piece) {
            if (::send(fd.get(), answer.bytes.data() + at, piece, MSG_NOSIGNAL) < 0) {
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(answer.pause_between_bytes_ms));
        }
        if (answer.hold_open) {
            held_.push_back(std::move(fd));
        }
    }
    SeenRequest read_request(int fd) {
        std::string text;
        char buffer[4096];
        std::size_t body = std::string::npos;
        std::size_t wanted = 0;
        while (body == std::string::npos || text.size() < body + wanted) {
            const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
            if (n <= 0) {
                break;
            }
            text.append(buffer, static_cast<std::size_t>(n));
            const std::size_t end = text.find("\r\n\r\n");
            if (end != std::string::npos && body == std::string::npos) {
                body = end + 4;
                const std::size_t at = text.find("Content-Length: ");
                if (at < end) {
                    const std::size_t from = at + 16;
                    wanted = parse_u64(text.substr(from, text.find('\r', from) - from)).value_or(0);
                }
            }
        }
        return {text.substr(0, body), body == std::string::npos ? "" : text.substr(body)};
    }

    Handler handler_;
    Fd listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stop_ = false;
    mutable std::mutex mutex_;
    std::vector<SeenRequest> seen_;
    std::vector<Fd> held_;
    std::thread thread_;
};

}  // namespace tarn::guest
