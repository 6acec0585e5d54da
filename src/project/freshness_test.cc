// SPDX-License-Identifier: MIT
#include "project/component_lock.hh"
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::HasSubstr;

constexpr std::string_view kProject = R"(
[distros.fedora]
default-version = "43"
dist-git-base-uri = "https://git.example.org/$pkg"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[default-component-config.spec]
upstream-distro = { name = "fedora", snapshot = "2026-02-24T00:00:00Z" }
[components.up.spec]
type = "upstream"
[components.pinned.spec]
type = "upstream"
upstream-commit = "91824d8"
[components.own.spec]
type = "local"
path = "own/own.spec"
)";
constexpr std::string_view kCommit = "91824d85dd3d64316176e1fe9257896c1b42e530";
constexpr std::string_view kOtherCommit = "e5292d4279e2b2b4cd4e5d74f4304712bc675dc0";

class FreshnessTest : public testing::Test {
  protected:
    FreshnessTest() {
        it_.file("tarn.toml", kProject).file("own/own.spec", "Name: own\n").load();
    }

    // A lock as an update would write it.
    ComponentLock fresh_lock(const std::string& name) {
        ComponentLock lock;
        const Component& component = it_.component(name);
        if (component.spec_type == SpecType::kUpstream) {
            lock.import_commit = lock.upstream_commit = kCommit;
            lock.resolution_input_hash = resolution_hash(it_.project(), component);
        }
        lock.input_fingerprint =
            freshness(it_.project(), component, &lock).value().input_fingerprint;
        return lock;
    }
    FreshnessReport report(const std::string& name, const ComponentLock& lock) {
        return freshness(it_.project(), it_.component(name), &lock).value();
    }
    void write_lock(const std::string& name, const ComponentLock& lock) {
        it_.file("locks/" + name + ".lock", lock.print("# header"));
    }
    std::string complaints(const std::vector<std::string>& names, bool orphans) {
        std::vector<const Component*> components;
        for (const std::string& name : names) {
            components.push_back(&it_.component(name));
        }
        std::string text;
        for (const Error& each : validate_locks(it_.project(), components, orphans)) {
            text += each.rendered + each.message + "\n";
        }
        return text;
    }

    Loaded it_{};
};

TEST_F(FreshnessTest, CurrentWhenNothingChanged) {
    for (const std::string name : {"up", "pinned", "own"}) {
        const FreshnessReport current = report(name, fresh_lock(name));
        EXPECT_EQ(current.state, Freshness::kCurrent) << name << ": " << current.reason;
        EXPECT_THAT(current.input_fingerprint, HasSubstr("sha256:"));
    }
}

TEST_F(FreshnessTest, MissingWithoutLock) {
    const auto none = freshness(it_.project(), it_.component("up"), nullptr);
    EXPECT_EQ(none.value().state, Freshness::kMissing);
    EXPECT_EQ(none.value().input_fingerprint, "");
}

TEST_F(FreshnessTest, BuildIsStaleWhenOnlyTheFingerprintDiffers) {
    ComponentLock lock = fresh_lock("up");
    lock.manual_bump = 1;
    const FreshnessReport stale = report("up", lock);
    EXPECT_EQ(stale.state, Freshness::kBuildStale);
    EXPECT_NE(stale.input_fingerprint, lock.input_fingerprint);
    const ComponentLock own = fresh_lock("own");
    it_.file("own/own.patch", "x");
    EXPECT_EQ(report("own", own).state, Freshness::kBuildStale);
}

TEST_F(FreshnessTest, ResolutionIsStaleWhenItsInputsOrThePinChange) {
    ComponentLock lock = fresh_lock("up");
    lock.resolution_input_hash.back() = lock.resolution_input_hash.back() == '0' ? '1' : '0';
    const FreshnessReport stale = report("up", lock);
    EXPECT_EQ(stale.state, Freshness::kResolutionStale);
    EXPECT_EQ(stale.input_fingerprint, "");
    EXPECT_THAT(stale.reason, HasSubstr("snapshot"));
    ComponentLock moved = fresh_lock("pinned");
    moved.upstream_commit = kOtherCommit;
    EXPECT_EQ(report("pinned", moved).state, Freshness::kResolutionStale);
    ComponentLock empty = fresh_lock("up");
    empty.upstream_commit.clear();
    EXPECT_EQ(report("up", empty).state, Freshness::kResolutionStale);
}

TEST_F(FreshnessTest, TheHeadOfABranchIsAlwaysStale) {
    Loaded head;
    head.file("tarn.toml", R"(
[distros.fedora.versions.43]
[components.up.spec]
type = "upstream"
upstream-distro = { name = "fedora", version = "43" }
)")
        .load();
    ComponentLock lock;
    lock.upstream_commit = kCommit;
    lock.resolution_input_hash = resolution_hash(head.project(), head.component("up"));
    const auto stale = freshness(head.project(), head.component("up"), &lock);
    EXPECT_EQ(stale.value().state, Freshness::kResolutionStale);
    EXPECT_THAT(stale.value().reason, HasSubstr("head"));
}

TEST_F(FreshnessTest, ValidLocksPassAndOrphansMatterOnlyWhenAsked) {
    for (const std::string name : {"up", "pinned", "own"}) {
        write_lock(name, fresh_lock(name));
    }
    EXPECT_EQ(complaints({"up", "pinned", "own"}, true), "");
    write_lock("gone", fresh_lock("up"));
    EXPECT_EQ(complaints({"up"}, false), "");
    EXPECT_EQ(complaints({"up"}, true), "locks/gone.lock is the lock of no component\n");
}

TEST_F(FreshnessTest, SaysWhatIsWrongWithLocks) {
    EXPECT_THAT(complaints({"up"}, false), HasSubstr("component `up` has no lock locks/up.lock"));
    EXPECT_EQ(complaints({"own"}, false), "") << "a local one needs none";
    ComponentLock empty = fresh_lock("up");
    empty.upstream_commit.clear();
    write_lock("up", empty);
    ComponentLock moved = fresh_lock("pinned");
    moved.upstream_commit = kOtherCommit;
    write_lock("pinned", moved);
    it_.file("locks/own.lock", "version = 3\n");
    const std::string said = complaints({"up", "pinned", "own"}, false);
    EXPECT_THAT(said, HasSubstr("the lock of component `up` has no commit"));
    EXPECT_THAT(said, HasSubstr("component `pinned` is pinned to commit 91824d8, but its lock has "
                                "e5292d4279e2b2b4cd4e5d74f4304712bc675dc0"));
    EXPECT_THAT(said, HasSubstr("own.lock:1:11"));
}

}  // namespace
}  // namespace tarn
