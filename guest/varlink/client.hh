// SPDX-License-Identifier: MIT
// A caller of a Varlink service on this machine; blocks.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/fd.hh"
#include "base/result.hh"
#include "varlink/message.hh"

namespace tarn::guest {

class VarlinkClient {
  public:
    static Result<VarlinkClient> connect(const std::string& path);
    // The reply, of an error as well.
    Result<Reply> call(std::string_view method,
                       std::string_view parameters,
                       std::chrono::milliseconds timeout);
    Result<void> send(std::string_view method, std::string_view parameters, bool more);
    // The next message. kNetwork when none came in time or the connection ended.
    Result<Reply> next(std::chrono::milliseconds timeout);
    // A whole message has come already: the socket will not tell of it.
    bool buffered() const { return in_.find('\0') != std::string::npos; }
    int fd() const { return socket_.get(); }

  private:
    explicit VarlinkClient(Fd socket) : socket_(std::move(socket)) {}
    Fd socket_;
    std::string in_;
};

}  // namespace tarn::guest
