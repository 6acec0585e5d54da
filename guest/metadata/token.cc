// SPDX-License-Identifier: MIT
#include "metadata/token.hh"

#include <algorithm>
#include <array>

#include "base/strings.hh"
#include "http/client.hh"
#include "varlink/json.hh"

namespace tarn::guest {

namespace {

constexpr std::size_t kMaxResource = 2048;
constexpr std::array<const char*, 4> kSelectorNames{"", "client_id", "object_id", "msi_res_id"};

bool printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string TokenKey::target() const {
    std::string text = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=" +
                       percent_encode(resource);
    if (selector != kSystem) {
        text += fmt::format("&{}={}", kSelectorNames[selector], percent_encode(identity));
    }
    return text;
}

std::string TokenKey::flight() const {
    return fmt::format("token {} {} {}", resource, static_cast<int>(selector), identity);
}

Result<TokenKey> token_key(std::string resource,
                           std::string client_id,
                           std::string object_id,
                           std::string msi_res_id) {
    if (resource.empty() || resource.size() > kMaxResource || !printable(resource)) {
        return fail(ErrorKind::kUsage, "a resource is a URI such as https://vault.azure.net");
    }
    TokenKey key;
    key.resource = std::move(resource);
    const std::array<std::string*, 3> identities{&client_id, &object_id, &msi_res_id};
    for (std::size_t i = 0; i < identities.size(); ++i) {
        if (identities[i]->empty()) {
            continue;
        }
        if (key.selector != TokenKey::kSystem) {
            return fail(ErrorKind::kUsage, "only one of client, object or resource id");
        }
        if (identities[i]->size() > kMaxResource || !printable(*identities[i])) {
            return fail(ErrorKind::kUsage, "an identity of more than printable characters");
        }
        key.selector = static_cast<TokenKey::Selector>(i + 1);
        key.identity = std::move(*identities[i]);
    }
    return key;
}

Result<Token> parse_token(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return fail(ErrorKind::kCorrupt, "token: no JSON object");
    }
    Token token;
    token.access_token = text_member(*json, "access_token");
    token.token_type = text_member(*json, "token_type");
    token.resource = text_member(*json, "resource");
    token.client_id = text_member(*json, "client_id");
    if (token.access_token.empty() || !printable(token.access_token)) {
        return fail(ErrorKind::kCorrupt, "token: no `access_token`");
    }
    const auto on = parse_u64(text_member(*json, "expires_on"));
    const auto in = parse_u64(text_member(*json, "expires_in"));
    constexpr std::uint64_t kFar = 1ULL << 40;
    if ((!on && !in) || on.value_or(0) > kFar || in.value_or(0) > kFar) {
        return fail(ErrorKind::kCorrupt, "token: neither `expires_on` nor `expires_in`");
    }
    token.expires_on = static_cast<std::int64_t>(on.value_or(0));
    token.expires_in = static_cast<std::int64_t>(in.value_or(0));
    return token;
}

TokenTimes token_times(const Token& token, Millis now, std::int64_t wall, double random) {
    constexpr std::int64_t kSlack = 300, kShort = 300, kLong = 2 * 3600;
    const std::int64_t by_clock =
        token.expires_on != 0 ? token.expires_on - wall : token.expires_in;
    std::int64_t left = by_clock;
    if (token.expires_in != 0) {
        left = std::min(by_clock, token.expires_in);
        if (by_clock <= 0 || by_clock > token.expires_in + kSlack) {
            // The machine's clock and the service's do not agree. Ahead, the token may be an old
            // one all the same: it serves for a little.
            left = by_clock <= 0 ? std::min(token.expires_in, kShort) : token.expires_in;
        }
    }
    left = std::clamp<std::int64_t>(left, 0, 30 * 86400);
    std::int64_t good = left > kLong ? left / 2 : left - std::min(kShort, left / 2);
    good -= static_cast<std::int64_t>(random * static_cast<double>(good) / 10);
    return {now + Millis(good * 1000), now + Millis(left * 1000)};
}

std::optional<IdentityError> parse_identity_error(std::string_view text) {
    const auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return std::nullopt;
    }
    IdentityError error{text_member(*json, "error"), text_member(*json, "error_description")};
    if (error.code.empty()) {
        return std::nullopt;
    }
    return error;
}

}  // namespace tarn::guest
