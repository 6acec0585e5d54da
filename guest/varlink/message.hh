// SPDX-License-Identifier: MIT
// Varlink (varlink.org): JSON messages that end with a NUL byte, over a UNIX socket. Only what a
// small service needs: calls with flat parameters.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hh"

namespace tarn::guest {

inline constexpr std::size_t kMaxCall = 64u << 10;  // bytes of one call
inline constexpr unsigned kMaxDepth = 32;           // of any JSON that is read

using Parameter = std::variant<std::string, bool, std::int64_t>;

struct Call {
    std::string method;                                        // "org.tarn.Metadata.Get"
    std::map<std::string, Parameter, std::less<>> parameters;  // those that are not null
    bool more = false, oneway = false;
};

// A call that is no call ends its connection: kCorrupt. A parameter of a type that no method takes
// is told of by name in `odd_parameter`.
struct ParsedCall {
    Call call;
    std::string odd_parameter;
};
Result<ParsedCall> parse_call(std::string_view message);

// Messages without their NUL. `parameters` and `value` are JSON texts.
using Members = std::vector<std::pair<std::string_view, std::string>>;  // name, JSON text
std::string object_text(const Members& members);
std::string string_text(std::string_view value);  // quoted; bytes that are not UTF-8 are replaced
std::string reply_text(std::string_view parameters, bool continues = false);
std::string error_text(std::string_view name, std::string_view parameters = "{}");
std::string call_text(std::string_view method, std::string_view parameters, bool more = false);

// What a client reads.
struct Reply {
    std::string error;       // empty: it worked
    std::string parameters;  // JSON text of an object
    bool continues = false;
};
Result<Reply> parse_reply(std::string_view message);

// False when brackets nest deeper than `deepest`: to be asked before any parser.
bool shallow(std::string_view json, unsigned deepest = kMaxDepth);

}  // namespace tarn::guest
