// SPDX-License-Identifier: MIT
// One download: a curl handle, where its bytes go, and what is to be done when it ends.
#pragma once

#include "upstream/detail/partial_file.hh"
#include "upstream/fetch.hh"

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace tarn::upstream {

enum class Verdict {
    kDone,    // complete and verified
    kAgain,   // worth another try after a pause
    kAtOnce,  // start over now: what was kept from before cannot be continued
    kFailed,
};

class Transfer {
  public:
    // With a store the bytes go there; without, into text().
    Transfer(const Store* store, FetchRequest request, const FetchOptions& options);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // Opens the file to write to; true when all of it is there already (from a run before).
    Result<bool> prepare();
    // A handle set up to go on from where the last attempt stopped.
    Result<CURL*> begin();
    CURL* handle() const { return curl_.get(); }
    Verdict end(CURLcode code);
    void give_up(Error why);

    std::string host() const;
    const FetchRequest& request() const { return request_; }
    std::uint64_t received() const { return received_; }  // over the wire, all attempts
    std::uint64_t progress() const;                       // of the file
    bool unreachable() const { return unreachable_; }
    bool missing() const { return missing_; }
    const std::optional<Error>& problem() const { return error_; }
    const std::optional<Digest>& digest() const { return digest_; }
    std::string& text() { return text_; }

    unsigned attempts = 0;
    std::chrono::steady_clock::time_point not_before{};

  private:
    static std::size_t on_bytes(char* data, std::size_t size, std::size_t count, void* self);
    Result<void> take(std::string_view bytes);
    std::uint64_t limit() const;
    Verdict complete();
    Verdict refuse(Error why);
    Verdict http_failure();
    Verdict transport_failure(CURLcode code);

    struct CurlDeleter {
        void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
    };
    const Store* store_;
    FetchRequest request_;
    FetchOptions options_;
    std::unique_ptr<CURL, CurlDeleter> curl_;
    std::optional<PartialFile> file_;
    std::string text_;
    std::uint64_t resumed_at_ = 0;
    std::uint64_t received_ = 0;
    bool restarted_ = false;
    bool unreachable_ = false;
    bool missing_ = false;
    std::optional<Error> error_;
    std::optional<Digest> digest_;
    std::array<char, CURL_ERROR_SIZE> curl_message_{};
};

}  // namespace tarn::upstream
