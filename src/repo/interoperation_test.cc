// SPDX-License-Identifier: MIT
// Others' programs against what make_repodata writes: libsolv reads it, createrepo_c writes alike.
#include "base/compress.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "repo/detail/sample_packages.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using repo::Bench;
using testing::HasSubstr;

struct Readers : testing::Test {
    Bench bench;
    std::string path;

    void SetUp() override {
        const Digest one = bench.signed_package(
            {.epoch = 1, .requires_ = {"libc.so.6()(64bit)", "(a or b)", "x >= 1:2-3"}});
        path = publish(bench.store, bench.request({one}), bench.reporter).value().path;
    }
    std::string metadata(const std::string& type) const {
        const std::vector<std::string> names = list_directory(path + "/repodata").value();
        for (const std::string& name : names) {
            if (name.ends_with("-" + type + ".xml.zst")) {
                return path + "/repodata/" + name;
            }
        }
        return {};
    }
};

TEST_F(Readers, LibsolvReadsPackagesAndDependencies) {
    if (!find_program("rpmmd2solv") || !find_program("dumpsolv")) {
        GTEST_SKIP() << "rpmmd2solv and dumpsolv (libsolv-tools) are not installed";
    }
    const std::string packed = read_file(metadata("primary")).value();
    Command convert;
    convert.argv = {"rpmmd2solv"};
    convert.input = decompress(packed, Compression::kZstd).value();
    const ProcessResult solv = run(convert).value();
    ASSERT_EQ(solv.exit_code, 0) << solv.errors;
    const std::string file = bench.directory.path() + "/primary.solv";
    ASSERT_TRUE(write_file_atomic(file, solv.output));
    Command dump;
    dump.argv = {"dumpsolv", file};
    const std::string text = run(dump).value().output;
    EXPECT_THAT(text, HasSubstr("repo size: 1 solvables"));
    EXPECT_THAT(text, HasSubstr("1:1.0-1.tn1"));
    EXPECT_THAT(text, HasSubstr("x >= 1:2-3"));
    EXPECT_THAT(text, HasSubstr("hello = 1:1.0-1.tn1"));
}

// Everything createrepo_c writes of the same package but the time of the file is in ours too.
TEST_F(Readers, CreaterepoWritesTheSameFields) {
    if (!find_program("createrepo_c")) {
        GTEST_SKIP() << "createrepo_c (createrepo-c) is not installed";
    }
    const std::string other = bench.directory.path() + "/theirs";
    ASSERT_TRUE(make_directories(other + "/Packages/h"));
    const std::string name = "/Packages/h/hello-1.0-1.tn1.x86_64.rpm";
    ASSERT_TRUE(write_file_atomic(other + name, read_file(path + name).value()));
    Command create;
    create.argv = {"createrepo_c", "--quiet", "--general-compress-type=gz", other};
    ASSERT_EQ(run(create).value().exit_code, 0);
    for (const char* type : {"primary", "filelists", "other"}) {
        std::string theirs;
        const std::vector<std::string> names = list_directory(other + "/repodata").value();
        for (const std::string& each : names) {
            if (contains(each, std::string("-") + type + ".xml")) {
                const std::string bytes = read_file(other + "/repodata/" + each).value();
                theirs = decompress(bytes, detect_compression(bytes)).value();
            }
        }
        const std::string ours =
            decompress(read_file(metadata(type)).value(), Compression::kZstd).value();
        ASSERT_FALSE(theirs.empty());
        for (const std::string_view line : split_lines(theirs)) {
            if (!contains(line, "<time ")) {
                EXPECT_THAT(ours, HasSubstr(std::string(trim(line))));
            }
        }
    }
}

}  // namespace
}  // namespace tarn
