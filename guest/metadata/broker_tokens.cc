// SPDX-License-Identifier: MIT
// Tokens and attested documents: for those who may, and as few questions as can be.
#include <algorithm>
#include <utility>

#include "metadata/broker_detail.hh"
#include "varlink/json.hh"

namespace tarn::guest {

Broker::TokenEntry* Broker::token_entry(const TokenKey& key) {
    const auto known = tokens_.find(key);
    if (known != tokens_.end()) {
        return &known->second;
    }
    if (tokens_.size() >= options_.max_tokens) {
        auto oldest = tokens_.end();
        for (auto one = tokens_.begin(); one != tokens_.end(); ++one) {
            if (!one->second.pending && !one->second.landing &&
                (oldest == tokens_.end() || one->second.used < oldest->second.used)) {
                oldest = one;
            }
        }
        if (oldest == tokens_.end()) {
            return nullptr;
        }
        tokens_.erase(oldest);
    }
    return &tokens_[key];
}

void Broker::landed(TokenEntry& entry, const Fetched& fetched) {
    const Millis now = scheduler_.now();
    if (fetched.status == 200) {
        auto token = parse_token(fetched.body);
        if (token) {
            const double random = static_cast<double>(now.count() % 997) / 997;
            entry.token = std::move(*token);
            entry.times = token_times(*entry.token, now, scheduler_.wall(), random);
            entry.refused_until = Millis(0);
            return;
        }
        entry.last = {0, {}, token.error().message};
    }
    log_(fmt::format("{}: {}", entry.key, entry.last.why));
    entry.times.refresh = now + options_.refresh_pause;
    const bool final = entry.last.status >= 400 && entry.last.status < 500;
    entry.refused_until = final ? now + options_.refused_ttl : Millis(0);
}

void Broker::refresh(const TokenKey& key, TokenEntry& entry) {
    if (entry.pending) {
        return;
    }
    FetchRequest request;
    request.key = key.flight();
    request.budget = Budget::kIdentity;
    request.rule = RetryRule::kIdentity;
    request.target = key.target();
    request.first_try = request.later_tries = Millis(10'000);
    request.body_limit = 256u << 10;
    start(entry, request, [this, &entry](const Fetched& fetched) { landed(entry, fetched); });
}

// False when there is nothing to answer with yet.
bool Broker::answer_token(TokenEntry& entry, const Answer& answer) {
    const Millis now = scheduler_.now();
    entry.used = now;
    if (!entry.token || now >= entry.times.end) {
        return false;
    }
    const Token& token = *entry.token;
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(entry.times.end - now);
    answer(reply_text(object_text({{"accessToken", string_text(token.access_token)},
                                   {"tokenType", string_text(token.token_type)},
                                   {"expiresOn", std::to_string(token.expires_on)},
                                   {"expiresIn", std::to_string(left.count())},
                                   {"resource", string_text(token.resource)},
                                   {"clientId", string_text(token.client_id)}})),
           true);
    return true;
}

namespace {

void refuse_token(const Broker::Answer& answer, const Fetched& last) {
    const auto error = parse_identity_error(last.body);
    if (last.status == 0 || !error) {
        unavailable(answer, last);
        return;
    }
    refuse(answer,
           "org.tarn.Metadata.TokenRefused",
           {{"status", std::to_string(last.status)},
            {"code", string_text(error->code)},
            {"description", string_text(error->description)}});
}

}  // namespace

std::uint64_t Broker::get_token(const Request& request) {
    const auto key = token_key(text_of(request.call, "resource"),
                               text_of(request.call, "clientId"),
                               text_of(request.call, "objectId"),
                               text_of(request.call, "msiResId"));
    if (!key) {
        return invalid(request.answer,
                       text_of(request.call, "resource").empty() ? "resource" : "clientId");
    }
    if (!access_.may(request.peer, Good::kToken, key->resource)) {
        log_(fmt::format("uid {} ({}) may not have a token of {}",
                         request.peer.uid,
                         request.peer.unit,
                         key->resource));
        return refuse(request.answer, kPermissionDenied);
    }
    TokenEntry* entry = token_entry(*key);
    if (entry == nullptr) {
        return refuse(request.answer, "org.tarn.Metadata.Busy");
    }
    const Millis now = scheduler_.now();
    if (answer_token(*entry, request.answer)) {
        if (now >= entry->times.refresh) {
            refresh(*key, *entry);
        }
        return 0;
    }
    if (now < entry->refused_until) {
        refuse_token(request.answer, entry->last);
        return 0;
    }
    const std::uint64_t ticket = wait(
        *entry, options_.token_patience, request.answer, [this, entry, answer = request.answer] {
            if (!answer_token(*entry, answer)) {
                refuse_token(answer, entry->last);
            }
        });
    refresh(*key, *entry);
    return ticket;
}

std::uint64_t Broker::get_attested(const Request& request) {
    const std::string nonce = text_of(request.call, "nonce");
    if (nonce.size() > 10 || nonce.find_first_not_of("0123456789") != std::string::npos) {
        return invalid(request.answer, "nonce");
    }
    if (!access_.may(request.peer, Good::kAttested)) {
        return refuse(request.answer, kPermissionDenied);
    }
    FetchRequest fetch;
    fetch.key = "attested " + nonce;
    fetch.target = "/metadata/attested/document?api-version=2021-02-01";
    fetch.target += nonce.empty() ? "" : "&nonce=" + nonce;
    fetch.body_limit = 256u << 10;
    return once(fetch,
                options_.document_patience,
                request.answer,
                [answer = request.answer](const Fetched& fetched) {
                    const auto json = parse_json(fetched.body);
                    const auto encoding = json ? text_member(*json, "encoding") : std::string();
                    const auto signature = json ? text_member(*json, "signature") : std::string();
                    if (fetched.status != 200) {
                        unavailable(answer, fetched);
                    } else if (signature.empty()) {
                        unavailable(answer, {0, {}, "the attested document has no `signature`"});
                    } else {
                        answer(reply_text(object_text({{"encoding", string_text(encoding)},
                                                       {"signature", string_text(signature)}})),
                               true);
                    }
                });
}

}  // namespace tarn::guest
