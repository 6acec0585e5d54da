// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "repo/repo.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>

#include <future>
#include <thread>

namespace tarn {
namespace {

struct Serve : testing::Test {
    TempDir directory = TempDir::make().value();
    std::stop_source stop;
    std::promise<int> port;
    Result<void> result;
    std::jthread thread;

    void SetUp() override {
        const std::string root = directory.path() + "/repo";
        ASSERT_TRUE(make_directories(root + "/snapshots/1"));
        ASSERT_TRUE(write_file_atomic(root + "/snapshots/1/a.rpm", "0123456789"));
        ASSERT_TRUE(write_file_atomic(root + "/snapshots/1/empty", ""));
        ASSERT_TRUE(write_file_atomic(directory.path() + "/secret", "secret"));
        ASSERT_TRUE(make_symlink("snapshots/1", root + "/current"));
        ASSERT_TRUE(make_symlink("../secret", root + "/leak"));
        ASSERT_TRUE(make_symlink("..", root + "/up"));
        ASSERT_EQ(::mkfifo((root + "/fifo").c_str(), 0644), 0);
        ServeOptions options;
        options.directory = root;
        options.ready = [this](int chosen) { port.set_value(chosen); };
        options.stop = stop.get_token();
        thread = std::jthread([this, options] { result = serve(options); });
        client = std::make_unique<httplib::Client>("127.0.0.1", port.get_future().get());
    }
    void TearDown() override {
        client.reset();
        stop.request_stop();
        thread.join();
        EXPECT_TRUE(result);
    }
    int status(const std::string& path) {
        const auto response = client->Get(path);
        return response ? response->status : -1;
    }
    std::unique_ptr<httplib::Client> client;
};

TEST_F(Serve, FilesAreServedThroughLinksWithin) {
    const auto response = client->Get("/current/a.rpm");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "0123456789");
    EXPECT_EQ(status("/snapshots/1/empty"), 200);
}

TEST_F(Serve, RangesAreServedAndChecked) {
    const auto part = client->Get("/current/a.rpm", {{"Range", "bytes=3-5"}});
    ASSERT_TRUE(part);
    EXPECT_EQ(part->status, 206);
    EXPECT_EQ(part->body, "345");
    const auto rest = client->Get("/current/a.rpm", {{"Range", "bytes=8-"}});
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->body, "89");
    const auto beyond = client->Get("/current/a.rpm", {{"Range", "bytes=20-30"}});
    ASSERT_TRUE(beyond);
    EXPECT_EQ(beyond->status, 416);
}

TEST_F(Serve, HeadTellsTheSize) {
    const auto response = client->Head("/current/a.rpm");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->get_header_value("Content-Length"), "10");
}

TEST_F(Serve, NothingOutsideTheDirectoryIsServed) {
    for (const char* bad : {"/leak",
                            "/up/secret",
                            "/../secret",
                            "/%2e%2e/secret",
                            "/current/../../secret",
                            "/up/repo/../secret"}) {
        EXPECT_EQ(status(bad), 404) << bad;
    }
}

TEST_F(Serve, DirectoriesAndSpecialFilesAreNotServed) {
    for (const char* bad : {"/", "/current", "/current/", "/fifo", "/nothing"}) {
        EXPECT_EQ(status(bad), 404) << bad;
    }
}

TEST(ServeErrors, MissingDirectoryAndBusyPortAreErrors) {
    ServeOptions options;
    options.directory = "/nonexistent/tarn";
    EXPECT_EQ(serve(options).error().kind, ErrorKind::kNotFound);
    const TempDir directory = TempDir::make().value();
    options.directory = directory.path();
    options.address = "203.0.113.1";  // of no machine (RFC 5737)
    EXPECT_EQ(serve(options).error().kind, ErrorKind::kSystem);
}

}  // namespace
}  // namespace tarn
