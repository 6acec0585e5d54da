// SPDX-License-Identifier: MIT
#include "project/component_lock.hh"
#include "project/loaded_test.hh"

namespace tarn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHeader = "# managed by a tool";
constexpr std::string_view kLock = R"(# managed by a tool
version = 1
import-commit = '91824d85dd3d64316176e1fe9257896c1b42e530'
upstream-commit = 'e5292d4279e2b2b4cd4e5d74f4304712bc675dc0'
manual-bump = 2
input-fingerprint = 'sha256:70d67551390f8609c1aa2ef8a14f2ec0d78d86f0a775105acbe89e792428b82f'
resolution-input-hash = 'sha256:466421704711c4fd3c71f0b2ed715a0e61d49e3e26f3a2637fee755795849c8e'
)";

TEST(ComponentLock, IsWrittenAsItWasRead) {
    const auto lock = ComponentLock::parse(kLock, "acl.lock");
    ASSERT_TRUE(lock.has_value()) << lock.error().rendered;
    EXPECT_EQ(lock->import_commit, "91824d85dd3d64316176e1fe9257896c1b42e530");
    EXPECT_EQ(lock->upstream_commit, "e5292d4279e2b2b4cd4e5d74f4304712bc675dc0");
    EXPECT_EQ(lock->manual_bump, 2U);
    EXPECT_EQ(lock->print(kHeader), kLock);
    EXPECT_EQ(ComponentLock::parse(lock->print(""), "acl.lock").value(), *lock);
}

TEST(ComponentLock, LeavesOutWhatIsNotThere) {
    ComponentLock local;
    local.input_fingerprint =
        "sha256:70d67551390f8609c1aa2ef8a14f2ec0d78d86f0a775105acbe89e792428b82f";
    EXPECT_EQ(local.print("# h"),
              "# h\nversion = 1\ninput-fingerprint = "
              "'sha256:70d67551390f8609c1aa2ef8a14f2ec0d78d86f0a775105acbe89e792428b82f'\n");
}

TEST(ComponentLock, AcceptsAnyTomlOfTheSameMeaning) {
    const auto lock = ComponentLock::parse(
        "upstream-commit=\"91824d85dd3d64316176e1fe9257896c1b42e530\" # why\r\nversion=1", "l");
    ASSERT_TRUE(lock.has_value()) << lock.error().rendered;
    EXPECT_EQ(lock->upstream_commit, "91824d85dd3d64316176e1fe9257896c1b42e530");
}

std::string complaint(std::string_view text) {
    const auto lock = ComponentLock::parse(text, "locks/acl.lock");
    if (lock) {
        return "no error";
    }
    EXPECT_EQ(lock.error().kind, ErrorKind::kCorrupt);
    return lock.error().rendered + lock.error().message;
}

TEST(ComponentLock, SaysWhereItIsWrong) {
    EXPECT_THAT(complaint("version = 2\n"), HasSubstr("locks/acl.lock:1:11: error: this version"));
    EXPECT_THAT(complaint("version = '1'\n"),
                HasSubstr("locks/acl.lock:1:11: error: this version"));
    EXPECT_THAT(complaint(""), HasSubstr("needs `version = 1`"));
    EXPECT_THAT(complaint("version = 1\nimport-comit = ''\n"),
                HasSubstr("locks/acl.lock:2:1: error: unknown key `import-comit`"));
    EXPECT_THAT(complaint("version = 1\nimport-comit = ''\n"), HasSubstr("did you mean"));
    EXPECT_THAT(complaint("version = 1\nupstream-commit = 'main'\n"),
                HasSubstr("locks/acl.lock:2:19: error: `upstream-commit` must be a commit"));
    EXPECT_THAT(complaint("version = 1\nmanual-bump = -1\n"), HasSubstr("`manual-bump` must be"));
    EXPECT_THAT(complaint("version = 1\nmanual-bump = 9223372036854775807\n"),
                HasSubstr("`manual-bump` must be"));
    EXPECT_THAT(complaint("version = 1\ninput-fingerprint = 'sha256:12'\n"),
                HasSubstr("64 hexadecimal digits"));
    EXPECT_THAT(complaint("version = 1\nresolution-input-hash = 1\n"),
                HasSubstr("64 hexadecimal digits"));
    EXPECT_THAT(complaint("version = 1\nversion = 1\n"), HasSubstr("defined twice"));
    EXPECT_THAT(complaint("version = 1\n<<<<<<< HEAD\n"), HasSubstr("locks/acl.lock:2:1"));
    EXPECT_THAT(complaint(std::string("version = 1\n\0", 13)), HasSubstr("locks/acl.lock"));
    EXPECT_THAT(complaint(std::string(1 << 20, '#')), HasSubstr("64 KiB"));
}

TEST(ComponentLock, IsFoundBesideTheOthers) {
    Loaded it;
    it.file("tarn.toml", "")
        .file("locks/b.lock", kLock)
        .file("locks/a.lock", "")
        .file("locks/.hidden.lock", "")
        .file("locks/notes.txt", "")
        .file("locks/debian.lock", "{\"format\": 1}\n")
        .load();
    EXPECT_EQ(component_lock_path(it.project(), "b"), it.path("locks/b.lock"));
    EXPECT_EQ(read_component_lock(it.project(), "b").value().manual_bump, 2U);
    EXPECT_EQ(read_component_lock(it.project(), "c").error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(read_component_lock(it.project(), "a").error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(locked_components(it.project()).value(), ElementsAre("a", "b"));
    it.file("locks/debian.lock", kLock);
    EXPECT_THAT(locked_components(it.project()).value(), ElementsAre("a", "b", "debian"));
    Loaded none;
    none.file("tarn.toml", "").load();
    EXPECT_TRUE(locked_components(none.project()).value().empty());
}

}  // namespace
}  // namespace tarn
