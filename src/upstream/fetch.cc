// SPDX-License-Identifier: MIT
#include "upstream/fetch.hh"

#include "upstream/detail/transfer.hh"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

namespace tarn {
namespace {

using Clock = std::chrono::steady_clock;
using upstream::Transfer;
using upstream::Verdict;

constexpr int kPollMilliseconds = 100;
constexpr auto kReportEvery = std::chrono::milliseconds(100);

void initialise_curl() {
    // Once in a process, before any handle; a local static is made by one thread only.
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    TARN_CHECK(code == CURLE_OK);
}

struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

// Runs transfers until each is done or given up.
class Runner {
  public:
    Runner(std::vector<std::unique_ptr<Transfer>>& transfers,
           const FetchOptions& options,
           Reporter& reporter)
        : transfers_(transfers), options_(options), reporter_(reporter) {
        initialise_curl();
        multi_.reset(curl_multi_init());
        TARN_CHECK(multi_ != nullptr);
        for (const auto& transfer : transfers_) {
            waiting_.push_back(transfer.get());
        }
    }

    ~Runner() {
        for (Transfer* const transfer : running_) {
            curl_multi_remove_handle(multi_.get(), transfer->handle());
        }
    }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    void run() {
        while (!waiting_.empty() || !running_.empty()) {
            if (options_.stop.stop_requested()) {
                abandon(error(ErrorKind::kInterrupted, "interrupted"));
                return;
            }
            start_ready();
            int active = 0;
            curl_multi_perform(multi_.get(), &active);
            collect();
            report();
            if (fatal_) {
                abandon(*fatal_);
                return;
            }
            if (!waiting_.empty() || !running_.empty()) {
                curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
            }
        }
    }

  private:
    void start_ready() {
        const auto now = Clock::now();
        std::deque<Transfer*> later;
        while (!waiting_.empty() && running_.size() < std::max(1U, options_.connections)) {
            Transfer* const transfer = waiting_.front();
            waiting_.pop_front();
            if (transfer->not_before > now) {
                later.push_back(transfer);
            } else {
                start(*transfer);
            }
        }
        waiting_.insert(waiting_.begin(), later.begin(), later.end());
    }

    void start(Transfer& transfer) {
        const auto dead = unreachable_.find(transfer.host());
        if (dead != unreachable_.end()) {
            transfer.give_up(dead->second);
            return;
        }
        if (transfer.attempts == 0) {
            const auto complete = transfer.prepare();
            if (!complete) {
                fatal_ = complete.error();
                transfer.give_up(*fatal_);
                return;
            }
            if (*complete) {
                return;
            }
        }
        const auto handle = transfer.begin();
        if (!handle) {
            fatal_ = handle.error();
            transfer.give_up(*fatal_);
            return;
        }
        curl_multi_add_handle(multi_.get(), *handle);
        running_.push_back(&transfer);
    }

    void collect() {
        int left = 0;
        while (CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
            if (message->msg != CURLMSG_DONE) {
                continue;
            }
            const CURLcode code = message->data.result;
            void* owner = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
            auto* const transfer = static_cast<Transfer*>(owner);
            curl_multi_remove_handle(multi_.get(), message->easy_handle);
            std::erase(running_, transfer);
            judge(*transfer, code);
        }
    }

    void judge(Transfer& transfer, CURLcode code) {
        switch (transfer.end(code)) {
            case Verdict::kDone:
                last_item_ = transfer.request().what;
                reached_.insert_or_assign(transfer.host(), true);
                return;
            case Verdict::kAtOnce:
                waiting_.push_front(&transfer);
                return;
            case Verdict::kAgain:
                if (transfer.attempts <= options_.retries) {
                    const auto doubling = std::min(transfer.attempts - 1, 6U);
                    transfer.not_before = Clock::now() + options_.retry_pause * (1U << doubling);
                    waiting_.push_back(&transfer);
                    return;
                }
                break;
            case Verdict::kFailed:
                break;
        }
        const Error& why = *transfer.problem();
        // No further file fits on a full disk; no further file comes from a host that is not there.
        if (why.kind == ErrorKind::kNoSpace || why.kind == ErrorKind::kSystem) {
            fatal_ = why;
        } else if (transfer.unreachable() && !reached_.contains(transfer.host())) {
            unreachable_.emplace(transfer.host(), why);
        }
    }

    void abandon(const Error& why) {
        for (Transfer* const transfer : running_) {
            transfer->give_up(why);
        }
        for (Transfer* const transfer : waiting_) {
            transfer->give_up(why);
        }
        waiting_.clear();
    }

    void report() {
        const auto now = Clock::now();
        if (now - reported_ < kReportEvery) {
            return;
        }
        reported_ = now;
        std::uint64_t done = 0;
        for (const auto& transfer : transfers_) {
            done += transfer->progress();
        }
        reporter_.advance(done, last_item_);
    }

    std::vector<std::unique_ptr<Transfer>>& transfers_;
    const FetchOptions& options_;
    Reporter& reporter_;
    std::unique_ptr<CURLM, MultiDeleter> multi_;
    std::deque<Transfer*> waiting_;
    std::vector<Transfer*> running_;
    std::map<std::string, bool> reached_;
    std::map<std::string, Error> unreachable_;
    std::optional<Error> fatal_;
    std::string last_item_;
    Clock::time_point reported_{};
};

}  // namespace

FetchOutcome fetch(const Store& store,
                   const std::vector<FetchRequest>& requests,
                   const FetchOptions& options,
                   Reporter& reporter) {
    FetchOutcome outcome;
    outcome.digests.resize(requests.size());
    std::vector<std::unique_ptr<Transfer>> transfers;
    std::vector<std::size_t> index_of;
    std::map<Digest, std::size_t> same;  // a digest asked for twice comes once
    std::vector<std::pair<std::size_t, std::size_t>> copies;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const std::optional<Digest>& expected = requests[i].expected;
        if (expected && store.has(*expected)) {
            outcome.digests[i] = expected;
            continue;
        }
        if (expected) {
            const auto [known, fresh] = same.emplace(*expected, transfers.size());
            if (!fresh) {
                copies.emplace_back(i, known->second);
                continue;
            }
            total += expected->size;
        }
        transfers.push_back(std::make_unique<Transfer>(&store, requests[i], options));
        index_of.push_back(i);
    }
    if (transfers.empty()) {
        return outcome;
    }
    reporter.begin("downloading", total, "B");
    Runner(transfers, options, reporter).run();
    reporter.end();

    const auto settle = [&](std::size_t index, const Transfer& transfer) {
        if (transfer.digest()) {
            outcome.digests[index] = transfer.digest();
        } else if (transfer.problem()) {
            outcome.failures.push_back({index, *transfer.problem(), transfer.missing()});
        }
    };
    for (std::size_t i = 0; i < transfers.size(); ++i) {
        settle(index_of[i], *transfers[i]);
        outcome.bytes += transfers[i]->received();
    }
    for (const auto& [index, transfer] : copies) {
        settle(index, *transfers[transfer]);
    }
    std::sort(outcome.failures.begin(),
              outcome.failures.end(),
              [](const FetchFailure& a, const FetchFailure& b) { return a.index < b.index; });
    return outcome;
}

Result<std::string> fetch_text(const std::string& url,
                               std::uint64_t limit,
                               const FetchOptions& options) {
    FetchOptions bounded = options;
    bounded.size_limit = limit;
    std::vector<std::unique_ptr<Transfer>> transfers;
    transfers.push_back(
        std::make_unique<Transfer>(nullptr, FetchRequest{url, std::nullopt, {}}, bounded));
    NullReporter quiet;
    Runner(transfers, bounded, quiet).run();
    if (transfers.front()->problem()) {
        return fail(*transfers.front()->problem());
    }
    return std::move(transfers.front()->text());
}

}  // namespace tarn
