// SPDX-License-Identifier: MIT
#include "upstream/fetch.hh"

#include "base/fs.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace tarn {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::string noise(std::size_t size) {
    std::string bytes;
    unsigned x = 7;
    while (bytes.size() < size) {
        x = x * 1103515245U + 12345U;
        bytes += static_cast<char>(x >> 16);
    }
    return bytes;
}

class Fetch : public testing::Test {
  protected:
    Fetch() : directory_(*TempDir::make()), store_(*Store::open(directory_.path() + "/store")) {
        setenv("no_proxy", "127.0.0.1", 1);
        port_ = server_.bind_to_any_port("127.0.0.1");
        server_.set_keep_alive_timeout(1);
        options_.retry_pause = std::chrono::milliseconds(1);
        server_.Get("/whole", [this](const httplib::Request& request, httplib::Response& response) {
            ++requests_;
            ranges_.push_back(request.get_header_value("Range"));
            response.set_content(content_, "application/octet-stream");
        });
        server_.Get("/broken", [](const httplib::Request&, httplib::Response& response) {
            response.status = 500;
        });
    }
    ~Fetch() override {
        server_.stop();
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    void serve() {
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) {
            std::this_thread::yield();
        }
    }
    std::string url(const std::string& path) const {
        return fmt::format("http://127.0.0.1:{}{}", port_, path);
    }
    FetchOutcome get(const std::vector<FetchRequest>& requests) {
        NullReporter quiet;
        return fetch(store_, requests, options_, quiet);
    }
    FetchOutcome get(const std::string& address, std::optional<Digest> expected) {
        return get({{address, expected, "thing 1.0"}});
    }
    std::string partial_path() const {
        return store_.temporary_directory() + "/partial-" + Digest::of(content_).hex();
    }
    std::vector<std::string> leftovers() const {
        return *list_directory(store_.temporary_directory());
    }

    TempDir directory_;
    Store store_;
    httplib::Server server_;
    std::thread thread_;
    int port_ = 0;
    FetchOptions options_;
    std::string content_ = noise(300'000);
    std::atomic<int> requests_ = 0;
    std::vector<std::string> ranges_;
};

TEST_F(Fetch, BringsManyFilesIntoTheStore) {
    server_.Get(R"(/n/(\d+))", [](const httplib::Request& request, httplib::Response& response) {
        response.set_content("content " + request.matches[1].str(), "text/plain");
    });
    serve();
    std::vector<FetchRequest> requests;
    for (int i = 0; i < 40; ++i) {
        requests.push_back(
            {url(fmt::format("/n/{}", i)), Digest::of(fmt::format("content {}", i)), ""});
    }
    const FetchOutcome outcome = get(requests);
    EXPECT_TRUE(outcome.failures.empty());
    for (std::size_t i = 0; i < requests.size(); ++i) {
        ASSERT_EQ(outcome.digests[i], requests[i].expected);
        EXPECT_TRUE(store_.has(*outcome.digests[i]));
    }
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Fetch, WhatTheStoreHasIsNotAskedForAgain) {
    serve();
    const Digest digest = Digest::of(content_);
    EXPECT_EQ(get({{url("/whole"), digest, "a"}, {url("/whole"), digest, "b"}}).digests[1], digest);
    EXPECT_EQ(get(url("/whole"), digest).bytes, 0U);
    EXPECT_EQ(requests_, 1);
}

TEST_F(Fetch, UnknownDigestIsComputed) {
    serve();
    EXPECT_EQ(get(url("/whole"), std::nullopt).digests[0], Digest::of(content_));
    EXPECT_TRUE(store_.has(Digest::of(content_)));
}

TEST_F(Fetch, AlteredFileIsRefusedAndLeavesNothing) {
    serve();
    const Digest other = Digest::of(noise(300'001).substr(1));
    const FetchOutcome outcome = get(url("/whole"), other);
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_EQ(outcome.failures[0].error.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(outcome.failures[0].error.message, HasSubstr("thing 1.0: "));
    EXPECT_THAT(outcome.failures[0].error.message, HasSubstr("is altered"));
    EXPECT_FALSE(outcome.digests[0].has_value());
    EXPECT_FALSE(store_.has(other));
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Fetch, ShortAndLongFilesAreRefused) {
    serve();
    FetchOutcome outcome = get(url("/whole"), Digest::of(content_ + "more"));
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_THAT(outcome.failures[0].error.message, HasSubstr("is truncated: 300000 of 300004"));
    outcome = get(url("/whole"), Digest::of(content_.substr(0, 100'000)));
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_EQ(outcome.failures[0].error.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(outcome.failures[0].error.message, HasSubstr("is larger than the 100000 bytes"));
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Fetch, MissingFileIsToldApart) {
    serve();
    const FetchOutcome outcome = get({{url("/nowhere"), Digest::of("x"), "libx 1"},
                                      {url("/whole"), Digest::of(content_), "whole"}});
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_TRUE(outcome.failures[0].missing);
    EXPECT_EQ(outcome.failures[0].index, 0U);
    EXPECT_EQ(outcome.failures[0].error.kind, ErrorKind::kNotFound);
    EXPECT_TRUE(outcome.digests[1].has_value());
}

TEST_F(Fetch, PassingFailuresAreTriedAgain) {
    std::atomic<int> calls = 0;
    server_.Get("/flaky", [&](const httplib::Request&, httplib::Response& response) {
        if (++calls < 3) {
            response.status = 503;
        } else {
            response.set_content(content_, "text/plain");
        }
    });
    serve();
    EXPECT_TRUE(get(url("/flaky"), Digest::of(content_)).failures.empty());
    EXPECT_EQ(calls, 3);
}

TEST_F(Fetch, LastingFailuresEndAfterTheRetries) {
    serve();
    const FetchOutcome outcome = get(url("/broken"), std::nullopt);
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_EQ(outcome.failures[0].error.kind, ErrorKind::kNetwork);
    EXPECT_THAT(outcome.failures[0].error.message, HasSubstr("answered 500"));
}

TEST_F(Fetch, GoesOnWhereAKilledRunStopped) {
    serve();
    ASSERT_TRUE(write_file_atomic(partial_path(), content_.substr(0, 200'000)).has_value());
    const FetchOutcome outcome = get(url("/whole"), Digest::of(content_));
    ASSERT_TRUE(outcome.failures.empty());
    EXPECT_EQ(outcome.bytes, 100'000U);
    EXPECT_THAT(ranges_, Contains("bytes=200000-"));
    EXPECT_EQ(*store_.read(Digest::of(content_)), content_);
}

TEST_F(Fetch, CompletePartialNeedsNoServer) {
    ASSERT_TRUE(write_file_atomic(partial_path(), content_).has_value());
    EXPECT_TRUE(get("http://127.0.0.1:1/x", Digest::of(content_)).failures.empty());
    EXPECT_TRUE(store_.has(Digest::of(content_)));
}

TEST_F(Fetch, DamagedPartialIsThrownAway) {
    serve();
    for (const std::string& damaged :
         {std::string(200'000, 'x'), std::string(300'000, 'x'), std::string(400'000, 'x')}) {
        ASSERT_TRUE(write_file_atomic(partial_path(), damaged).has_value());
        EXPECT_TRUE(get(url("/whole"), Digest::of(content_)).failures.empty()) << damaged.size();
        ASSERT_EQ(*store_.read(Digest::of(content_)), content_);
        ASSERT_TRUE(remove_tree(store_.blob_path(Digest::of(content_))).has_value());
    }
}

TEST_F(Fetch, BrokenConnectionIsResumed) {
    std::atomic<int> calls = 0;
    server_.Get("/cut", [&](const httplib::Request& request, httplib::Response& response) {
        const bool first = ++calls == 1;
        ranges_.push_back(request.get_header_value("Range"));
        response.set_content_provider(
            content_.size(),
            "application/octet-stream",
            [this, first](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                if (first && offset >= 100'000) {
                    return false;
                }
                sink.write(content_.data() + offset, std::min<std::size_t>(length, 50'000));
                return true;
            });
    });
    serve();
    const FetchOutcome outcome = get(url("/cut"), Digest::of(content_));
    ASSERT_TRUE(outcome.failures.empty()) << outcome.failures[0].error.message;
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(outcome.bytes, content_.size());
    EXPECT_EQ(*store_.read(Digest::of(content_)), content_);
}

TEST_F(Fetch, ServerWithoutRangesStartsOver) {
    server_.Get("/plain", [&](const httplib::Request&, httplib::Response& response) {
        response.set_chunked_content_provider("application/octet-stream",
                                              [this](std::size_t, httplib::DataSink& sink) {
                                                  sink.write(content_.data(), content_.size());
                                                  sink.done();
                                                  return true;
                                              });
    });
    serve();
    ASSERT_TRUE(write_file_atomic(partial_path(), content_.substr(0, 1000)).has_value());
    const FetchOutcome outcome = get(url("/plain"), Digest::of(content_));
    EXPECT_TRUE(outcome.failures.empty());
    EXPECT_EQ(*store_.read(Digest::of(content_)), content_);
}

TEST_F(Fetch, PartialInUseByAnotherProcessIsLeftAlone) {
    serve();
    ASSERT_TRUE(write_file_atomic(partial_path(), "theirs").has_value());
    const Fd theirs = *open_file(partial_path(), O_RDWR);
    ASSERT_EQ(flock(theirs.get(), LOCK_EX), 0);
    EXPECT_TRUE(get(url("/whole"), Digest::of(content_)).failures.empty());
    EXPECT_EQ(*read_file(partial_path()), "theirs");
    EXPECT_EQ(*store_.read(Digest::of(content_)), content_);
}

TEST_F(Fetch, UnreachableServerIsNamedWithAdvice) {
    options_.retries = 1;
    std::vector<FetchRequest> requests;
    for (int i = 0; i < 50; ++i) {
        requests.push_back({fmt::format("http://127.0.0.1:1/{}", i), std::nullopt, ""});
    }
    const FetchOutcome outcome = get(requests);
    ASSERT_EQ(outcome.failures.size(), 50U);
    const Error& error = outcome.failures[0].error;
    EXPECT_EQ(error.kind, ErrorKind::kNetwork);
    EXPECT_THAT(error.message, HasSubstr("cannot reach http://127.0.0.1:1/"));
    EXPECT_THAT(error.help, Contains(HasSubstr("--mirror URL or TARN_DEBIAN_MIRROR")));
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Fetch, ServerThatStopsSendingIsGivenUp) {
    std::atomic<bool> stop = false;
    server_.Get("/stall", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content_provider(
            content_.size(),
            "application/octet-stream",
            [&](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                if (offset == 0) {
                    sink.write(content_.data(), 1000);
                }
                while (!stop) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(10));
                }
                return false;
            });
    });
    serve();
    options_.stall_seconds = 1;
    options_.retries = 0;
    const FetchOutcome outcome = get(url("/stall"), Digest::of(content_));
    stop = true;
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_EQ(outcome.failures[0].error.kind, ErrorKind::kNetwork);
    EXPECT_EQ(read_file(partial_path())->size(), 1000U);  // for the next run
}

TEST_F(Fetch, KilledDownloadIsResumedByTheNextProcess) {
    std::atomic<bool> stop = false;
    std::atomic<int> calls = 0;
    server_.Get("/slow", [&](const httplib::Request&, httplib::Response& response) {
        const bool first = ++calls == 1;
        response.set_content_provider(
            content_.size(),
            "application/octet-stream",
            [&, first](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                if (first && offset >= 100'000) {
                    while (!stop) {
                        std::this_thread::sleep_for(std::chrono::milliseconds(10));
                    }
                    return false;
                }
                sink.write(content_.data() + offset, std::min<std::size_t>(length, 100'000));
                return true;
            });
    });
    serve();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        get(url("/slow"), Digest::of(content_));
        _exit(0);
    }
    for (int i = 0; i < 1000 && read_file(partial_path()).value_or("").size() < 100'000; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    stop = true;
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(store_.has(Digest::of(content_)));
    const FetchOutcome outcome = get(url("/slow"), Digest::of(content_));
    ASSERT_TRUE(outcome.failures.empty());
    EXPECT_EQ(outcome.bytes, 200'000U);
    EXPECT_EQ(*store_.read(Digest::of(content_)), content_);
}

TEST_F(Fetch, RedirectsStayWithinHttpAndEnd) {
    server_.Get("/to-whole", [](const httplib::Request&, httplib::Response& response) {
        response.set_redirect("/whole");
    });
    server_.Get("/to-file", [](const httplib::Request&, httplib::Response& response) {
        response.set_redirect("file:///etc/hostname");
    });
    server_.Get("/loop", [](const httplib::Request&, httplib::Response& response) {
        response.set_redirect("/loop");
    });
    serve();
    EXPECT_TRUE(get(url("/to-whole"), Digest::of(content_)).failures.empty());
    EXPECT_EQ(get(url("/to-file"), std::nullopt).failures.size(), 1U);
    EXPECT_EQ(get(url("/loop"), std::nullopt).failures.size(), 1U);
}

TEST_F(Fetch, StopRequestInterrupts) {
    serve();
    std::stop_source source;
    source.request_stop();
    options_.stop = source.get_token();
    const FetchOutcome outcome = get(url("/whole"), Digest::of(content_));
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_EQ(outcome.failures[0].error.kind, ErrorKind::kInterrupted);
}

TEST_F(Fetch, LocalFilesAndForeignSchemes) {
    const std::string path = directory_.path() + "/file";
    ASSERT_TRUE(write_file_atomic(path, content_).has_value());
    EXPECT_TRUE(get("file://" + path, Digest::of(content_)).failures.empty());
    EXPECT_TRUE(get("file://" + path + ".gone", Digest::of("x")).failures[0].missing);
    EXPECT_EQ(get("ftp://127.0.0.1/x", std::nullopt).failures[0].error.kind, ErrorKind::kUsage);
}

TEST_F(Fetch, TextHasALimit) {
    serve();
    EXPECT_EQ(*fetch_text(url("/whole"), 300'000, options_), content_);
    EXPECT_EQ(fetch_text(url("/whole"), 299'999, options_).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(fetch_text(url("/nowhere"), 10, options_).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tarn
