// SPDX-License-Identifier: MIT
#include "upstream/detail/transfer.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::upstream {
namespace {

constexpr long kConnectSeconds = 15;
constexpr long kMaxRedirects = 5;

constexpr std::string_view kOtherMirror =
    "check the network, or name another mirror with --mirror URL or TARN_DEBIAN_MIRROR";

// Failures that a second try may not have.
bool may_pass(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
        case CURLE_PARTIAL_FILE:
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
            return true;
        default:
            return false;
    }
}

bool never_connected(CURLcode code) {
    return code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_CONNECT;
}

}  // namespace

Transfer::Transfer(const Store* store, FetchRequest request, const FetchOptions& options)
    : store_(store), request_(std::move(request)), options_(options) {
    if (request_.what.empty()) {
        request_.what = file_name(request_.url);
    }
}

std::string Transfer::host() const {
    const std::size_t scheme = request_.url.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    return request_.url.substr(0, request_.url.find('/', begin));
}

std::uint64_t Transfer::limit() const {
    return request_.expected ? request_.expected->size : options_.size_limit;
}

std::uint64_t Transfer::progress() const {
    if (digest_) {
        return digest_->size;
    }
    return file_ ? file_->size() : text_.size();
}

Result<bool> Transfer::prepare() {
    if (store_ == nullptr) {
        return false;
    }
    file_.emplace(TARN_TRY(PartialFile::open(*store_, request_.expected)));
    if (!request_.expected || file_->size() < request_.expected->size ||
        request_.expected->size == 0) {
        return false;
    }
    const Digest digest = file_->finish();
    if (digest != *request_.expected) {
        TARN_TRY(file_->restart());
        return false;
    }
    TARN_TRY(file_->adopt(*store_, digest));
    digest_ = digest;
    file_.reset();
    return true;
}

Result<CURL*> Transfer::begin() {
    curl_.reset(curl_easy_init());
    if (!curl_) {
        return fail(ErrorKind::kSystem, "cannot start a download of {}", request_.url);
    }
    CURL* const curl = curl_.get();
    resumed_at_ = file_ ? file_->size() : 0;
    text_.clear();
    error_.reset();
    curl_message_.fill('\0');
    ++attempts;
    curl_easy_setopt(curl, CURLOPT_URL, request_.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_seconds));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "tarn/0.1");
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(resumed_at_));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, curl_message_.data());
    curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
    return curl;
}

std::size_t Transfer::on_bytes(char* data, std::size_t size, std::size_t count, void* self) {
    auto* const transfer = static_cast<Transfer*>(self);
    const auto taken = transfer->take({data, size * count});
    if (!taken) {
        transfer->error_ = taken.error();
        return 0;  // fewer than given: curl stops
    }
    return size * count;
}

Result<void> Transfer::take(std::string_view bytes) {
    received_ += bytes.size();
    const std::uint64_t so_far = file_ ? file_->size() : text_.size();
    if (bytes.size() > limit() - std::min(so_far, limit())) {
        return fail(error(ErrorKind::kCorrupt,
                          "{}: {} is larger than the {} bytes {}",
                          request_.what,
                          request_.url,
                          limit(),
                          request_.expected ? "that were announced" : "that are allowed"));
    }
    if (file_) {
        return file_->append(bytes);
    }
    text_ += bytes;
    return {};
}

Verdict Transfer::refuse(Error why) {
    error_ = std::move(why);
    return Verdict::kFailed;
}

void Transfer::give_up(Error why) {
    error_ = std::move(why);
}

// The server says that all of it came.
Verdict Transfer::complete() {
    if (!file_) {
        return Verdict::kDone;
    }
    const Digest digest = file_->finish();
    if (request_.expected && digest != *request_.expected) {
        if (resumed_at_ != 0 && !restarted_) {
            // The older part may be what is wrong.
            restarted_ = true;
            const auto again = file_->restart();
            return again ? Verdict::kAtOnce : refuse(again.error());
        }
        file_->remove();
        if (digest.size < request_.expected->size) {
            return refuse(error(ErrorKind::kCorrupt,
                                "{}: {} is truncated: {} of {} bytes",
                                request_.what,
                                request_.url,
                                digest.size,
                                request_.expected->size)
                              .advise(std::string(kOtherMirror)));
        }
        return refuse(error(ErrorKind::kCorrupt, "{}: {} is altered", request_.what, request_.url)
                          .note(fmt::format("expected SHA-256 {}", request_.expected->hex()))
                          .note(fmt::format("received SHA-256 {}", digest.hex()))
                          .advise(std::string(kOtherMirror)));
    }
    const auto adopted = file_->adopt(*store_, digest);
    if (!adopted) {
        return refuse(adopted.error());
    }
    digest_ = digest;
    file_.reset();
    return Verdict::kDone;
}

Verdict Transfer::http_failure() {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status == 404 || status == 410) {
        missing_ = true;
        return refuse(error(ErrorKind::kNotFound,
                            "{}: the server has no {} ({})",
                            request_.what,
                            request_.url,
                            status));
    }
    if (status == 416 && resumed_at_ != 0 && !restarted_) {
        restarted_ = true;
        const auto again = file_->restart();
        return again ? Verdict::kAtOnce : refuse(again.error());
    }
    error_ = error(ErrorKind::kNetwork,
                   "{}: the server answered {} to {}",
                   request_.what,
                   status,
                   request_.url)
                 .advise(std::string(kOtherMirror));
    const bool passing = status >= 500 || status == 408 || status == 425 || status == 429;
    return passing ? Verdict::kAgain : Verdict::kFailed;
}

Verdict Transfer::transport_failure(CURLcode code) {
    const std::string_view detail =
        curl_message_[0] != '\0' ? curl_message_.data() : curl_easy_strerror(code);
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT) {
        return refuse(error(ErrorKind::kUsage, "cannot download {}: {}", request_.url, detail)
                          .advise("an address starts with http://, https:// or file://"));
    }
    if (code == CURLE_FILE_COULDNT_READ_FILE || code == CURLE_REMOTE_FILE_NOT_FOUND) {
        missing_ = true;
        return refuse(
            error(ErrorKind::kNotFound, "{}: there is no {}", request_.what, request_.url));
    }
    if ((code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME) && !restarted_ && file_) {
        restarted_ = true;
        const auto again = file_->restart();
        return again ? Verdict::kAtOnce : refuse(again.error());
    }
    unreachable_ = never_connected(code);
    if (code == CURLE_PARTIAL_FILE) {
        error_ = error(ErrorKind::kNetwork,
                       "{}: {} broke off after {} bytes",
                       request_.what,
                       request_.url,
                       progress());
    } else {
        error_ = error(ErrorKind::kNetwork, "cannot reach {}: {}", request_.url, detail);
    }
    error_->help.emplace_back(kOtherMirror);
    return may_pass(code) ? Verdict::kAgain : Verdict::kFailed;
}

Verdict Transfer::end(CURLcode code) {
    if (error_ && code == CURLE_WRITE_ERROR) {
        if (file_ && error_->kind == ErrorKind::kCorrupt) {
            file_->remove();
        }
        return Verdict::kFailed;
    }
    unreachable_ = false;
    if (code == CURLE_OK) {
        return complete();
    }
    return code == CURLE_HTTP_RETURNED_ERROR ? http_failure() : transport_failure(code);
}

}  // namespace tarn::upstream
