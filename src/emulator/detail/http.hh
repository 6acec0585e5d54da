// SPDX-License-Identifier: MIT
// The part of HTTP/1.1 (RFC 9112) that the platform's clients speak.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::emulator {

inline constexpr std::size_t kMaxHead = 16U << 10;
inline constexpr std::size_t kMaxBody = 256U << 10;

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;
    std::string path;  // decoded, without the query
    Pairs query;       // decoded, in order
    Pairs headers;     // names in lower case
    std::string body;
    bool keep_alive = true;

    const std::string* header(std::string_view name) const;     // the first; name in lower case
    const std::string* parameter(std::string_view name) const;  // the first
};

struct Answer {
    int status = 200;
    std::string type = "application/json; charset=utf-8";
    std::string body;
    Pairs headers;
    static Answer json(int status, std::string body) {
        return {status, "application/json; charset=utf-8", std::move(body), {}};
    }
    static Answer text(int status, std::string body) {
        return {status, "text/plain; charset=utf-8", std::move(body), {}};
    }
    static Answer xml(int status, std::string body) {
        return {status, "text/xml; charset=utf-8", std::move(body), {}};
    }
};

enum class Progress { kMore, kWhole, kBad };
struct ParsedRequest {
    Progress progress = Progress::kMore;
    std::size_t used = 0;  // kWhole: bytes that belong to it
    Request request;
    Answer refusal;  // kBad
};
// From the beginning of what has arrived.
ParsedRequest parse_request(std::string_view bytes);

// nullopt-like: false when an escape is not two hex digits or means NUL.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

std::string render(const Answer& answer, bool keep_alive);

}  // namespace tarn::emulator
