// SPDX-License-Identifier: MIT
// For tests: an emulator on loopback and a client for it.
#pragma once

#include "base/fd.hh"
#include "base/strings.hh"
#include "emulator/detail/http.hh"
#include "emulator/server.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <thread>

namespace tarn::emulator {

struct Reply {
    bool connected = false;
    int status = 0;  // 0: no HTTP came
    std::string head, body, raw;
    int error = 0;  // errno of the read that failed
    nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

class TestServer {
  public:
    explicit TestServer(Scenario scenario, std::vector<Listener> listeners = {{}}) {
        ServerOptions options;
        options.scenario = std::move(scenario);
        options.listeners = std::move(listeners);
        options.on_event = [this](const std::string& line) {
            const std::lock_guard lock(mutex_);
            events_.push_back(line);
        };
        auto made = Server::start(std::move(options));
        EXPECT_TRUE(made) << (made ? "" : made.error().message);
        server_ = std::make_unique<Server>(std::move(*made));
        thread_ = std::jthread(
            [this](const std::stop_token& stop) { EXPECT_TRUE(server_->run(stop).has_value()); });
    }
    explicit TestServer(const std::string& toml) : TestServer(scenario_of(toml)) {}

    static Scenario scenario_of(const std::string& toml) {
        auto scenario = Scenario::parse(toml, "test.toml", "/");
        EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().rendered);
        return std::move(*scenario);
    }

    std::uint16_t port(std::size_t listener = 0) const {
        return server_->listeners()[listener].port;
    }
    const Server& server() const { return *server_; }
    std::vector<std::string> events() {
        const std::lock_guard lock(mutex_);
        return events_;
    }

    // Sends bytes and reads to the end of the connection.
    Reply raw(const std::string& bytes,
              const std::string& source = {},
              std::size_t listener = 0) const {
        Reply reply;
        const Fd fd = connected(source, listener);
        reply.connected = static_cast<bool>(fd);
        if (!fd || ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
            return reply;
        }
        char buffer[4096];
        ssize_t size = 0;
        while ((size = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0) {
            reply.raw.append(buffer, static_cast<std::size_t>(size));
        }
        reply.error = size < 0 ? errno : 0;
        const std::size_t end = reply.raw.find("\r\n\r\n");
        if (reply.raw.starts_with("HTTP/1.1 ") && end != std::string::npos) {
            reply.status = std::stoi(reply.raw.substr(9, 3));
            reply.head = reply.raw.substr(0, end);
            reply.body = reply.raw.substr(end + 4);
        }
        return reply;
    }
    Reply get(const std::string& target,
              const std::string& source = {},
              const std::string& more = "Metadata: true\r\n",
              std::size_t listener = 0) const {
        return raw(
            "GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + more + "\r\n",
            source,
            listener);
    }
    Reply post(const std::string& target,
               const std::string& body,
               const std::string& more = "Metadata: true\r\n") const {
        return raw(
            fmt::format("POST {} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n{}",
                        target,
                        body.size(),
                        more,
                        body));
    }
    Fd connected(const std::string& source, std::size_t listener = 0) const {
        Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in name{};
        name.sin_family = AF_INET;
        if (!source.empty()) {
            name.sin_addr.s_addr = htonl(*parse_ipv4(source));
            EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
        }
        name.sin_port = htons(port(listener));
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
            fd.reset();
        }
        return fd;
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> events_;
    std::unique_ptr<Server> server_;
    std::jthread thread_;
};

inline constexpr const char* kInstanceTarget =
    "/metadata/instance?api-version=2023-11-15&extended=true";

}  // namespace tarn::emulator
