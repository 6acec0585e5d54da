// SPDX-License-Identifier: MIT
#include "selinux/file_contexts.hh"

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tarn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FileContexts contexts(std::string main,
                      std::string homedirs = {},
                      std::string local = {},
                      std::string subs_dist = {},
                      std::string subs = {}) {
    FileContextsSources sources;
    sources.main = {"file_contexts", std::move(main)};
    sources.homedirs = {"file_contexts.homedirs", std::move(homedirs)};
    sources.local = {"file_contexts.local", std::move(local)};
    sources.subs_dist = {"file_contexts.subs_dist", std::move(subs_dist)};
    sources.subs = {"file_contexts.subs", std::move(subs)};
    auto parsed = FileContexts::parse(std::move(sources));
    if (!parsed) {
        throw std::runtime_error(parsed.error().message);
    }
    return std::move(*parsed);
}

std::string type_of(const FileContexts& contexts,
                    std::string_view path,
                    EntryKind kind = EntryKind::kFile) {
    const auto label = contexts.lookup(path, kind);
    if (!label) {
        return "error: " + label.error().message;
    }
    switch (label->kind) {
        case FileLabel::Kind::kNone:
            return "none";
        case FileLabel::Kind::kNoMatch:
            return "no match";
        case FileLabel::Kind::kContext:
            break;
    }
    return std::string(split(label->context, ':').at(2));
}

Error parse_error(std::string text) {
    FileContextsSources sources;
    sources.main = {"file_contexts", std::move(text)};
    auto parsed = FileContexts::parse(std::move(sources));
    EXPECT_FALSE(parsed.has_value());
    return parsed ? Error{} : parsed.error();
}

TEST(FileContexts, TheLastMatchingExpressionCounts) {
    const auto it = contexts(
        "/usr/.*\tsystem_u:object_r:usr_t:s0\n"
        "/usr/lib(/.*)?\tsystem_u:object_r:lib_t:s0\n"
        "/usr/(.*/)?bin(/.*)?\tsystem_u:object_r:bin_t:s0\n");
    EXPECT_EQ(type_of(it, "/usr/share/a"), "usr_t");
    EXPECT_EQ(type_of(it, "/usr/lib"), "lib_t");
    EXPECT_EQ(type_of(it, "/usr/lib/x.so"), "lib_t");
    // The stem /usr/lib is longer than /usr, but its expression stands before.
    EXPECT_EQ(type_of(it, "/usr/lib/bin/x"), "bin_t");
    EXPECT_EQ(type_of(it, "/opt"), "no match");
    EXPECT_EQ(it.size(), 3u);
}

TEST(FileContexts, ALiteralWinsOverEveryExpression) {
    const auto it = contexts(
        "/etc/shadow\\.bak\tu:object_r:shadow_t:s0\n"
        "/etc/.*\tu:object_r:etc_t:s0\n",
        "/etc/shadow.*\tu:object_r:late_t:s0\n");
    EXPECT_EQ(type_of(it, "/etc/shadow.bak"), "shadow_t");
    EXPECT_EQ(type_of(it, "/etc/shadowxbak"), "late_t");
    EXPECT_EQ(type_of(it, "/etc/passwd"), "etc_t");
}

TEST(FileContexts, LaterFilesWin) {
    const auto it = contexts("/home/[^/]+\t-d\tu:object_r:a_t:s0\n/x\tu:object_r:a_t:s0\n",
                             "/home/[^/]+\t-d\tu:object_r:b_t:s0\n/x\tu:object_r:b_t:s0\n",
                             "/home/[^/]+\t-d\tu:object_r:c_t:s0\n/x\tu:object_r:c_t:s0\n");
    EXPECT_EQ(type_of(it, "/home/me", EntryKind::kDirectory), "c_t");
    EXPECT_EQ(type_of(it, "/x"), "c_t");
}

TEST(FileContexts, FileTypesChooseAmongSpecifications) {
    const auto it = contexts(
        "/d(/.*)?\tu:object_r:any_t:s0\n"
        "/d(/.*)?\t--\tu:object_r:file_t:s0\n"
        "/d(/.*)?\t-d\tu:object_r:dir_t:s0\n"
        "/d(/.*)?\t-l\tu:object_r:link_t:s0\n"
        "/d(/.*)?\t-c\tu:object_r:char_t:s0\n"
        "/d(/.*)?\t-p\tu:object_r:fifo_t:s0\n"
        "/d(/.*)?\t-s\tu:object_r:sock_t:s0\n"
        "/lit\tu:object_r:any_t:s0\n"
        "/lit\t-d\tu:object_r:dir_t:s0\n");
    EXPECT_EQ(type_of(it, "/d/x", EntryKind::kFile), "file_t");
    EXPECT_EQ(type_of(it, "/d", EntryKind::kDirectory), "dir_t");
    EXPECT_EQ(type_of(it, "/d/x", EntryKind::kSymlink), "link_t");
    EXPECT_EQ(type_of(it, "/d/x", EntryKind::kCharDevice), "char_t");
    EXPECT_EQ(type_of(it, "/d/x", EntryKind::kFifo), "fifo_t");
    EXPECT_EQ(type_of(it, "/d/x", EntryKind::kBlockDevice), "any_t");
    EXPECT_EQ(type_of(it, "/lit", EntryKind::kDirectory), "dir_t");
    EXPECT_EQ(type_of(it, "/lit", EntryKind::kFile), "any_t");
}

TEST(FileContexts, NoneLeavesAPathAlone) {
    const auto it = contexts(
        "/.*\tu:object_r:default_t:s0\n"
        "/tmp/.*\t<<none>>\n"
        "/tmp/keep(/.*)?\tu:object_r:keep_t:s0\n"
        "/lost\\+found/.*\t<<none>>\n");
    EXPECT_EQ(type_of(it, "/tmp/x"), "none");
    EXPECT_EQ(type_of(it, "/tmp/keep/x"), "keep_t");
    EXPECT_EQ(type_of(it, "/lost+found/x"), "none");
    EXPECT_EQ(type_of(it, "/lost+found"), "default_t");
}

TEST(FileContexts, SubstitutionsLookUpAnotherPath) {
    const auto it =
        contexts("/usr/bin(/.*)?\tu:object_r:bin_t:s0\n/srv(/.*)?\tu:object_r:srv_t:s0\n",
                 {},
                 {},
                 "# names\n/sbin /usr/bin\n/usr/sbin /usr/bin\nbroken\n/root /\n",
                 "/data /sbin\n/data/x /srv\n");
    EXPECT_EQ(type_of(it, "/sbin/init"), "bin_t");
    EXPECT_EQ(type_of(it, "/sbin", EntryKind::kSymlink), "bin_t");
    EXPECT_EQ(type_of(it, "/sbinx"), "no match");
    EXPECT_EQ(type_of(it, "/data/init"), "bin_t");    // by way of both files
    EXPECT_EQ(type_of(it, "/data/x/init"), "srv_t");  // later lines are tried first
    EXPECT_EQ(type_of(it, "/root/srv"), "srv_t");
}

TEST(FileContexts, ExpressionsAreThoseOfPcre) {
    const auto it = contexts(
        "/a\\d+\tu:object_r:digits_t:s0\n"
        "/b(?!x).*\tu:object_r:ahead_t:s0\n"
        "/c?d\tu:object_r:maybe_t:s0\n"
        "/e|/f/g\tu:object_r:choice_t:s0\n"
        "/n/.*\tu:object_r:newline_t:s0\n");
    EXPECT_EQ(type_of(it, "/a12"), "digits_t");
    EXPECT_EQ(type_of(it, "/ad"), "no match");
    EXPECT_EQ(type_of(it, "/by"), "ahead_t");
    EXPECT_EQ(type_of(it, "/bx"), "no match");
    EXPECT_EQ(type_of(it, "/d"), "maybe_t");
    EXPECT_EQ(type_of(it, "/e-and-more"), "choice_t");  // the anchors bind to one branch each
    EXPECT_EQ(type_of(it, "/n/a\nb\xff"), "newline_t");
}

TEST(FileContexts, SaysWhatIsWrongInEachLine) {
    const Error bad = parse_error(
        "/ok\tu:object_r:a_t:s0\n"
        "/x(\tu:object_r:a_t:s0\n"
        "/y\t-x\tu:object_r:a_t:s0\n"
        "/z\n"
        "/w\tu:object_r\n"
        "/v\tu:object_r:a_t:s0 more words\n"
        "/\xc3\xa4\tu:object_r:a_t:s0\n"
        "/u\tu:object_r::s0\n"
        "/t\tu:object_r:a_t:\n");
    EXPECT_EQ(bad.kind, ErrorKind::kCorrupt);
    EXPECT_THAT(bad.message, HasSubstr("file_contexts:2: `/x(` is no regular expression: "));
    EXPECT_THAT(bad.notes,
                ElementsAre(HasSubstr("file_contexts:3: `-x` is no file type"),
                            HasSubstr("file_contexts:4: `/z` has no context"),
                            HasSubstr("file_contexts:5: `u:object_r` is no security context"),
                            HasSubstr("file_contexts:6: `words` is more than"),
                            HasSubstr("is not ASCII"),
                            HasSubstr("it has no type"),
                            HasSubstr("its range is ``")));
}

TEST(FileContexts, RefusesTwoLabelsForOneSpecification) {
    const Error bad = parse_error(
        "/a/.*\t--\tu:object_r:a_t:s0\n"
        "/a/.*\t-d\tu:object_r:b_t:s0\n"
        "/a/.*\t--\tu:object_r:b_t:s0\n");
    EXPECT_THAT(bad.message,
                HasSubstr("file_contexts:3: `/a/.*` gets u:object_r:b_t:s0 here and "
                          "u:object_r:a_t:s0 in line 1"));
    EXPECT_EQ(contexts("/a\tu:object_r:a_t:s0\n/a\tu:object_r:a_t:s0\n").size(), 2u);
}

TEST(FileContexts, AnExpressionThatTakesTooLongIsAnError) {
    const auto it = contexts("/(a|aa)+(a|aa)+\\d\tu:object_r:a_t:s0\n");
    EXPECT_THAT(type_of(it, "/" + std::string(200, 'a')),
                HasSubstr("file_contexts:1: cannot match /aaa"));
}

TEST(FileContexts, RefusesWhatIsTooLarge) {
    const Error bad = parse_error("/" + std::string(5000, 'x') + ".*\tu:object_r:a_t:s0\n");
    EXPECT_THAT(bad.message, HasSubstr("too long"));
}

TEST(FileContexts, AcceptsCommentsAndBlankLines) {
    const auto it =
        contexts("# a\n\n   # b\n \t\r\n  /a \t u:object_r:a_t:s0-s0:c0.c1023  \n/b x:y:z");
    EXPECT_EQ(type_of(it, "/a"), "a_t");
    EXPECT_EQ(type_of(it, "/b"), "z");
}

// A policy in small, of every kind of specification, and paths that are on the edge of one.
constexpr const char* kSample =
    "/.*\tsystem_u:object_r:default_t:s0\n"
    "/\t-d\tsystem_u:object_r:root_t:s0\n"
    "/usr/.*\tsystem_u:object_r:usr_t:s0\n"
    "/etc/.*\tsystem_u:object_r:etc_t:s0\n"
    "/var/.*\tsystem_u:object_r:var_t:s0\n"
    "/tmp/.*\t<<none>>\n"
    "/usr/lib(/.*)?\tsystem_u:object_r:lib_t:s0\n"
    "/usr/(.*/)?lib(/.*)?\tsystem_u:object_r:lib_t:s0\n"
    "/usr/lib/[^/]*/ld-[^/]*\\.so(\\.[^/]*)*\t--\tsystem_u:object_r:ld_so_t:s0\n"
    "/etc/ld\\.so\\.cache\t--\tsystem_u:object_r:ld_so_cache_t:s0\n"
    "/etc/shadow.*\t--\tsystem_u:object_r:shadow_t:s0\n"
    "/usr/bin(/.*)?\tsystem_u:object_r:bin_t:s0\n"
    "/usr/bin/bash\t--\tsystem_u:object_r:shell_exec_t:s0\n"
    "/usr/bin/d?ash\t--\tsystem_u:object_r:dash_exec_t:s0\n"
    "/var/log(/.*)?\tsystem_u:object_r:var_log_t:s0\n"
    "/var/log/[^/]+\\.[0-9]{1,2}(\\.gz)?\t--\tsystem_u:object_r:old_log_t:s0\n"
    "/var/lib/(a|b(c|d)+)/x\t-l\tsystem_u:object_r:link_t:s0\n"
    "/home\t-d\tsystem_u:object_r:home_root_t:s0\n";
constexpr const char* kSampleHomedirs =
    "/home/[^/]+\t-d\tunconfined_u:object_r:user_home_dir_t:s0\n"
    "/home/[^/]+/.+\tunconfined_u:object_r:user_home_t:s0\n";
constexpr const char* kSampleSubs = "/sbin /usr/bin\n/lib /usr/lib\n/var/run /run\n";

// As `matchpathcon -f` of libselinux answers.
TEST(FileContexts, EqualsLibselinux) {
    if (!find_program("matchpathcon")) {
        GTEST_SKIP() << "matchpathcon (selinux-utils) is not installed here";
    }
    const auto directory = TempDir::make();
    ASSERT_TRUE(directory.has_value());
    const std::string file = directory->path() + "/file_contexts";
    ASSERT_TRUE(write_file_atomic(file, kSample).has_value());
    ASSERT_TRUE(write_file_atomic(file + ".homedirs", kSampleHomedirs).has_value());
    ASSERT_TRUE(write_file_atomic(file + ".subs_dist", kSampleSubs).has_value());
    const auto it = contexts(kSample, kSampleHomedirs, {}, kSampleSubs);
    const std::map<EntryKind, std::string> kinds = {{EntryKind::kFile, "file"},
                                                    {EntryKind::kDirectory, "dir"},
                                                    {EntryKind::kSymlink, "lnk_file"},
                                                    {EntryKind::kCharDevice, "chr_file"},
                                                    {EntryKind::kBlockDevice, "blk_file"},
                                                    {EntryKind::kFifo, "pipe"}};
    const std::vector<std::string> paths = {"/",
                                            "/etc",
                                            "/etc/passwd",
                                            "/etc/ld.so.cache",
                                            "/etc/ldxso.cache",
                                            "/etc/shadow-",
                                            "/usr/bin",
                                            "/usr/bin/bash",
                                            "/usr/bin/ash",
                                            "/usr/bin/dash",
                                            "/usr/bin/ddash",
                                            "/sbin",
                                            "/sbin/bash",
                                            "/sbinn",
                                            "/lib/x/ld-linux.so.2",
                                            "/usr/lib/x/ld-2.so",
                                            "/usr/share/lib/a",
                                            "/usr/share/a",
                                            "/var/log",
                                            "/var/log/x.1",
                                            "/var/log/x.123",
                                            "/var/log/x.12.gz",
                                            "/var/lib/bcdc/x",
                                            "/var/lib/a/x",
                                            "/var/lib/b/x",
                                            "/home",
                                            "/home/me",
                                            "/home/me/x",
                                            "/home/me/x/y",
                                            "/tmp/x",
                                            "/tmp",
                                            "/var/run/x",
                                            "/run/x",
                                            "/usr/lib",
                                            "/usr"};
    for (const auto& [kind, word] : kinds) {
        for (const std::string& path : paths) {
            Command command;
            command.argv = {"matchpathcon", "-n", "-f", file, "-m", word, path};
            const auto result = run(command);
            ASSERT_TRUE(result.has_value());
            const auto label = it.lookup(path, kind);
            ASSERT_TRUE(label.has_value());
            const std::string ours =
                label->kind == FileLabel::Kind::kContext ? std::string(label->context) : "<<none>>";
            EXPECT_EQ(ours, trim(result->output)) << path << " as " << word;
        }
    }
}

}  // namespace
}  // namespace tarn
