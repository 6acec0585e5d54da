// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/hash.hh"
#include "distgit/distgit.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace tarn::distgit {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LookasideTest : public testing::Test {
  protected:
    LookasideTest() : directory_(*TempDir::make()), store_(*Store::open(directory_.path())) {
        setenv("no_proxy", "127.0.0.1", 1);
        port_ = server_.bind_to_any_port("127.0.0.1");
        server_.set_keep_alive_timeout(1);
        options_.pause = std::chrono::milliseconds(0);
        server_.Get("/good/.*", answer(content_));
        server_.Get("/lies/.*", answer("something else"));
        server_.Get("/halves/.*", answer(content_.substr(0, 5)));
        server_.Get("/fails/.*", [this](const auto& request, auto& response) {
            note(request.path);
            response.status = 500;
        });
        server_.Get("/recovers/.*", [this](const auto& request, auto& response) {
            note(request.path);
            if (asked().size() == 1) {
                response.status = 500;
            } else {
                response.set_content(content_, "text/plain");
            }
        });
        server_.Get("/lies-once/.*", [this](const auto& request, auto& response) {
            note(request.path);
            response.set_content(asked().size() == 1 ? "x" : content_, "text/plain");
        });
        server_.Get("/breaks-off/.*", [this](const auto& request, auto& response) {
            note(request.path);
            response.set_content_provider(
                1000, "text/plain", [](std::size_t, std::size_t, httplib::DataSink& sink) {
                    sink.write("part", 4);
                    return false;
                });
        });
        server_.Get("/sleeps/.*", [this](const auto&, auto& response) {
            while (!ending_) {
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            }
            response.status = 500;
        });
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) {
            std::this_thread::yield();
        }
    }
    ~LookasideTest() override {
        ending_ = true;
        server_.stop();
        thread_.join();
    }
    httplib::Server::Handler answer(const std::string& bytes) {
        return [this, bytes](const httplib::Request& request, httplib::Response& response) {
            note(request.path);
            response.set_content(bytes, "application/octet-stream");
        };
    }
    void note(const std::string& path) {
        const std::lock_guard guard(mutex_);
        asked_.push_back(path);
    }
    std::vector<std::string> asked() {
        const std::lock_guard guard(mutex_);
        return asked_;
    }
    std::string url(const std::string& path) const {
        return fmt::format("http://127.0.0.1:{}{}", port_, path);
    }
    std::string uri(const std::string& kind) const { return url("/" + kind + "/$hashtype/$filename"); }
    LookasideFile sha512() const {
        return {"a.tar", "SHA512", hash_hex(HashKind::kSha512, content_)};
    }
    std::vector<Result<Digest>> get(const std::vector<LookasideRequest>& requests) {
        NullReporter quiet;
        return fetch_lookaside(store_, requests, options_, quiet);
    }
    Result<Digest> get_from(const std::vector<std::string>& templates,
                            const std::string& origin = {}) {
        return get({{"acl", sha512(), templates, origin}}).front();
    }
    std::vector<std::string> leftovers() const {
        return *list_directory(store_.temporary_directory());
    }

    TempDir directory_;
    Store store_;
    const std::string content_ = "the archive";
    httplib::Server server_;
    std::thread thread_;
    int port_ = 0;
    std::atomic<bool> ending_ = false;
    std::mutex mutex_;
    std::vector<std::string> asked_;
    Options options_;
};

TEST_F(LookasideTest, FetchesVerifiesAndRemembers) {
    const auto digest = get_from({uri("good")});
    ASSERT_TRUE(digest.has_value()) << digest.error().message;
    EXPECT_EQ(*digest, Digest::of(content_));
    EXPECT_EQ(store_.read(*digest), content_);
    EXPECT_EQ(get_from({uri("fails")}), *digest);
    EXPECT_THAT(asked(), ElementsAre("/good/sha512/a.tar"));
    EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(LookasideTest, AllThreeHashTypesAndOneDownloadPerHash) {
    const LookasideFile md5{"a.tar", "MD5", hash_hex(HashKind::kMd5, content_)};
    const LookasideFile sha256{"a.tar", "SHA256", hash_hex(HashKind::kSha256, content_)};
    const std::vector<std::string> from = {uri("good")};
    const auto got = get({{"acl", md5, from, {}}, {"acl", sha256, from, {}},
                          {"acl", sha512(), from, {}}, {"attr", sha512(), from, {}}});
    for (const auto& digest : got) {
        EXPECT_EQ(digest, Digest::of(content_));
    }
    EXPECT_EQ(asked().size(), 3U);
}

TEST_F(LookasideTest, LieIsRefusedAndNotStored) {
    for (const char* kind : {"lies", "halves"}) {
        const auto digest = get_from({uri(kind)});
        ASSERT_FALSE(digest.has_value());
        EXPECT_EQ(digest.error().kind, ErrorKind::kCorrupt);
        EXPECT_EQ(digest.error().message, "acl: cannot fetch source `a.tar`");
        EXPECT_THAT(digest.error().notes, Contains(AllOf(HasSubstr(kind), HasSubstr("has the sha512"))));
        EXPECT_THAT(digest.error().notes, Contains("expected the sha512 " + sha512().hash));
    }
    EXPECT_FALSE(store_.has(Digest::of("something else")));
    EXPECT_EQ(asked().size(), 6U);  // three tries each
    EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(LookasideTest, MirrorsAreTriedInOrderThenTheOrigin) {
    EXPECT_TRUE(get_from({uri("nowhere"), uri("lies"), uri("good")}, url("/good/origin")));
    EXPECT_EQ(asked().back(), "/good/sha512/a.tar");
}

TEST_F(LookasideTest, OriginComesLast) {
    EXPECT_TRUE(get_from({uri("nowhere")}, url("/good/origin")));
    EXPECT_THAT(asked(), ElementsAre("/good/origin"));
}

TEST_F(LookasideTest, ServerThatRecoversIsTriedAgain) {
    EXPECT_TRUE(get_from({uri("recovers")}));
    EXPECT_EQ(asked().size(), 2U);
}

TEST_F(LookasideTest, WrongBytesAreFetchedAgain) {
    EXPECT_TRUE(get_from({uri("lies-once")}));
    EXPECT_EQ(asked().size(), 2U);
}

TEST_F(LookasideTest, EveryFailureIsNamed) {
    options_.attempts = 2;
    const auto digest = get_from({uri("nowhere"), uri("fails"), uri("breaks-off")});
    ASSERT_FALSE(digest.has_value());
    EXPECT_EQ(digest.error().kind, ErrorKind::kNetwork);
    EXPECT_THAT(digest.error().notes,
                ElementsAre(HasSubstr("404"), HasSubstr("500"), HasSubstr("broke off"),
                            HasSubstr("expected the sha512")));
    EXPECT_THAT(digest.error().help, Contains(HasSubstr("lookaside-mirrors")));
}

TEST_F(LookasideTest, FileThatIsNowhereIsNotFound) {
    const auto digest = get_from({uri("nowhere")});
    ASSERT_FALSE(digest.has_value());
    EXPECT_EQ(digest.error().kind, ErrorKind::kNotFound);
}

TEST_F(LookasideTest, SilentServerIsLeftForTheNext) {
    options_.timeout = std::chrono::seconds(1);
    options_.attempts = 1;
    EXPECT_TRUE(get_from({uri("sleeps"), uri("good")}));
}

TEST_F(LookasideTest, OneFailureDoesNotSpoilTheOthers) {
    const auto got = get({{"acl", sha512(), {uri("good")}, {}},
                          {"acl", {"b", "SHA256", std::string(64, '0')}, {uri("lies")}, {}},
                          {"acl", {"../b", "SHA256", std::string(64, '0')}, {uri("lies")}, {}},
                          {"acl", {"c", "CRC", "00"}, {uri("good")}, {}},
                          {"acl", {"d", "MD5", "00"}, {uri("good")}, {}},
                          {"acl", {"e", "MD5", std::string(32, 'x')}, {uri("good")}, {}},
                          {"acl", {"f", "MD5", std::string(32, '0')}, {}, {}},
                          {"acl", {"g", "", ""}, {uri("good")}, {}}});
    EXPECT_TRUE(got[0].has_value());
    EXPECT_EQ(got[1].error().kind, ErrorKind::kCorrupt);
    for (std::size_t i = 2; i < got.size(); ++i) {
        ASSERT_FALSE(got[i].has_value()) << i;
        EXPECT_EQ(got[i].error().kind, ErrorKind::kUsage) << i;
        EXPECT_FALSE(got[i].error().help.empty()) << i;
    }
}

TEST_F(LookasideTest, WithoutHashTheOriginIsTakenAsItIsAndNotRemembered) {
    const LookasideRequest request{"acl", {"a.tar", "", ""}, {}, url("/good/a.tar")};
    EXPECT_EQ(get({request}).front(), Digest::of(content_));
    EXPECT_EQ(get({request}).front(), Digest::of(content_));
    EXPECT_EQ(asked().size(), 2U);
}

TEST_F(LookasideTest, OfflineOnlyKnowsWhatCameBefore) {
    options_.offline = true;
    const auto digest = get_from({uri("good")});
    ASSERT_FALSE(digest.has_value());
    EXPECT_EQ(digest.error().kind, ErrorKind::kNetwork);
    options_.offline = false;
    EXPECT_TRUE(get_from({uri("good")}));
    options_.offline = true;
    EXPECT_TRUE(get_from({uri("fails")}));
    EXPECT_EQ(asked().size(), 1U);
}

TEST_F(LookasideTest, InterruptionEndsIt) {
    std::stop_source stop;
    stop.request_stop();
    options_.stop = stop.get_token();
    const auto digest = get_from({uri("good")});
    ASSERT_FALSE(digest.has_value());
    EXPECT_EQ(digest.error().kind, ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace tarn::distgit
