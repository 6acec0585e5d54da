// SPDX-License-Identifier: MIT
#include "http/client.hh"

#include "http/parser.hh"
#include "http/test_server.hh"
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

using std::chrono::milliseconds;

std::string message_of(const Result<HttpResponse>& result) {
    return result ? "no error" : result.error().message;
}

HttpRequest request_to(const TestServer& server) {
    HttpRequest request;
    request.server = server.endpoint();
    request.target = "/a?b=c";
    request.headers = {{"Metadata", "true"}};
    return request;
}

TEST(Endpoint, ParsesAddressAndPort) {
    const auto plain = Endpoint::parse("169.254.169.254");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->port, 80);
    const auto both = Endpoint::parse("127.0.0.1:8080");
    ASSERT_TRUE(both);
    EXPECT_EQ(both->port, 8080);
}

TEST(Endpoint, RefusesNamesAndBadPorts) {
    for (const char* text : {"",
                             "localhost",
                             "1.2.3",
                             "1.2.3.4:",
                             "1.2.3.4:0",
                             "1.2.3.4:65536",
                             "1.2.3.4:8x",
                             "::1",
                             "1.2.3.4:80:80"}) {
        const auto result = Endpoint::parse(text);
        ASSERT_FALSE(result) << text;
        EXPECT_EQ(result.error().kind, ErrorKind::kUsage);
    }
    EXPECT_FALSE(Endpoint::parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST(Client, SendsOneRequestAndReadsTheAnswer) {
    TestServer server(
        [](const SeenRequest&) { return TestServer::reply(200, "hello", "X-Y: z\r\n"); });
    const auto response = http_request(request_to(server));
    ASSERT_TRUE(response) << message_of(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(response->header("x-y"), "z");
    EXPECT_EQ(response->header("absent"), "");
    const SeenRequest seen = server.seen().at(0);
    EXPECT_EQ(seen.line(), "GET /a?b=c HTTP/1.1");
    EXPECT_TRUE(seen.has("Metadata: true"));
    EXPECT_TRUE(seen.has("Connection: close"));
    EXPECT_TRUE(seen.has(fmt::format("Host: 127.0.0.1:{}", server.endpoint().port)));
    EXPECT_FALSE(contains(seen.head, "Content-Length"));
}

TEST(Client, SendsABody) {
    TestServer server([](const SeenRequest&) { return TestServer::reply(201, ""); });
    HttpRequest request = request_to(server);
    request.method = "POST";
    request.body = std::string(1 << 20, 'x');
    const auto response = http_request(request);
    ASSERT_TRUE(response) << message_of(response);
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(server.seen().at(0).body.size(), 1u << 20);
}

TEST(Client, ReadsNoFurtherThanTheAnswerWhenTheServerKeepsTheConnection) {
    TestServer server([](const SeenRequest&) {
        auto answer = TestServer::reply(200, "hello");
        answer.hold_open = true;
        return answer;
    });
    const auto response = http_request(request_to(server));
    ASSERT_TRUE(response) << message_of(response);
    EXPECT_EQ(response->body, "hello");
}

TEST(Client, IgnoresProxyVariables) {
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    TestServer server([](const SeenRequest&) { return TestServer::reply(200, "x"); });
    const auto response = http_request(request_to(server));
    ::unsetenv("http_proxy");
    ASSERT_TRUE(response) << message_of(response);
    EXPECT_EQ(server.seen().at(0).line(), "GET /a?b=c HTTP/1.1");
}

TEST(Client, SaysWhichPartFailed) {
    std::string bytes;
    TestServer server([&](const SeenRequest&) { return TestServer::Answer{bytes}; });
    struct Case {
        std::string bytes;
        ErrorKind kind;
        std::string words;
    };
    const std::vector<Case> cases = {
        {"", ErrorKind::kNetwork, "closed without an answer"},
        {"HTTP/1.1 200 OK\r\nContent-Le", ErrorKind::kNetwork, "cut off"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", ErrorKind::kNetwork, "cut off"},
        {"SSH-2.0-OpenSSH\r\n\r\n", ErrorKind::kCorrupt, "does not begin"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", ErrorKind::kCorrupt, "larger"},
    };
    for (const Case& each : cases) {
        bytes = each.bytes;
        const auto response = http_request(request_to(server));
        ASSERT_FALSE(response) << each.bytes;
        EXPECT_EQ(response.error().kind, each.kind) << message_of(response);
        EXPECT_TRUE(contains(message_of(response), each.words)) << message_of(response);
        EXPECT_TRUE(contains(message_of(response), "127.0.0.1:")) << message_of(response);
    }
}

TEST(Client, EndsInTimeWhateverTheServerDoes) {
    TestServer silent([](const SeenRequest&) { return TestServer::Answer{"", true}; });
    HttpRequest request = request_to(silent);
    request.total_timeout = milliseconds(50);
    const auto first = http_request(request);
    ASSERT_FALSE(first);
    EXPECT_TRUE(contains(message_of(first), "in time")) << message_of(first);

    TestServer slow([](const SeenRequest&) {
        return TestServer::Answer{"HTTP/1.1 200 OK\r\n" + std::string(2000, 'a'), false, 5};
    });
    request.server = slow.endpoint();
    const auto second = http_request(request);
    ASSERT_FALSE(second);
    EXPECT_TRUE(contains(message_of(second), "in time")) << message_of(second);
}

TEST(Client, SaysThatNobodyListens) {
    Endpoint gone;
    {
        TestServer server([](const SeenRequest&) { return TestServer::Answer{}; });
        gone = server.endpoint();
    }
    HttpRequest request;
    request.server = gone;
    const auto response = http_request(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kNetwork);
    EXPECT_TRUE(contains(message_of(response), "refused")) << message_of(response);
    EXPECT_FALSE(network_unreachable(response.error()));
}

TEST(Client, RefusesWhatWouldInjectAHeader) {
    HttpRequest request;
    request.server = {"127.0.0.1", 1};
    request.target = "/a b";
    EXPECT_FALSE(format_request(request));
    request.target = "/a\r\nX: y";
    EXPECT_FALSE(format_request(request));
    request.target = "/";
    request.headers = {{"A", "b\r\nC: d"}};
    EXPECT_FALSE(format_request(request));
}

TEST(Parser, ReadsChunksByteByByte) {
    const std::string text =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "4;ext=1\r\nWiki\r\nA\r\npedia in c\r\n0\r\nTrailer: x\r\n\r\nrest";
    ResponseParser parser(100);
    bool done = false;
    for (const char c : text) {
        const auto fed = parser.feed({&c, 1});
        ASSERT_TRUE(fed) << fed.error().message;
        done = *fed;
    }
    EXPECT_TRUE(done);
    const auto response = std::move(parser).finish();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "Wikipedia in c");
}

TEST(Parser, ReadsToTheEndWithoutALength) {
    const auto response = parse_response("HTTP/1.0 404 Not Found\r\nA: b\r\n\r\nabc", 10);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 404);
    EXPECT_EQ(response->body, "abc");
}

TEST(Parser, RefusesWhatIsNotHttp) {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<std::string> cases = {
        "",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 2000 X\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890",
        "HTTP/1.1 200 OK\r\n\r\n01234567890",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        chunked + "x\r\n",
        chunked + "\r\n",
        chunked + "-1\r\n",
        chunked + "ffffffffffffffff\r\n",
        chunked + "1\r\nab\r\n0\r\n\r\n",
        chunked + "b\r\n01234567890\r\n0\r\n\r\n",
        chunked + "1\r\na\r\n",
        chunked + std::string(5000, '1'),
        std::string(70000, 'a'),
    };
    for (const std::string& text : cases) {
        const auto response = parse_response(text, 10);
        ASSERT_FALSE(response) << text.substr(0, 100);
        EXPECT_EQ(response.error().kind, ErrorKind::kCorrupt) << text.substr(0, 100);
    }
}

TEST(PercentEncode, KeepsUnreservedCharactersOnly) {
    EXPECT_EQ(percent_encode("https://a.b/~x_y-z?\xc3\xa9"), "https%3A%2F%2Fa.b%2F~x_y-z%3F%C3%A9");
}

}  // namespace
}  // namespace tarn::guest
