// SPDX-License-Identifier: MIT
// A very small HTTP/1.1 server for probes: GET and HEAD, one request a connection, few clients at a
// time, none for long.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hh"
#include "base/result.hh"

namespace tarn::guest {

struct ProbeRequest {
    std::string method, path, query, accept;
};
inline constexpr std::size_t kMaxHead = 8192;
// The head of a request, without the empty line. Nothing when it is none.
std::optional<ProbeRequest> parse_probe(std::string_view head);

struct ProbeAnswer {
    int status = 200;
    std::string type = "application/json; charset=utf-8";
    std::string body;
};
std::string answer_text(const ProbeAnswer& answer, bool with_body);

struct ProbeLimits {
    std::size_t connections = 32;
    std::chrono::milliseconds patience{
        5000};  // for a whole request, and for its answer to be taken
    std::chrono::milliseconds exit_when_idle{0};  // 0: never
};
using ProbeHandler = std::function<ProbeAnswer(const ProbeRequest&)>;
// Until `stop` (a descriptor that becomes readable) or idle.
Result<void> serve_probes(const Fd& listener,
                          int stop,
                          const ProbeLimits& limits,
                          const ProbeHandler& handler);

// "127.0.0.1:8642" or "[::1]:8642". kUsage.
Result<Fd> listen_tcp(std::string_view address);

}  // namespace tarn::guest
