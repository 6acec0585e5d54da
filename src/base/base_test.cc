// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>
#include <thread>

#include "base/compress.hh"
#include "base/fs.hh"
#include "base/hash.hh"
#include "base/parallel.hh"
#include "base/strings.hh"

namespace tarn {
namespace {

TEST(Strings, NearestFindsTyposOnly) {
    const std::vector<std::string> names = {"overlays", "release", "spec", "packages"};
    EXPECT_EQ(did_you_mean("overlay", names), "did you mean `overlays`?");
    EXPECT_EQ(did_you_mean("relase", names), "did you mean `release`?");
    EXPECT_EQ(did_you_mean("HAED", {"HEAD", "READ"}), "did you mean `HEAD`?") << "two change places";
    EXPECT_EQ(did_you_mean("zzzzzz", names), "");
    EXPECT_EQ(did_you_mean("2", {"1"}), "") << "nothing of the name is left";
}

TEST(Strings, HumanFigures) {
    EXPECT_EQ(human_size(999), "999 B");
    EXPECT_EQ(human_size(288'100'000), "288.1 MB");
    EXPECT_EQ(human_size(999'999'999), "1.0 GB");
    EXPECT_EQ(human_time(3.04), "3.0 s");
    EXPECT_EQ(human_time(151), "2 m 31 s");
    EXPECT_EQ(human_time(3725), "1 h 02 m");
}

TEST(Glob, FollowsDoublestar) {
    EXPECT_TRUE(glob_match("**/*.comp.toml", "a/b/c.comp.toml"));
    EXPECT_TRUE(glob_match("**/*.comp.toml", "c.comp.toml"));
    EXPECT_FALSE(glob_match("*.toml", "a/b.toml"));
    EXPECT_TRUE(glob_match("/usr/share/doc/**", "/usr/share/doc/bash/copyright"));
    EXPECT_TRUE(glob_match("/usr/share/doc/**", "/usr/share/doc"));
    EXPECT_FALSE(glob_match("/usr/share/doc/**", "/usr/share/docs"));
    EXPECT_TRUE(glob_match("a{b,c{d,e}}f", "acef"));
    EXPECT_FALSE(glob_match("a{b,c}f", "adf"));
    EXPECT_TRUE(glob_match("[!a-c]x", "dx"));
    EXPECT_FALSE(glob_match("[!a-c]x", "bx"));
    EXPECT_TRUE(glob_match("\\*x", "*x"));
    EXPECT_TRUE(glob_match("a/**/z", "a/z"));
    EXPECT_TRUE(glob_match("a/**/z", "a/b/c/z"));
}

TEST(Glob, HostilePatternEnds) {
    std::string pattern(5000, '{');
    EXPECT_FALSE(glob_match(pattern, "x"));
    std::string stars;
    for (int i = 0; i < 30; ++i) {
        stars += "*a";
    }
    EXPECT_FALSE(glob_match(stars + "b", std::string(200, 'a')));
    std::string braces;
    std::string parts;
    std::string path;
    for (int i = 0; i < 60; ++i) {
        braces += "{a,a}";
        parts += "**/a/";
        path += "a/";
    }
    EXPECT_FALSE(glob_match(braces + "x", std::string(60, 'a')));
    EXPECT_FALSE(glob_match(parts + "x", path + path + "y"));
    EXPECT_TRUE(glob_match(braces, std::string(60, 'a')));
}

TEST(Path, SafeRelativePathNeverEscapes) {
    EXPECT_EQ(safe_relative_path("./usr//bin/./x", Absolute::kRefuse), "usr/bin/x");
    EXPECT_EQ(safe_relative_path("/usr/bin", Absolute::kStrip), "usr/bin");
    EXPECT_FALSE(safe_relative_path("/usr/bin", Absolute::kRefuse));
    EXPECT_FALSE(safe_relative_path("usr/../../etc", Absolute::kStrip));
    EXPECT_FALSE(safe_relative_path(std::string_view("a\0b", 3), Absolute::kStrip));
    EXPECT_EQ(absolute_path("../x/./y", "/a/b"), "/a/x/y");
    EXPECT_EQ(absolute_path("../../../x", "/a"), "/x");
    EXPECT_EQ(relative_to("/a/b/c", "/a/b"), "c");
    EXPECT_EQ(relative_to("/a/bc", "/a/b"), "/a/bc");
}

TEST(Compress, EveryFormatRoundTripsAndRefusesDamage) {
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        text += fmt::format("line {}\n", i * 7919 % 1000);
    }
    for (const Compression kind : {Compression::kGzip, Compression::kZstd}) {
        std::string packed = kind == Compression::kGzip ? compress_gzip(text, 6)
                                                        : compress_zstd(text, 3);
        EXPECT_EQ(detect_compression(packed), kind);
        auto unpacked = decompress(packed, kind);
        ASSERT_TRUE(unpacked) << unpacked.error().message;
        EXPECT_EQ(*unpacked, text);
        EXPECT_FALSE(decompress(packed, kind, 100));
        EXPECT_FALSE(decompress(std::string_view(packed).substr(0, packed.size() / 2), kind));
        packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
        EXPECT_FALSE(decompress(packed, kind));
    }
}

TEST(Compress, StreamEqualsItsPieces) {
    std::string out;
    ZstdWriter writer(3, [&](std::string_view piece) -> Result<void> {
        out += piece;
        return {};
    });
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(writer.write("hello world "));
    }
    ASSERT_TRUE(writer.finish());
    auto text = decompress(out, Compression::kZstd);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->size(), 1200U);
}

TEST(Hash, KnownVectors) {
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hash_hex(HashKind::kMd5, ""), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(Hash, HolesOfAFileAreZeros) {
    const auto dir = TempDir::make();
    const std::string path = dir->path() + "/sparse";
    std::string want(3 << 20, '\0');
    ASSERT_TRUE(write_file_atomic(path, want));
    const Fd fd = *open_file(path, O_RDWR);
    for (const std::size_t at : {0U, 1U << 20U, (3U << 20U) - 5}) {
        ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
        ASSERT_EQ(::ftruncate(fd.get(), 3 << 20), 0);
        ASSERT_TRUE(pwrite_all(fd.get(), "data!", at, path));
        std::string text = want;
        text.replace(at, 5, "data!");
        EXPECT_EQ(*hash_file_hex(HashKind::kSha256, path), sha256_hex(text)) << at;
    }
    ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
    ASSERT_EQ(::ftruncate(fd.get(), 3 << 20), 0);
    EXPECT_EQ(*hash_file_hex(HashKind::kSha256, path), sha256_hex(want));
}

TEST(AtomicFile, UncommittedLeavesNothing) {
    auto dir = TempDir::make();
    ASSERT_TRUE(dir);
    const std::string path = dir->path() + "/x";
    {
        auto file = AtomicFile::create(path);
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->write("half"));
    }
    EXPECT_TRUE(list_directory(dir->path())->empty());
    ASSERT_TRUE(write_file_atomic(path, "whole", 0600));
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
    EXPECT_EQ(*read_file(path), "whole");
    EXPECT_FALSE(read_file(path, 3));
}

TEST(Fs, RemoveTreeDoesNotFollowLinks) {
    auto dir = TempDir::make();
    ASSERT_TRUE(dir);
    ASSERT_TRUE(make_directories(dir->path() + "/keep"));
    ASSERT_TRUE(write_file_atomic(dir->path() + "/keep/file", "x"));
    ASSERT_TRUE(make_directories(dir->path() + "/gone/deep"));
    ASSERT_TRUE(make_symlink("../keep", dir->path() + "/gone/link"));
    ::chmod((dir->path() + "/gone/deep").c_str(), 0500);
    ASSERT_TRUE(remove_tree(dir->path() + "/gone"));
    EXPECT_FALSE(path_exists(dir->path() + "/gone"));
    EXPECT_TRUE(path_exists(dir->path() + "/keep/file"));
    EXPECT_TRUE(remove_tree(dir->path() + "/never"));
}

TEST(Fs, ErrorsNameWhatAndWhy) {
    auto missing = read_file("/nonexistent/file");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(missing.error().message,
              "cannot open /nonexistent/file: No such file or directory");
}

TEST(ParallelFor, LowestErrorWinsAndResultsAreByIndex) {
    std::vector<int> out(1000);
    ASSERT_TRUE(parallel_for(out.size(), 4, {}, [&](std::size_t i) -> Result<void> {
        out[i] = static_cast<int>(i);
        return {};
    }));
    EXPECT_EQ(out[999], 999);
    auto bad = parallel_for(100, 4, {}, [](std::size_t i) -> Result<void> {
        return i == 3 ? Result<void>(fail(ErrorKind::kFailed, "three")) : Result<void>();
    });
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "three");
    std::stop_source stop;
    stop.request_stop();
    auto stopped = parallel_for(5, 2, stop.get_token(), [](std::size_t) { return Result<void>(); });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind, ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace tarn
