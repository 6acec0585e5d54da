// SPDX-License-Identifier: MIT
#include "http/parser.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::guest {

namespace {

constexpr std::size_t kHeadLimit = 64u << 10;
constexpr std::size_t kHeaderLimit = 200;
constexpr std::size_t kLineLimit = 4096;  // of a chunk's size, and of a trailer

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

// Where the head ends, as (length of the head, where the body begins): a bare "\n" is taken as an
// end of line as well.
bool head_end(std::string_view text, std::size_t& length, std::size_t& body) {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos;
         at = text.find('\n', at + 1)) {
        std::string_view rest = text.substr(at + 1);
        const std::size_t skip = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
        if (skip != 0) {
            length = at + 1;
            body = at + 1 + skip;
            return true;
        }
    }
    return false;
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (to_lower(key) == to_lower(name)) {
            return value;
        }
    }
    return {};
}

Result<bool> ResponseParser::feed(std::string_view bytes) {
    if (state_ == State::kDone) {
        return true;
    }
    pending_.append(bytes);
    while (state_ != State::kDone) {
        if (!TARN_TRY(step())) {
            pending_.erase(0, at_);
            at_ = 0;
            return false;
        }
    }
    pending_.clear();
    at_ = 0;
    return true;
}

// One state's work; false when it needs more bytes.
Result<bool> ResponseParser::step() {
    switch (state_) {
        case State::kHead: {
            std::size_t length = 0;
            std::size_t body = 0;
            if (!head_end(rest(), length, body) || length > kHeadLimit) {
                if (rest().size() > kHeadLimit) {
                    return fail(ErrorKind::kCorrupt, "the answer's head is larger than 64 KiB");
                }
                return false;
            }
            TARN_TRY(head(rest().substr(0, length)));
            at_ += body;
            if (response_.status < 200) {  // 100 Continue and the like: the answer comes after it
                response_ = {};
                return true;
            }
            TARN_TRY(choose_framing());
            return true;
        }
        case State::kLength:
        case State::kChunkData: {
            const auto count = std::min<std::uint64_t>(remaining_, rest().size());
            TARN_TRY(take(static_cast<std::size_t>(count)));
            remaining_ -= count;
            if (remaining_ != 0) {
                return false;
            }
            state_ = state_ == State::kLength ? State::kDone : State::kChunkEnd;
            return true;
        }
        case State::kToEnd:
            TARN_TRY(take(rest().size()));
            return false;
        case State::kChunkEnd:
            if (rest().size() < 2) {
                return false;
            }
            if (!rest().starts_with("\r\n")) {
                return fail(ErrorKind::kCorrupt, "a chunk of the answer is longer than it says");
            }
            at_ += 2;
            state_ = State::kChunkSize;
            return true;
        case State::kChunkSize:
        case State::kTrailer:
            return chunk_size();
        case State::kDone:
            return true;
    }
    return true;
}

// A line: the size of a chunk, or one of the trailer.
Result<bool> ResponseParser::chunk_size() {
    const std::size_t end = rest().find("\r\n");
    if (end == std::string::npos || end > kLineLimit) {
        if (rest().size() > kLineLimit) {
            return fail(ErrorKind::kCorrupt, "a chunk of the answer begins with no size");
        }
        return false;
    }
    const std::string_view line = rest().substr(0, end);
    at_ += end + 2;
    if (state_ == State::kTrailer) {
        trailer_bytes_ += line.size();
        if (trailer_bytes_ > kHeadLimit) {
            return fail(ErrorKind::kCorrupt, "the answer's trailer is larger than 64 KiB");
        }
        if (line.empty()) {
            state_ = State::kDone;
        }
        return true;
    }
    const std::string_view digits = trim(line.substr(0, line.find(';')));
    const auto size = digits.size() > 15 ? std::nullopt : parse_u64(digits, 16);
    if (!size) {
        return fail(ErrorKind::kCorrupt, "a chunk of the answer begins with no size");
    }
    if (*size > body_limit_ - response_.body.size()) {
        return fail(ErrorKind::kCorrupt, "the answer is larger than {} bytes", body_limit_);
    }
    remaining_ = *size;
    state_ = *size == 0 ? State::kTrailer : State::kChunkData;
    return true;
}

Result<void> ResponseParser::take(std::size_t count) {
    if (count > body_limit_ - response_.body.size()) {
        return fail(ErrorKind::kCorrupt, "the answer is larger than {} bytes", body_limit_);
    }
    response_.body.append(rest().substr(0, count));
    at_ += count;
    return {};
}

Result<void> ResponseParser::head(std::string_view text) {
    const std::vector<std::string_view> lines = split_lines(text);
    const std::string_view first = lines.empty() ? std::string_view() : lines[0];
    const auto status = first.size() >= 12 ? parse_u64(first.substr(9, 3)) : std::nullopt;
    const bool status_ends = first.size() <= 12 || first[12] == ' ' || first[12] == '\r';
    if (!first.starts_with("HTTP/1.") || first[8] != ' ' || !status || *status < 100 ||
        *status > 599 || !status_ends) {
        return fail(ErrorKind::kCorrupt, "the answer does not begin as one of HTTP/1.1");
    }
    response_.status = static_cast<int>(*status);
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::string_view line = lines[i];
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
            line.find('\0') != std::string_view::npos) {
            return fail(ErrorKind::kCorrupt, "line {} of the answer's head is no header", i + 1);
        }
        if (response_.headers.size() == kHeaderLimit) {
            return fail(ErrorKind::kCorrupt, "the answer has more than {} headers", kHeaderLimit);
        }
        response_.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
    return {};
}

Result<void> ResponseParser::choose_framing() {
    if (bodyless_ || response_.status == 204 || response_.status == 304) {
        state_ = State::kDone;
        return {};
    }
    const std::string coding = to_lower(response_.header("Transfer-Encoding"));
    const std::string_view length = response_.header("Content-Length");
    if (!coding.empty()) {
        if (coding != "chunked") {
            return fail(ErrorKind::kCorrupt, "the answer is encoded as `{}`", coding);
        }
        state_ = State::kChunkSize;
        return {};
    }
    if (length.empty()) {
        state_ = State::kToEnd;
        return {};
    }
    for (const auto& [name, value] : response_.headers) {
        if (to_lower(name) == "content-length" && value != length) {
            return fail(ErrorKind::kCorrupt, "the answer has two lengths");
        }
    }
    const auto size = parse_u64(length);
    if (!size) {
        return fail(ErrorKind::kCorrupt, "the answer's length is no number: `{}`", length);
    }
    if (*size > body_limit_) {
        return fail(ErrorKind::kCorrupt, "the answer is larger than {} bytes", body_limit_);
    }
    remaining_ = *size;
    state_ = State::kLength;
    return {};
}

Result<HttpResponse> ResponseParser::finish() && {
    if (state_ == State::kDone || state_ == State::kToEnd) {
        return std::move(response_);
    }
    if (state_ == State::kHead && pending_.empty()) {
        return fail(ErrorKind::kNetwork, "the connection was closed without an answer");
    }
    return fail(ErrorKind::kNetwork, "the connection was cut off in the middle of the answer");
}

Result<HttpResponse> parse_response(std::string_view bytes, std::size_t body_limit) {
    ResponseParser parser(body_limit);
    TARN_TRY(parser.feed(bytes));
    auto response = std::move(parser).finish();
    if (!response) {  // these bytes are all there is
        response.error().kind = ErrorKind::kCorrupt;
    }
    return response;
}

}  // namespace tarn::guest
