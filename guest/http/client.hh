// SPDX-License-Identifier: MIT
// A small HTTP/1.1 client for the platform's link-local servers: plain TCP to a numeric IPv4
// address, one request a connection, never a proxy (RFC 9112; the platform refuses proxied calls).
// Reads Content-Length, chunked and read-to-end bodies.
#pragma once

#include "base/result.hh"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::guest {

struct Endpoint {
    std::string address;  // numeric IPv4: "169.254.169.254"
    std::uint16_t port = 80;
    // "ADDRESS" or "ADDRESS:PORT". kUsage.
    static Result<Endpoint> parse(std::string_view text, std::uint16_t default_port = 80);
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET";
    Endpoint server;
    std::string target = "/";  // path and query, encoded already
    Headers headers;           // Host, Connection and Content-Length are added
    std::string body;
    std::chrono::milliseconds connect_timeout{2000};
    std::chrono::milliseconds total_timeout{5000};
    std::size_t body_limit = 4u << 20;  // a larger answer is kCorrupt
    std::string source_address;         // bind(2) to it; empty: the kernel chooses
    std::string host;  // in the Host header; empty: the address and port of the server
};

struct HttpResponse {
    int status = 0;
    Headers headers;
    std::string body;
    // The first header of this name, any case; empty when there is none.
    std::string_view header(std::string_view name) const;
};

// An answer of any status is a value. kNetwork: no connection, timed out, cut off (its message says
// which; `network_unreachable` tells whether a route is missing); kCorrupt: not HTTP, too large;
// kUsage: a request that cannot be written (control characters in the target or a header).
Result<HttpResponse> http_request(const HttpRequest& request);
bool network_unreachable(const Error& error);
// The bytes that are sent for it. Pure; kUsage.
Result<std::string> format_request(const HttpRequest& request);

// Parses a whole answer that ended with its connection. Pure; kCorrupt.
Result<HttpResponse> parse_response(std::string_view bytes, std::size_t body_limit);

std::string percent_encode(std::string_view text);  // RFC 3986 unreserved characters stay

}  // namespace tarn::guest
