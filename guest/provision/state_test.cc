// SPDX-License-Identifier: MIT
#include "provision/state.hh"

#include "base/strings.hh"

#include "provision/run_fixture.hh"
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace tarn::guest {
namespace {

TEST(Journal, RemembersNameAndInputs) {
    TestMachine disk;
    {
        auto journal = *Journal::open(disk.machine(), "/journal");
        EXPECT_FALSE(journal.has("a", "1"));
        ASSERT_TRUE(journal.add("a", "1"));
        ASSERT_TRUE(journal.add("b\nc", ""));
    }
    const auto journal = *Journal::open(disk.machine(), "/journal");
    EXPECT_TRUE(journal.has("a", "1"));
    EXPECT_FALSE(journal.has("a", "2"));
    EXPECT_TRUE(journal.has_any("a"));
    EXPECT_TRUE(journal.has("b\nc", ""));
    EXPECT_FALSE(journal.has_any("c"));
}

TEST(Journal, EveryTornLineCountsForNothingAndHidesNothing) {
    TestMachine disk;
    {
        auto journal = *Journal::open(disk.machine(), "/journal");
        ASSERT_TRUE(journal.add("first", "1"));
        ASSERT_TRUE(journal.add("user:ops2", "1"));
    }
    const std::string whole = disk.get("/journal");
    const std::size_t first = whole.find('\n') + 1;
    for (std::size_t size = first; size < whole.size(); ++size) {
        disk.put("/journal", whole.substr(0, size));
        {
            auto journal = *Journal::open(disk.machine(), "/journal");
            EXPECT_TRUE(journal.has("first", "1"));
            // Only the line's end may be missing.
            EXPECT_EQ(journal.has("user:ops2", "1"), size + 1 == whole.size()) << size;
            EXPECT_FALSE(journal.has_any("user:ops")) << size;
            ASSERT_TRUE(journal.add("third", "1"));
        }
        const auto journal = *Journal::open(disk.machine(), "/journal");
        EXPECT_TRUE(journal.has("first", "1") && journal.has("third", "1")) << size;
    }
}

TEST(State, IsForRootAlone) {
    TestMachine disk;
    const auto machine = disk.machine();
    const auto state = State::open(machine, kTestVmId);
    ASSERT_TRUE(state) << state.error().message;
    ASSERT_TRUE(state->save("settings.json", "{}"));
    struct stat status{};
    ASSERT_EQ(::stat((disk.root() + kStateDirectory).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0700u);
    ASSERT_EQ(::stat((disk.root() + state->path("settings.json")).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0600u);
}

TEST(State, IdentifiersAreNoPaths) {
    TestMachine disk;
    const auto machine = disk.machine();
    const auto state = State::open(machine, "../../etc");
    ASSERT_TRUE(state);
    EXPECT_TRUE(state->path("x").starts_with(std::string(kStateDirectory) + "/.id-"));
}

TEST(Settings, AreKeptWithoutThePassword) {
    Settings settings;
    settings.source = "azure";
    settings.instance_id = kTestVmId;
    settings.hostname = "web";
    settings.user = "ops";
    settings.password = Secret("s3cret");
    settings.disable_password_authentication = false;
    settings.ssh_keys = {kTestKey};
    settings.custom_data = std::string("\x1f\x8b\0\xff", 4);
    settings.metadata = {{"a", "b"}};
    settings.nics = {{"00:0d:3a:11:22:33", {{"10.1.0.7", 24}}, {{"fd00::7", 128}}}};
    const std::string text = settings_json(settings);
    EXPECT_FALSE(contains(text, "s3cret"));
    const auto again = parse_settings(text);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->custom_data, settings.custom_data);
    EXPECT_EQ(again->nics.at(0).ipv6.at(0).address, "fd00::7");
    EXPECT_FALSE(again->disable_password_authentication);
    EXPECT_TRUE(again->password.empty());
    EXPECT_EQ(settings_json(*again), text);
}

TEST(Settings, BrokenFilesAreErrors) {
    for (const char* text : {"", "{", "[]", "{}", "{\"source\": 1}"}) {
        EXPECT_FALSE(parse_settings(text)) << text;
        EXPECT_FALSE(parse_status(text)) << text;
    }
}

}  // namespace
}  // namespace tarn::guest
