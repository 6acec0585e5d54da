// SPDX-License-Identifier: MIT
// An HTTP/1.1 answer read piece by piece as it comes (RFC 9112): for the blocking client here, and
// for a program with an event loop of its own.
#pragma once

#include "http/client.hh"

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::guest {

class ResponseParser {
  public:
    // No more than this many bytes of body; `bodyless` for the answer to HEAD.
    explicit ResponseParser(std::size_t body_limit, bool bodyless = false)
        : body_limit_(body_limit), bodyless_(bodyless) {}

    // True once the answer is whole; what follows it is dropped. kCorrupt.
    Result<bool> feed(std::string_view bytes);
    // The connection ended: the answer, or kNetwork when it was cut off, kCorrupt when it is none.
    Result<HttpResponse> finish() &&;

  private:
    enum class State { kHead, kLength, kToEnd, kChunkSize, kChunkData, kChunkEnd, kTrailer, kDone };

    Result<void> head(std::string_view text);
    Result<void> choose_framing();
    Result<bool> step();
    Result<bool> chunk_size();
    Result<void> take(std::size_t count);
    std::string_view rest() const { return std::string_view(pending_).substr(at_); }

    std::size_t body_limit_;
    bool bodyless_;
    State state_ = State::kHead;
    HttpResponse response_;
    std::string pending_;
    std::size_t at_ = 0;  // what of it is used
    std::uint64_t remaining_ = 0;
    std::size_t trailer_bytes_ = 0;
};

}  // namespace tarn::guest
