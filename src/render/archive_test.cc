// SPDX-License-Identifier: MIT
#include "render/detail/archive.hh"

#include "base/fs.hh"
#include "base/hash.hh"
#include "base/process.hh"
#include "render/render.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {
namespace {

using overlay::Archive;
using overlay::ArchiveMember;
using overlay::read_archive;
using overlay::write_archive;
using testing::ElementsAre;
using testing::HasSubstr;

Archive small(Compression compression = Compression::kNone) {
    Archive archive;
    archive.compression = compression;
    archive.members["x-1"] = {EntryKind::kDirectory, 0755};
    archive.members["x-1/a.b"] = {EntryKind::kFile, 0644, "dotted"};
    archive.members["x-1/a/c"] = {EntryKind::kFile, 0755, "one\ntwo\n"};
    archive.members["x-1/a"] = {EntryKind::kDirectory, 0755};
    archive.members["x-1/link"] = {EntryKind::kSymlink, 0777, "", "a/c"};
    return archive;
}

std::vector<std::string> paths(const Archive& archive) {
    std::vector<std::string> result;
    for (const auto& [path, member] : archive.members) {
        result.push_back(path);
    }
    return result;
}

// A tar with one member whose header bytes were changed and summed up again.
std::string patched(std::size_t at, std::string_view bytes) {
    Archive archive;
    archive.members["m"] = {EntryKind::kFile, 0644, ""};
    std::string tar = write_archive(archive).value();
    tar.replace(at, bytes.size(), bytes);
    tar.replace(148, 8, 8, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i) {
        sum += static_cast<unsigned char>(tar[i]);
    }
    tar.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
    return tar;
}

TEST(Archive, ANameThatLooksCompressedIsAName) {
    Archive archive;
    archive.members["\x1f\x8b"] = {EntryKind::kFile, 0644, "x"};
    const auto back = read_archive(write_archive(archive).value(), "x");
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(back->compression, Compression::kNone);
    EXPECT_THAT(paths(*back), ElementsAre("\x1f\x8b"));
}

TEST(Archive, AHoleAtTheEndOfASparseFileStays) {
    std::string header(512 - 156, '\0');  // from the type on
    header[0] = 'S';
    header.replace(257 - 156, 7, "ustar  ");
    header.replace(386 - 156, 11, "00000001750");
    header.replace(398 - 156, 11, "00000000000");
    header.replace(483 - 156, 11, "00000001750");
    const std::string tar = patched(156, header);
    EXPECT_EQ(read_archive(tar, "x").value().members["m"].bytes, std::string(1000, '\0'));
    EXPECT_FALSE(read_archive(tar, "x", 999).has_value());
}

TEST(Archive, EveryCompressionComesBackAndGivesTheSameBytesAgain) {
    for (const Compression compression :
         {Compression::kNone, Compression::kGzip, Compression::kXz, Compression::kZstd}) {
        const std::string bytes = write_archive(small(compression)).value();
        EXPECT_EQ(detect_compression(bytes), compression);
        const auto back = read_archive(bytes, "x.tar");
        ASSERT_TRUE(back.has_value()) << back.error().message;
        EXPECT_THAT(paths(*back), ElementsAre("x-1", "x-1/a", "x-1/a/c", "x-1/a.b", "x-1/link"));
        EXPECT_EQ(back->members.at("x-1/a/c").bytes, "one\ntwo\n");
        EXPECT_EQ(back->members.at("x-1/a/c").mode, 0755U);
        EXPECT_EQ(back->members.at("x-1/link").target, "a/c");
        EXPECT_EQ(back->top(), "x-1/");
        EXPECT_EQ(write_archive(*back).value(), bytes);
    }
}

TEST(Archive, HeadersAreThoseOfGnuTarWithoutOwnersAndTimes) {
    const std::string tar = write_archive(small()).value();
    EXPECT_EQ(tar.substr(0, 5), std::string("x-1/\0", 5));
    EXPECT_EQ(tar.substr(100, 8), std::string("0000755\0", 8));
    EXPECT_EQ(tar.substr(108, 8), std::string("0000000\0", 8));
    EXPECT_EQ(tar.substr(136, 12), std::string("00000000000\0", 12));
    EXPECT_EQ(tar[156], '5');
    EXPECT_EQ(tar.substr(257, 8), std::string("ustar  \0", 8));
    EXPECT_EQ(tar.substr(265, 64), std::string(64, '\0'));
    EXPECT_EQ(tar.size() % 512, 0U);
    const std::string gzip = write_archive(small(Compression::kGzip)).value();
    EXPECT_EQ(gzip.substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\x02\xff", 10));
}

TEST(Archive, TarReadsWhatIsWritten) {
    const TempDir directory = TempDir::make().value();
    Archive archive = small(Compression::kGzip);
    const std::string long_name(150, 'n');
    archive.members["x-1/" + long_name] = {EntryKind::kFile, 0644, "long"};
    archive.members["x-1/z"] = {EntryKind::kSymlink, 0777, "", std::string(120, 't')};
    const std::string file = join_path(directory.path(), "x.tar.gz");
    ASSERT_TRUE(write_file_atomic(file, write_archive(archive).value()).has_value());
    Command command;
    command.argv = {"tar", "-tvzf", file};
    const auto listed = run(command);
    ASSERT_TRUE(listed.has_value()) << listed.error().message;
    EXPECT_THAT(listed->output, HasSubstr("x-1/" + long_name + "\n"));
    EXPECT_THAT(listed->output, HasSubstr("x-1/z -> " + std::string(120, 't') + "\n"));
    EXPECT_THAT(listed->output, HasSubstr("-rwxr-xr-x 0/0"));
    EXPECT_EQ(write_archive(read_archive(read_file(file).value(), "x").value()).value(),
              read_file(file).value());
}

TEST(Archive, WhatCannotBeRepackedIsRefused) {
    const auto why = [](const std::string& bytes) {
        const auto read = read_archive(bytes, "x.tar");
        return read ? "fine" : read.error().message;
    };
    EXPECT_EQ(why(patched(0, "m")), "fine");
    EXPECT_EQ(why(patched(0, "/m")), "x.tar: member /m leaves the archive");
    EXPECT_EQ(why(patched(0, "../m")), "x.tar: member ../m leaves the archive");
    EXPECT_EQ(why(patched(0, "a/../../m")), "x.tar: member a/../../m leaves the archive");
    EXPECT_EQ(why(patched(156, "1n")), "x.tar: member m is a link to another member");
    EXPECT_EQ(why(patched(156, "3")), "x.tar: member m is a device, pipe or socket");
    EXPECT_EQ(why(patched(156, "6")), "x.tar: member m is a device, pipe or socket");
    EXPECT_THAT(why(write_archive(small(Compression::kGzip)).value().substr(0, 60)),
                HasSubstr("damaged or truncated gzip"));
    EXPECT_THAT(why(std::string(2000, 'x')), HasSubstr("is no tar archive"));
    EXPECT_THAT(why("BZh9"), HasSubstr("bzip2"));
    Archive through;
    through.members["l"] = {EntryKind::kSymlink, 0777, "", "/etc"};
    through.members["l/passwd"] = {EntryKind::kFile, 0644, "x"};
    EXPECT_EQ(why(write_archive(through).value()),
              "x.tar: member l/passwd lies below l, which is no directory");
    const std::string tar = patched(124, "77777777777");
    EXPECT_NE(why(tar), "fine") << "a size the file does not have";
}

// ---- overlays
// ------------------------------------------------------------------------------------

class ArchiveOverlays : public testing::Test {
  protected:
    ArchiveOverlays() {
        component_.name = "x";
        sources_.add("x.spec", "Name: x\n", 0);
        sources_.add("x.tar.gz", write_archive(small(Compression::kGzip)).value(), 0);
        sources_.add("sources", "SHA512 (x.tar.gz) = " + std::string(128, 'a') + "\n", 0);
        SourceFile file;
        file.filename = "x.tar.gz";
        file.origin_type = "overlay";
        file.replace_upstream = true;
        file.replace_reason = "smaller";
        component_.source_files = {file};
        request_.component = &component_;
        request_.wording = &wording_;
        request_.map = &map_;
        request_.allow_no_hashes = true;
        wording_.spec_header.clear();
    }
    Overlay change(OverlayType type, std::string file, std::string regex = {}) {
        Overlay made;
        made.type = type;
        made.file = std::move(file);
        made.regex = std::move(regex);
        made.archive = "x.tar.gz";
        return made;
    }
    // What is said when it fails.
    std::string failure() {
        SourceSet copy = sources_;
        const auto done = prepare_sources(copy, request_);
        return done ? "fine" : done.error().rendered + done.error().message;
    }

    Component component_{};
    RenderWording wording_{};
    SourceMap map_{};
    RenderRequest request_{};
    SourceSet sources_{};
};

TEST_F(ArchiveOverlays, ChangeMembersBelowTheOneDirectoryAndTheSourcesLine) {
    component_.overlays = {change(OverlayType::kFileSearchReplace, "a/c", "(?m)^two$"),
                           change(OverlayType::kFileRemove, "a.*")};
    request_.keep_steps = true;
    const auto done = prepare_sources(sources_, request_);
    ASSERT_TRUE(done.has_value()) << done.error().rendered;
    const std::string bytes = sources_.read("x.tar.gz").value();
    const Archive archive = read_archive(bytes, "x").value();
    EXPECT_THAT(paths(archive), ElementsAre("x-1", "x-1/a", "x-1/a/c", "x-1/link"));
    EXPECT_EQ(archive.members.at("x-1/a/c").bytes, "one\n\n");
    EXPECT_EQ(sources_.read("sources").value(),
              "SHA512 (x.tar.gz) = " + hash_hex(HashKind::kSha512, bytes) + "\n");
    ASSERT_FALSE(done->steps.empty());
    EXPECT_EQ(done->steps.front().what, "overlays of x.tar.gz");
    ASSERT_EQ(done->steps.front().changes.size(), 2U);
    EXPECT_EQ(done->steps.front().changes[0].path, "x.tar.gz:x-1/a/c");
}

TEST_F(ArchiveOverlays, TheHashIsThatOfTheResult) {
    component_.overlays = {change(OverlayType::kFileRemove, "a.b")};
    request_.allow_no_hashes = false;
    EXPECT_THAT(failure(), HasSubstr("the source-files entry of x.tar.gz has no `hash`"));
    component_.source_files[0].hash_type = "SHA256";
    component_.source_files[0].hash = std::string(64, '0');
    const std::string said = failure();
    EXPECT_THAT(said, HasSubstr("x.tar.gz with its overlays does not have the hash said"));
    const std::string marker = "write: hash = \"";
    component_.source_files[0].hash = said.substr(said.find(marker) + marker.size(), 64);
    EXPECT_EQ(failure(), "fine");
}

TEST_F(ArchiveOverlays, WithoutTheArchiveTheyAreLeftOut) {
    component_.overlays = {change(OverlayType::kFileRemove, "a.b")};
    component_.source_files[0].hash_type = "SHA256";
    component_.source_files[0].hash = std::string(64, '0');
    request_.archives_present = false;
    sources_.remove("x.tar.gz");
    const auto done = prepare_sources(sources_, request_);
    ASSERT_TRUE(done.has_value()) << done.error().rendered;
    ASSERT_EQ(done->warnings.size(), 1U);
    EXPECT_THAT(done->warnings[0], HasSubstr("the overlays of x.tar.gz are left out"));
    EXPECT_EQ(sources_.read("sources").value(),
              "SHA256 (x.tar.gz) = " + std::string(64, '0') + "\n");
}

TEST_F(ArchiveOverlays, NeedAnEntryAnArchiveAndAMatch) {
    component_.overlays = {change(OverlayType::kFileRemove, "a.c")};
    EXPECT_THAT(failure(), HasSubstr("overlay matches nothing: file-remove in a.c of x.tar.gz"));
    EXPECT_THAT(failure(), HasSubstr("did you mean `a.b`"));
    component_.overlays = {change(OverlayType::kFileSearchReplace, "a.b", "zzz")};
    EXPECT_THAT(failure(), HasSubstr("(?m)"));
    component_.overlays = {change(OverlayType::kFileRemove, "a.b")};
    component_.overlays[0].archive = "x.zip";
    EXPECT_THAT(failure(), HasSubstr("x.zip is no archive overlays can work in"));
    component_.overlays[0].archive = "y.tar.gz";
    EXPECT_THAT(failure(), HasSubstr("y.tar.gz has no source-files entry"));
    component_.overlays[0].archive = "x.tar.gz";
    sources_.remove("x.tar.gz");
    EXPECT_THAT(failure(), HasSubstr("there is no x.tar.gz among the sources"));
    sources_.add("x.tar.gz", "junk", 0);
    EXPECT_THAT(failure(), HasSubstr("x.tar.gz is no tar archive"));
    Overlay loose = change(OverlayType::kFileRemove, "*.gz");
    loose.archive.clear();
    component_.overlays.push_back(loose);
    EXPECT_THAT(failure(), HasSubstr("x.tar.gz is changed as a file by another overlay"));
    component_.overlays.pop_back();
    component_.source_files[0].origin_type = "download";
    EXPECT_THAT(failure(), HasSubstr("has no source-files entry for what comes out"));
}

// What is meant for any file also sees the archive, as it came out of its own overlays.
TEST_F(ArchiveOverlays, StandBesideOverlaysOfAnyFile) {
    sources_.add("notes", "one\n", 0);
    Overlay any = change(OverlayType::kFileSearchReplace, "**/*", "(?m)^one$");
    any.archive.clear();
    component_.overlays = {change(OverlayType::kFileRemove, "a.b"), any};
    const auto done = prepare_sources(sources_, request_);
    ASSERT_TRUE(done.has_value()) << done.error().rendered;
    EXPECT_EQ(sources_.read("notes").value(), "\n");
    const std::string bytes = sources_.read("x.tar.gz").value();
    EXPECT_EQ(read_archive(bytes, "x").value().members.count("x-1/a.b"), 0U);
    EXPECT_EQ(sources_.read("sources").value(),
              "SHA512 (x.tar.gz) = " + hash_hex(HashKind::kSha512, bytes) + "\n");
}

}  // namespace
}  // namespace tarn
