// SPDX-License-Identifier: MIT
// Declarations nobody writes by intention: limits are reached at once and said clearly.
#include "project/detail/files.hh"
#include "project/detail/patterns.hh"
#include "project/loaded_test.hh"

#include <unistd.h>

namespace tarn {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string said_of(std::string_view text) {
    Loaded it;
    it.file("tarn.toml", text).load();
    EXPECT_FALSE(it.loaded());
    return it.said();
}

std::string repeated(std::string_view part, int times) {
    std::string text;
    for (int at = 0; at < times; ++at) {
        text += part;
    }
    return text;
}

TEST(HostileToml, DepthHasALimitHoweverItIsWritten) {
    const std::string deep = "nested too deeply: at most 48 brackets and 32 parts";
    EXPECT_THAT(said_of("a = " + repeated("[", 200'000)),
                HasSubstr("tarn.toml:1:53: error: " + deep));
    EXPECT_THAT(said_of("a = " + repeated("{b=", 200'000)), HasSubstr(deep));
    EXPECT_THAT(said_of(repeated("a.", 200'000) + "a = 1"), HasSubstr(deep));
    EXPECT_THAT(said_of("[" + repeated("a.", 200'000) + "a]"), HasSubstr(deep));
    EXPECT_THAT(said_of("[[" + repeated("\"a\" . ", 200'000) + "a]]"), HasSubstr(deep));
    EXPECT_THAT(said_of("a = {" + repeated("b.", 100) + "c = 1}"), HasSubstr(deep));
}

TEST(HostileToml, SizeHasALimit) {
    const std::string said = said_of(std::string((16u << 20) + 1, '#'));
    EXPECT_THAT(said, HasSubstr("tarn.toml"));
    EXPECT_THAT(said, HasSubstr("1 error;"));
    Loaded fits;
    fits.file("tarn.toml", "#" + std::string((16u << 20) - 2, 'x') + "\n").load();
    EXPECT_EQ(fits.said(), "");
    EXPECT_THAT(said_of("x" + std::string(8u << 20, 'y') + " = 1"), HasSubstr("unknown key `xy"));
}

TEST(HostileToml, BytesThatAreNoText) {
    EXPECT_THAT(said_of("a = \"\xff\""), HasSubstr("tarn.toml:1"));
    EXPECT_THAT(said_of("\xff\xfe[\0"), HasSubstr("tarn.toml:1"));
    EXPECT_THAT(said_of(std::string(1000, '\0')),
                HasSubstr("tarn.toml:1:1: error: not valid TOML"));
    EXPECT_THAT(said_of("\xed\xa0\x80 = 1"), HasSubstr("tarn.toml:1"));
    EXPECT_THAT(said_of("[project]\ndescription = \"a\\u0000b\"\n"),
                HasSubstr("tarn.toml:2:15: error: `description` contains a NUL character"));
    EXPECT_THAT(said_of("[components.\"a\\u0000b\"]\n"), HasSubstr("cannot be the name"));
    Loaded bom;
    bom.file("tarn.toml", "\xEF\xBB\xBF[project]\r\ndescription = \"b\"\r\n").load();
    EXPECT_EQ(bom.project().description, "b");
}

TEST(HostileToml, DefinedTwiceInOneFile) {
    EXPECT_THAT(said_of("[project]\n[project]\n"), HasSubstr("tarn.toml:2"));
    EXPECT_THAT(said_of("[components]\na = {}\n[components.a]\n"), HasSubstr("tarn.toml:3"));
    EXPECT_THAT(said_of("[project]\nlog-dir = \"a\"\n\"log-dir\" = \"b\"\n"),
                HasSubstr("defined twice"));
    EXPECT_THAT(said_of("project = { log-dir = \"a\", log-dir = \"b\" }\n"),
                HasSubstr("tarn.toml:1"));
    EXPECT_THAT(said_of("[components.a]\n[[components.a]]\n"), HasSubstr("tarn.toml:2"));
}

TEST(HostileToml, ManyErrorsAreCapped) {
    SourceMap sources;
    Diagnostics diagnostics(sources);
    const auto directory = TempDir::make().value();
    std::string text;
    for (int index = 0; index < 1000; ++index) {
        text += fmt::format("k{} = 1\n", index);
    }
    ASSERT_TRUE(write_file_atomic(directory.path() + "/tarn.toml", text).has_value());
    LoadOptions options;
    options.start = directory.path();
    const auto project = load_project(options, sources, diagnostics);
    ASSERT_FALSE(project.has_value());
    EXPECT_THAT(project.error().message, HasSubstr("1000 errors"));
    EXPECT_THAT(project.error().rendered, HasSubstr("980 more errors"));
}

// ---- limits, at their full size -----------------------------------------------------------------

TEST(HostileIncludes, DepthHasALimit) {
    constexpr std::size_t kLimit = declaration::kIncludeDepthLimit;
    const auto chain = [](Loaded& it, std::size_t files) {
        it.file("tarn.toml", "includes = [\"2.toml\"]\n");
        for (std::size_t at = 2; at < files; ++at) {
            it.file(fmt::format("{}.toml", at), fmt::format("includes = [\"{}.toml\"]\n", at + 1));
        }
        it.file(fmt::format("{}.toml", files), "[project]\ndescription = \"the last\"\n").load();
    };
    Loaded fits, deeper;
    chain(fits, kLimit);
    EXPECT_EQ(fits.project().description, "the last");
    chain(deeper, kLimit + 1);
    EXPECT_FALSE(deeper.loaded());
    EXPECT_THAT(deeper.said(),
                AllOf(HasSubstr("64.toml:1:13: error: includes are nested more than 64 deep"),
                      HasSubstr("help: let one file include the others"),
                      HasSubstr("1 error;")));
}

TEST(HostileIncludes, APatternOverMoreFilesThanAnyProjectHasEnds) {
    constexpr std::size_t kLimit = declaration::kFileCountLimit;
    Loaded it;
    it.file("tarn.toml", "includes = [\"many/**/*.toml\"]\n").file("many/0", "").file("many/1", "");
    const std::string many = it.path("many/");
    for (std::size_t at = 2; at < kLimit + 1; ++at) {  // links are made faster than files
        const std::string name = fmt::format("{}{}.toml", many, at);
        ASSERT_EQ(::link((many + (at % 2 == 0 ? "0" : "1")).c_str(), name.c_str()), 0);
    }
    it.load();
    EXPECT_FALSE(it.loaded());
    EXPECT_THAT(it.said(),
                AllOf(HasSubstr("tarn.toml:1:13: error: pattern **/*.toml looks at more than "
                                "100000 files"),
                      HasSubstr("help: begin it with the directory"),
                      HasSubstr("1 error;")));
}

// ---- links --------------------------------------------------------------------------------------

TEST(HostileLinks, LoopsAreNotFollowed) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"**/*.x.toml\", \"loop/*/*.toml\"]\n")
        .file("sub/a.x.toml", "[project]\ndescription = \"a\"\n");
    ASSERT_TRUE(make_symlink(".", it.path("loop")).has_value());
    ASSERT_TRUE(make_symlink("..", it.path("sub/up")).has_value());
    ASSERT_TRUE(make_symlink("self.x.toml", it.path("self.x.toml")).has_value());
    it.load();
    EXPECT_EQ(it.project().description, "a");
}

// The system follows 40 links of one path, which is less than the depth includes may have.
TEST(HostileLinks, AFileThatIncludesItselfThroughALinkEnds) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"loop/tarn.toml\"]\n");
    ASSERT_TRUE(make_symlink(".", it.path("loop")).has_value());
    it.load();
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:1:13: error: there is no included file loop/tarn"));
    EXPECT_THAT(it.said(), HasSubstr("1 error;"));
}

TEST(HostileLinks, AFileThatIsALinkToItselfIsNotThere) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"self.toml\"]\n");
    ASSERT_TRUE(make_symlink("self.toml", it.path("self.toml")).has_value());
    it.load();
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:1:13: error: there is no included file self.toml"));
    Loaded none;
    ASSERT_TRUE(make_symlink("tarn.toml", none.path("tarn.toml")).has_value());
    EXPECT_FALSE(none.load().loaded());
}

// ---- patterns -----------------------------------------------------------------------------------

TEST(HostilePatterns, TooManyFilesEndTheSearch) {
    Loaded it;
    for (int index = 0; index < 30; ++index) {
        it.file(fmt::format("d{}/f.toml", index % 10), "").file(fmt::format("f{}", index), "");
    }
    using declaration::matching_files;
    using declaration::Unreadable;
    for (const std::string pattern : {"**/*", "*", "{d,e}*/**", "**/none"}) {
        for (const Unreadable how : {Unreadable::kFail, Unreadable::kIgnore}) {
            const auto files = matching_files(pattern, it.path(""), 20, how);
            ASSERT_FALSE(files.has_value()) << pattern;
            EXPECT_EQ(files.error().kind, ErrorKind::kUsage);
            EXPECT_EQ(files.error().message,
                      fmt::format("pattern {} looks at more than 20 files", pattern));
        }
    }
    EXPECT_EQ(matching_files("**/f.toml", it.path(""), 100).value().size(), 10U);
}

TEST(HostilePatterns, WhatCannotBeReadIsAnErrorOfIncludes) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"file/*.toml\"]\n").file("file", "").load();
    EXPECT_THAT(it.said(), HasSubstr("tarn.toml:1:13: error: cannot read "));
}

TEST(HostilePatterns, UnmatchedOnesAreErrorsUnlessTheyMayMatchNothing) {
    Loaded it;
    it.file("tarn.toml",
            "includes = [\"*.x\", \"?.x\", \"[a].x\", \"d/**\", \"{a,b}.x\", \"gone.x\", "
            "\"a\\\\*.x\"]\n")
        .load();
    EXPECT_THAT(it.said(),
                AllOf(HasSubstr("there is no included file {a,b}.x"),
                      HasSubstr("there is no included file gone.x"),
                      HasSubstr("2 errors;")));
}

TEST(HostilePatterns, OnesThatExplodeEnd) {
    Loaded it;
    const std::string braces = repeated("{a,a}", 60) + "x.spec";
    const std::string stars = repeated("**/a/", 30) + "x.spec";
    std::string deep = "s";
    for (int index = 0; index < 40; ++index) {
        deep += "/a";
    }
    it.file("tarn.toml",
            fmt::format("includes = [\"{0}\", \"s/{1}\", \"{2}\"]\n"
                        "[component-groups.g]\nspecs = [\"{0}*\", \"s/{1}\"]\n",
                        braces,
                        stars,
                        repeated("{", 30) + "a" + repeated("*}", 30)))
        .file(std::string(60, 'a'), "")
        .file(deep + "/y.spec", "")
        .load();
    EXPECT_THAT(it.said(), testing::Not(HasSubstr("nothing was changed\nerror")));
}

TEST(HostileRegexes, ThatAreTooBigOrTooLongAreRefused) {
    Loaded it;
    it.file("tarn.toml",
            "[components.a]\nspec = { type = \"local\", path = \"a.spec\" }\noverlays = [\n"
            "{ type = \"spec-search-replace\", regex = '((x{30}){30}){30}x{1000}y{1000}' },\n"
            "{ type = \"spec-search-replace\", regex = '([\\pL\\pN]{100}){9}' },\n"
            "{ type = \"file-search-replace\", file = 'x', regex = '" +
                std::string(65 << 10, 'x') + "' },\n]\n")
        .file("a.spec", "")
        .load();
    EXPECT_THAT(it.said(),
                AllOf(HasSubstr("tarn.toml:4:41: error: `regex` does not compile"),
                      HasSubstr("tarn.toml:5:41: error: `regex` does not compile"),
                      HasSubstr("`regex` is longer than 64 KiB")));
}

}  // namespace
}  // namespace tarn
