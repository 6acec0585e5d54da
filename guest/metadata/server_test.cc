// SPDX-License-Identifier: MIT
// The broker with a real socket, real clients and a metadata service on the loopback.
#include "metadata/server.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "base/fs.hh"
#include "http/test_server.hh"
#include "metadata/commands.hh"
#include "metadata/fakes_test.hh"
#include "varlink/client.hh"

namespace tarn::guest {
namespace {

using testing::HasSubstr;

class ServerTest : public testing::Test {
  protected:
    static TestServer::Answer platform(const SeenRequest& request) {
        if (request.line().find("/metadata/instance") != std::string::npos) {
            return TestServer::reply(200, kInstance);
        }
        return TestServer::reply(200, kToken);
    }
    void start(ServerLimits limits = {}, TestServer::Handler handler = platform) {
        upstream_ = std::make_unique<TestServer>(std::move(handler));
        gate_ = std::make_unique<Gate>(loop_, transport_);
        fetcher_ = std::make_unique<Fetcher>(loop_, *gate_, upstream_->endpoint());
        broker_ = std::make_unique<Broker>(
            loop_, *fetcher_, Access(), BrokerOptions(), [](const std::string&) {});
        server_ = std::make_unique<Server>(loop_, *broker_, limits, [this](int) -> Result<Peer> {
            Peer peer;
            peer.uid = uid_;
            return peer;
        });
        auto listener = listen_at(path_);
        ASSERT_TRUE(listener) << listener.error().message;
        ASSERT_TRUE(server_->listen(std::move(*listener)));
    }
    VarlinkClient connect() {
        auto client = VarlinkClient::connect(path_);
        TARN_CHECK(client.has_value());
        return std::move(*client);
    }
    // The loop turns in this thread until the condition holds.
    template <class Condition>
    bool turn_until(Condition&& condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end || !loop_.turn(Millis(5))) {
                return false;
            }
        }
        return true;
    }
    static bool readable(const VarlinkClient& client) {
        pollfd one{client.fd(), POLLIN, 0};
        return poll(&one, 1, 0) > 0;
    }
    std::string answer(VarlinkClient& client) {
        if (!turn_until([&] { return client.buffered() || readable(client); })) {
            return "nothing";
        }
        const auto reply = client.next(std::chrono::seconds(1));
        return reply ? reply->error + reply->parameters : reply.error().message;
    }
    static void write(const VarlinkClient& client, std::string_view bytes) {
        (void)send(client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    static std::string get(const std::string& path) {
        return object_text({{"key", string_text(path)}});
    }

    TempDir directory_ = *TempDir::make();
    std::string path_ = directory_.path() + "/socket";
    uid_t uid_ = 0;
    Loop loop_ = *Loop::make();
    TcpTransport transport_{loop_};
    std::unique_ptr<TestServer> upstream_;
    std::unique_ptr<Gate> gate_;
    std::unique_ptr<Fetcher> fetcher_;
    std::unique_ptr<Broker> broker_;
    std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersOverTheSocket) {
    start();
    VarlinkClient client = connect();
    ASSERT_TRUE(client.send("org.tarn.Metadata.Get", get("/instance/compute/name"), false));
    EXPECT_THAT(answer(client), HasSubstr("web_3"));
    const auto seen = upstream_->seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_TRUE(seen[0].has("Metadata: true")) << seen[0].head;
    EXPECT_THAT(seen[0].head, HasSubstr("x-ms-client-request-id: "));
    EXPECT_THAT(seen[0].head, testing::Not(HasSubstr("X-Forwarded-For")));
}

TEST_F(ServerTest, CallsInARowAreAnsweredInTheirOrder) {
    start();
    VarlinkClient client = connect();
    std::string all;
    for (int i = 0; i < 300; ++i) {
        const bool token = i % 3 == 0;
        all += token ? call_text("org.tarn.Metadata.GetToken", R"({"resource":"https://a"})")
                     : call_text("org.tarn.Metadata.Get", get("/instance/compute/location"));
        all += '\0';
    }
    write(client, all);
    for (int i = 0; i < 300; ++i) {
        ASSERT_THAT(answer(client), HasSubstr(i % 3 == 0 ? "eyJ0.a.b" : "westeurope")) << i;
    }
    EXPECT_EQ(upstream_->seen().size(), 2U);
}

TEST_F(ServerTest, OnewayCallsAreNotAnswered) {
    start();
    VarlinkClient client = connect();
    std::string both = R"({"method":"org.tarn.Metadata.GetStatus","oneway":true})";
    both += '\0';
    both += call_text("org.tarn.Metadata.Get", get("/versions/x"));
    both += '\0';
    write(client, both);
    EXPECT_THAT(answer(client), HasSubstr("KeyNotFound"));
}

TEST_F(ServerTest, BytesThatAreNoCallEndTheirConnectionOnly) {
    start();
    VarlinkClient good = connect();
    const std::string nul(1, '\0');
    for (const std::string& bytes : {"garbage" + nul,
                                     "{}" + nul,
                                     nul,
                                     "[]" + nul,
                                     R"({"method":5})" + nul,
                                     R"({"method":"x","parameters":[]})" + nul,
                                     std::string(5000, '[') + nul,
                                     std::string(200'000, 'x'),
                                     "{\"method\":\"\xff\"}" + nul}) {
        VarlinkClient bad = connect();
        write(bad, bytes);
        EXPECT_THAT(answer(bad), HasSubstr("hung up")) << bytes.substr(0, 20);
    }
    ASSERT_TRUE(good.send("org.tarn.Metadata.GetStatus", "{}", false));
    EXPECT_THAT(answer(good), HasSubstr("version"));
}

TEST_F(ServerTest, NoUserTakesAllConnections) {
    ServerLimits limits;
    limits.of_one_user = 4;
    start(limits);
    uid_ = 1000;
    std::vector<VarlinkClient> greedy;
    for (int i = 0; i < 10; ++i) {
        greedy.push_back(connect());
    }
    EXPECT_THAT(answer(greedy.back()), HasSubstr("hung up"));
    EXPECT_EQ(server_->connections(), 4U);
    uid_ = 1001;
    VarlinkClient other = connect();
    ASSERT_TRUE(other.send("org.tarn.Metadata.GetStatus", "{}", false));
    EXPECT_THAT(answer(other), HasSubstr("version"));
    greedy.clear();
    EXPECT_TRUE(turn_until([&] { return server_->connections() == 1; }));
}

TEST_F(ServerTest, LetsGoOfClientsThatDoNothing) {
    ServerLimits limits;
    limits.idle = limits.partial = Millis(100);
    start(limits);
    VarlinkClient silent = connect();
    VarlinkClient half = connect();
    write(half, "{\"method\":");
    EXPECT_THAT(answer(silent), HasSubstr("hung up"));
    EXPECT_THAT(answer(half), HasSubstr("hung up"));
    EXPECT_TRUE(server_->quiet_since().has_value());
}

TEST_F(ServerTest, AClientThatDoesNotReadWaitsInItsOwnQueue) {
    start();
    VarlinkClient deaf = connect();
    VarlinkClient good = connect();
    std::string call = call_text("org.tarn.Metadata.Get", get("/instance"));
    call += '\0';
    int sent = 0;
    for (int i = 0; i < 200'000; ++i) {
        const ssize_t n = send(deaf.fd(), call.data(), call.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n != static_cast<ssize_t>(call.size())) {
            (void)loop_.turn(Millis(0));
            if (++sent > 200) {
                break;
            }
        }
    }
    EXPECT_GT(sent, 200);  // it stopped taking calls
    ASSERT_TRUE(good.send("org.tarn.Metadata.GetStatus", "{}", false));
    EXPECT_THAT(answer(good), HasSubstr("version"));
}

TEST_F(ServerTest, AClientThatLeavesWhileItWaitsIsForgotten) {
    std::atomic<bool> held = false;
    start({}, [&](const SeenRequest&) {
        held = true;
        return TestServer::Answer{"", true, 0};
    });
    {
        VarlinkClient client = connect();
        ASSERT_TRUE(client.send("org.tarn.Metadata.Get", get("/instance"), false));
        ASSERT_TRUE(turn_until([&] { return held.load(); }));
        EXPECT_FALSE(broker_->idle());
    }
    EXPECT_TRUE(turn_until([&] { return server_->connections() == 0 && broker_->idle(); }));
}

TEST_F(ServerTest, FaultsOfTheServiceAreOvercome) {
    std::atomic<int> count = 0;
    start({}, [&](const SeenRequest&) -> TestServer::Answer {
        switch (count++) {
            case 0:
                return {"", false, 0};  // cut off
            case 1:
                return {"SSH-2.0-OpenSSH\r\n\r\n", false, 0};  // not HTTP
            case 2:
                return {"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", false, 0};
            case 3:
                return TestServer::reply(429, "slow down");
            case 4:
                return TestServer::reply(404, "not yet");
            default:
                return TestServer::reply(200, kInstance);
        }
    });
    VarlinkClient client = connect();
    ASSERT_TRUE(client.send("org.tarn.Metadata.Get", get("/instance/compute/name"), false));
    EXPECT_THAT(answer(client), HasSubstr("web_3"));
    EXPECT_EQ(count.load(), 6);
}

TEST_F(ServerTest, AnAnswerInChunksIsRead) {
    start({}, [](const SeenRequest&) {
        return TestServer::Answer{
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n"
            "{\"compute\":{\"name\":\"in_chunks\"}}\r\n0\r\n\r\n",
            true,
            0};
    });
    VarlinkClient client = connect();
    ASSERT_TRUE(client.send("org.tarn.Metadata.Get", get("/instance/compute/name"), false));
    EXPECT_THAT(answer(client), HasSubstr("in_chunks"));
}

// The command line, in a thread of its own while the broker turns in this one.
class CommandTest : public ServerTest {
  protected:
    int run(std::vector<std::string> words) {
        words.insert(words.end(), {"--socket", path_});
        std::atomic<int> code = -1;
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        std::thread other([&] { code = run_metadata(words); });
        EXPECT_TRUE(turn_until([&] { return code.load() >= 0; }));
        other.join();
        out_ = testing::internal::GetCapturedStdout();
        errors_ = testing::internal::GetCapturedStderr();
        return code;
    }
    std::string out_, errors_;
};

TEST_F(CommandTest, PrintsWhatWasAsked) {
    start();
    EXPECT_EQ(run({"get", "/instance/compute/name"}), 0);
    EXPECT_EQ(out_, "web_3\n");
    EXPECT_EQ(run({"tags"}), 0);
    EXPECT_EQ(out_, "ring=canary\n");
    EXPECT_EQ(run({"token", "--resource=https://vault.azure.net"}), 0);
    EXPECT_EQ(out_, "eyJ0.a.b\n");
    EXPECT_EQ(run({"status", "-O", "json"}), 0);
    EXPECT_THAT(out_, HasSubstr("\"tokens\":1"));
    EXPECT_EQ(run({"get", "/instance/shoe"}), 1);
    EXPECT_THAT(errors_, HasSubstr("KeyNotFound"));
}

TEST_F(CommandTest, WhoMayNotIsToldWhatToDo) {
    uid_ = 1000;
    start();
    EXPECT_EQ(run({"token", "--resource", "https://x"}), 1);
    EXPECT_THAT(errors_, HasSubstr("metadata.conf.d"));
}

TEST(Commands, WrongUsageIsTwo) {
    using Words = std::vector<std::string>;
    for (const Words& words :
         {Words{},
          Words{"gett"},
          Words{"get", "--timeout"},
          Words{"get", "--timeout", "0"},
          Words{"get", "a", "b"},
          Words{"get", "--nonce", "1"},
          Words{"token"},
          Words{"get", "--fresh=1"},
          Words{"token", "--resource", "r", "--client-id", "a", "--object-id", "b"},
          Words{"get", "-O", "xml"},
          Words{"serve", "--imds", "nowhere"},
          Words{"status", "--socket", "a", "--socket", "b"},
          Words{"serve", "--imds", "127.0.0.1", "--idle", "x"}}) {
        testing::internal::CaptureStderr();
        EXPECT_EQ(run_metadata(words), 2) << testing::PrintToString(words);
        EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("tarn-metadata: "));
    }
}

TEST(Transport, TellsOfAServiceThatIsNotThere) {
    auto loop = Loop::make();
    ASSERT_TRUE(loop);
    TcpTransport transport(*loop);
    std::string told;
    HttpRequest request;
    request.server = {"127.0.0.1", 1};
    transport.start(request, [&](const Result<HttpResponse>& got) {
        told = got ? "answered" : got.error().message;
    });
    EXPECT_EQ(told, "");  // never at once
    for (int i = 0; i < 200 && told.empty(); ++i) {
        ASSERT_TRUE(loop->turn(Millis(10)));
    }
    EXPECT_THAT(told, HasSubstr("refused"));
}

TEST(Transport, GivesUpOnASlowAnswer) {
    TestServer server([](const SeenRequest&) {
        return TestServer::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", true, 0};
    });
    auto loop = Loop::make();
    ASSERT_TRUE(loop);
    TcpTransport transport(*loop);
    std::string told;
    HttpRequest request;
    request.server = server.endpoint();
    request.total_timeout = std::chrono::milliseconds(100);
    transport.start(request, [&](const Result<HttpResponse>& got) {
        told = got ? "answered" : got.error().message;
    });
    for (int i = 0; i < 2000 && told.empty(); ++i) {
        ASSERT_TRUE(loop->turn(Millis(10)));
    }
    EXPECT_THAT(told, HasSubstr("no answer in time"));
}

TEST(Peers, OfASocketAreTheOtherEnd) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const Fd one(pair[0]);
    const Fd other(pair[1]);
    const auto peer = peer_of(one.get());
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->uid, getuid());
    EXPECT_EQ(peer->pid, getpid());
}

}  // namespace
}  // namespace tarn::guest
