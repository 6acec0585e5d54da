// SPDX-License-Identifier: MIT
#include "image/detail/triggers.hh"

#include "image/detail/certificates.hh"
#include "image/detail/fixture.hh"

#include <algorithm>

namespace tarn::image {
namespace {

// Answers every action with one tree and remembers what it was asked.
class FakeExecutor : public Executor {
  public:
    FakeExecutor(const Store& store, Tree outputs) : store_(store), outputs_(std::move(outputs)) {}
    Result<ActionResult> run(const Action& action, const RunOptions&) override {
        actions.push_back(action);
        ActionResult result;
        result.exit_code = exit_code;
        result.outputs = TARN_TRY(store_.put_tree(outputs_));
        result.log = TARN_TRY(store_.put("line one\nthe last words\n"));
        return result;
    }
    std::vector<Action> actions;
    int exit_code = 0;

  private:
    const Store& store_;
    Tree outputs_;
};

class Triggers : public testing::StoreTest {
  protected:
    TriggerContext context(Executor& executor) {
        TriggerContext out;
        out.store = &store_;
        out.executor = &executor;
        out.tools = &tools_;
        out.tools_digest = *store_.put_tree(tools_);
        out.time = 1700000000;
        return out;
    }
    Tree seen(const Action& action) { return *store_.read_tree(action.inputs.at(1).tree); }

    Tree tools_ = tree({file("usr/bin/systemd-sysusers", "", 0755),
                        file("usr/sbin/depmod", "", 0755),
                        file("usr/sbin/ldconfig", "", 0755),
                        file("usr/bin/systemctl", "", 0755)});
    Tree system_ = tree({file("usr/lib/sysusers.d/a.conf", "u a"),
                         file("etc/passwd", "p"),
                         file("usr/bin/bash", "b"),
                         symlink("lib", "usr/lib"),
                         file("usr/lib/x86_64-linux-gnu/libc.so.6", "elf"),
                         file("usr/lib/x86_64-linux-gnu/notalib", "x"),
                         file("usr/lib/modules/6.18/kernel/a.ko.xz", "m"),
                         file("usr/lib/systemd/system/a.service", "u"),
                         file("usr/lib/systemd/system-preset/90.preset", "p")});
};

TEST_F(Triggers, SeeOnlyWhatTheyRead) {
    FakeExecutor executor(store_, Tree{});
    Overlay overlay(store_, 1700000000);
    std::vector<Trigger> triggers = system_triggers("6.18");
    triggers.push_back(sysusers_trigger());
    ASSERT_TRUE(run_triggers(context(executor), triggers, system_, overlay).has_value());
    const auto action = [&](std::string_view name) {
        const auto found = std::ranges::find(executor.actions, name, &Action::name);
        EXPECT_NE(found, executor.actions.end()) << name;
        return *found;
    };
    const Tree sysusers = seen(action("systemd-sysusers"));
    EXPECT_NE(sysusers.find("etc/passwd"), nullptr);
    EXPECT_EQ(sysusers.find("usr/bin/bash"), nullptr);
    const Tree libraries = seen(action("ldconfig"));
    EXPECT_NE(libraries.find("usr/lib/x86_64-linux-gnu/libc.so.6"), nullptr);
    EXPECT_NE(libraries.find("lib"), nullptr);
    EXPECT_EQ(libraries.find("usr/lib/x86_64-linux-gnu/notalib"), nullptr);
    EXPECT_NE(seen(action("depmod")).find("usr/lib/modules/6.18/kernel/a.ko.xz"), nullptr);
    EXPECT_NE(seen(action("preset-all (system)")).find("usr/lib/systemd/system-preset/90.preset"),
              nullptr);
    // No hardware database, no user units: nothing to run.
    EXPECT_EQ(executor.actions.size(), 4u);
}

TEST_F(Triggers, AChangeElsewhereLeavesTheActionTheSame) {
    FakeExecutor executor(store_, Tree{});
    Overlay overlay(store_, 0);
    const Tree added = tree({file("usr/bin/other", "new")});
    const Tree changed = merge({&system_, &added}).tree;
    ASSERT_TRUE(run_triggers(context(executor), {sysusers_trigger()}, system_, overlay));
    ASSERT_TRUE(run_triggers(context(executor), {sysusers_trigger()}, changed, overlay));
    ASSERT_EQ(executor.actions.size(), 2u);
    EXPECT_EQ(executor.actions[0].digest(), executor.actions[1].digest());
}

TEST_F(Triggers, OutputsAreTakenWithOneTimeAndDirectoriesKeepTheirAttributes) {
    TreeEntry directory;
    directory.path = "image/usr/lib/sysusers.d";
    directory.kind = EntryKind::kDirectory;
    directory.mode = 0700;
    TreeEntry made = file("image/etc/passwd", "made");
    made.mtime = 5;
    FakeExecutor executor(store_, tree({directory, made, file("elsewhere", "x")}));
    Overlay overlay(store_, 1700000000);
    TreeEntry kept = directory;
    kept.path = "usr/lib/sysusers.d";
    kept.mode = 0755;
    const Tree with_directory = tree({kept});
    const Tree before = merge({&system_, &with_directory}).tree;
    ASSERT_TRUE(run_triggers(context(executor), {sysusers_trigger()}, before, overlay).has_value());
    const Tree after = *overlay.over(before);
    EXPECT_EQ(text(after, "etc/passwd"), "made");
    EXPECT_EQ(after.find("etc/passwd")->mtime, 1700000000);
    EXPECT_EQ(after.find("usr/lib/sysusers.d")->mode, 0755u);
    EXPECT_EQ(after.find("elsewhere"), nullptr);
}

TEST_F(Triggers, AFailureShowsTheEndOfTheLog) {
    FakeExecutor executor(store_, Tree{});
    executor.exit_code = 3;
    Overlay overlay(store_, 0);
    const auto result = run_triggers(context(executor), {sysusers_trigger()}, system_, overlay);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().message, "systemd-sysusers failed with exit code 3");
    ASSERT_FALSE(result.error().notes.empty());
    EXPECT_NE(result.error().notes[0].find("the last words"), std::string::npos);
}

TEST_F(Triggers, AMissingToolIsNamedWithItsPackage) {
    FakeExecutor executor(store_, Tree{});
    tools_ = Tree{};
    Overlay overlay(store_, 0);
    const auto result = run_triggers(context(executor), {sysusers_trigger()}, system_, overlay);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
    EXPECT_NE(result.error().help.at(0).find("`systemd`"), std::string::npos);
}

TEST_F(Triggers, CertificatesBecomeOneSortedBundle) {
    const std::string a = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n";
    const std::string b = "-----BEGIN CERTIFICATE-----\nB\n-----END CERTIFICATE-----";
    Overlay overlay(store_, 0);
    const Tree system = tree({file("usr/share/ca-certificates/mozilla/b.crt", b),
                              file("usr/share/ca-certificates/mozilla/a.crt", a),
                              file("usr/share/ca-certificates/README", "x")});
    ASSERT_TRUE(add_certificates(store_, system, overlay).has_value());
    const Tree after = *overlay.over(system);
    EXPECT_EQ(text(after, "etc/ssl/certs/ca-certificates.crt"), a + b + "\n");
    EXPECT_EQ(after.find("etc/pki/tls/certs/ca-bundle.crt")->target,
              "../../../ssl/certs/ca-certificates.crt");
    Overlay none(store_, 0);
    EXPECT_FALSE(
        add_certificates(store_, tree({file("usr/share/ca-certificates/x.crt", "junk")}), none));
}

}  // namespace
}  // namespace tarn::image
