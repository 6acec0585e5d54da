// SPDX-License-Identifier: MIT
// Managed identity tokens: what is asked, what is answered, and how long an answer serves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "metadata/loop.hh"

namespace tarn::guest {

// A resource and at most one way to say which identity.
struct TokenKey {
    std::string resource;
    enum Selector { kSystem, kClientId, kObjectId, kMsiResId } selector = kSystem;
    std::string identity;
    auto operator<=>(const TokenKey&) const = default;
    std::string target() const;  // path and query
    std::string flight() const;  // unique text
};
// kUsage: more than one selector, a resource or identity that no URL holds.
Result<TokenKey> token_key(std::string resource,
                           std::string client_id,
                           std::string object_id,
                           std::string msi_res_id);

struct Token {
    std::string access_token, token_type, resource, client_id;
    std::int64_t expires_on = 0;  // as the service says, seconds since 1970
    std::int64_t expires_in = 0;  // as the service says
};
Result<Token> parse_token(std::string_view json);

// When a token ends and when to ask for the next one, on the clock that does not jump. A machine
// whose clock is wrong still has `expires_in`; one whose platform cached the token `expires_on`.
struct TokenTimes {
    Millis refresh{0}, end{0};
};
TokenTimes token_times(const Token& token, Millis now, std::int64_t wall, double random);

// {"error":"invalid_resource","error_description":"..."}; nothing when it is something else.
struct IdentityError {
    std::string code, description;
};
std::optional<IdentityError> parse_identity_error(std::string_view json);

}  // namespace tarn::guest
