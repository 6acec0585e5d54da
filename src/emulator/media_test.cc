// SPDX-License-Identifier: MIT
#include "emulator/media.hh"

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace tarn::emulator {
namespace {

std::vector<MediaFile> some_files() {
    std::string big;
    for (int i = 0; i < 70'000; ++i) {
        big += static_cast<char>(i * 7 % 251);
    }
    return {{"ovf-env.xml", "<Environment/>\n"},
            {"CustomData.bin", big},
            {"empty", ""},
            {"two-sectors", std::string(4096, 'x')},
            {"a-rather-long-name.of-a-file.text", "long"},
            {"a-rather-long-name.text", "long too"}};
}

// What another program finds on the medium: name -> bytes.
std::map<std::string, std::string> extracted_by_7z(const std::string& image) {
    const TempDir scratch = TempDir::make().value();
    EXPECT_TRUE(write_file_atomic(scratch.path() + "/medium", image));
    Command command;
    command.argv = {"7z", "x", "-y", "-o" + scratch.path() + "/out", scratch.path() + "/medium"};
    const auto result = run(command);
    EXPECT_TRUE(result && result->exit_code == 0) << (result ? result->output : "no 7z");
    std::map<std::string, std::string> found;
    for (const std::string& name :
         list_directory(scratch.path() + "/out").value_or(std::vector<std::string>())) {
        found[name] = read_file(scratch.path() + "/out/" + name).value_or("?");
    }
    return found;
}

std::map<std::string, std::string> as_map(const std::vector<MediaFile>& files) {
    std::map<std::string, std::string> map;
    for (const MediaFile& file : files) {
        map[file.name] = file.bytes;
    }
    return map;
}

TEST(Udf, AnotherProgramReadsWhatWasWritten) {
    if (!find_program("7z")) {
        GTEST_SKIP() << "7z is not installed";
    }
    const auto image = udf_image("medium", some_files());
    ASSERT_TRUE(image);
    EXPECT_EQ(extracted_by_7z(*image), as_map(some_files()));
}

TEST(Udf, UdftoolsFindNothingWrong) {
    if (!find_program("udfinfo")) {
        GTEST_SKIP() << "udfinfo (udftools) is not installed";
    }
    const TempDir scratch = TempDir::make().value();
    const std::string path = scratch.path() + "/medium";
    ASSERT_TRUE(write_file_atomic(path, udf_image("rd_rdfe_stable", some_files()).value()));
    Command command;
    command.argv = {"udfinfo", path};
    command.merge_error = true;
    const auto result = run(command);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->exit_code, 0);
    for (const char* line : {"label=rd_rdfe_stable",
                             "udfrev=1.02",
                             "blocksize=2048",
                             "numfiles=6",
                             "numdirs=1",
                             "integrity=closed",
                             "accesstype=readonly"}) {
        EXPECT_TRUE(contains(result->output, line)) << line << " is missing in\n" << result->output;
    }
    EXPECT_FALSE(contains(result->output, "arning")) << result->output;
    EXPECT_FALSE(contains(result->output, "rror")) << result->output;
}

std::map<std::string, std::string> read_by_libarchive(const std::string& image,
                                                      const char* options) {
    std::map<std::string, std::string> found;
    archive* reader = archive_read_new();
    archive_read_support_format_iso9660(reader);
    EXPECT_EQ(archive_read_set_options(reader, options), ARCHIVE_OK);
    EXPECT_EQ(archive_read_open_memory(reader, image.data(), image.size()), ARCHIVE_OK);
    archive_entry* entry = nullptr;
    int code = ARCHIVE_OK;
    while ((code = archive_read_next_header(reader, &entry)) == ARCHIVE_OK) {
        if (archive_entry_filetype(entry) != AE_IFREG) {
            continue;
        }
        std::string bytes(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
        EXPECT_EQ(archive_read_data(reader, bytes.data(), bytes.size()),
                  static_cast<la_ssize_t>(bytes.size()));
        found[archive_entry_pathname(entry)] = bytes;
    }
    EXPECT_EQ(code, ARCHIVE_EOF) << archive_error_string(reader);
    archive_read_free(reader);
    return found;
}

TEST(Iso, LibarchiveReadsItByEachKindOfName) {
    const auto image = iso_image("medium", some_files());
    ASSERT_TRUE(image);
    EXPECT_EQ(read_by_libarchive(*image, "iso9660:!joliet"), as_map(some_files()));
    EXPECT_EQ(read_by_libarchive(*image, "iso9660:!rockridge"), as_map(some_files()));
    const auto plain = read_by_libarchive(*image, "iso9660:!joliet,!rockridge");
    EXPECT_EQ(plain.size(), some_files().size());
    EXPECT_TRUE(plain.contains("OVF_ENV.XML")) << plain.begin()->first;
}

TEST(Iso, IsoinfoFindsTheLabel) {
    if (!find_program("isoinfo")) {
        GTEST_SKIP() << "isoinfo (genisoimage) is not installed";
    }
    const TempDir scratch = TempDir::make().value();
    const std::string path = scratch.path() + "/medium";
    ASSERT_TRUE(write_file_atomic(path, iso_image("cidata", some_files()).value()));
    Command command;
    command.argv = {"isoinfo", "-d", "-i", path};
    const auto result = run(command);
    ASSERT_TRUE(result);
    EXPECT_TRUE(contains(result->output, "Volume id: cidata")) << result->output;
    EXPECT_TRUE(contains(result->output, "Joliet with UCS level 3 found")) << result->output;
    EXPECT_TRUE(contains(result->output, "Rock Ridge signatures")) << result->output;
}

TEST(Media, SameBytesEveryTime) {
    EXPECT_EQ(udf_image("m", some_files()).value(), udf_image("m", some_files()).value());
    EXPECT_EQ(iso_image("m", some_files()).value(), iso_image("m", some_files()).value());
}

TEST(Media, RefusesWhatItCannotHold) {
    for (const auto& write : {udf_image, iso_image}) {
        EXPECT_FALSE(write("", {}));
        EXPECT_FALSE(write("a label that is too long", {}));
        EXPECT_FALSE(write("m", {{"../x", ""}}));
        EXPECT_FALSE(write("m", {{"a/b", ""}}));
        EXPECT_FALSE(write("m", {{"", ""}}));
        EXPECT_FALSE(write("m", {{"x", ""}, {"x", ""}}));
        EXPECT_FALSE(write("m", {{std::string(65, 'n'), ""}}));
        std::vector<MediaFile> many;
        for (int i = 0; i < 200; ++i) {
            many.push_back({fmt::format("file-{}", i), ""});
        }
        EXPECT_FALSE(write("m", many));
        EXPECT_TRUE(write("m", {}));
    }
}

TEST(Ovf, SaysWhatTheInstanceIsAndEscapesIt) {
    Instance instance;
    instance.name = "web_3";
    instance.password = "a<b&c>";
    instance.ssh_keys = {"ssh-ed25519 AAAA ops"};
    instance.custom_data = "#!/bin/sh\n";
    complete(instance, 0);
    const std::string text = ovf_environment(instance);
    EXPECT_TRUE(contains(text, "<HostName>web-3</HostName>")) << text;
    EXPECT_TRUE(contains(text, "<UserPassword>a&lt;b&amp;c&gt;</UserPassword>"));
    EXPECT_TRUE(contains(text, "<Value>ssh-ed25519 AAAA ops</Value>"));
    EXPECT_TRUE(contains(text, "<CustomData>IyEvYmluL3NoCg==</CustomData>"));
    EXPECT_TRUE(contains(text, "<DisableSshPasswordAuthentication>true<"));
    ASSERT_EQ(azure_files(instance).size(), 2U);
    EXPECT_EQ(azure_files(instance)[1].bytes, instance.custom_data);
    instance.media = MediaKind::kNone;
    EXPECT_FALSE(azure_medium(instance, instance.media));
}

TEST(NoCloud, SeedHasAnIdAndAConfiguration) {
    Instance instance;
    instance.name = "a\"b";
    instance.ssh_keys = {"ssh-ed25519 AAAA"};
    complete(instance, 0);
    const auto files = nocloud_files(instance);
    ASSERT_EQ(files.size(), 2U);
    EXPECT_TRUE(contains(files[0].bytes, "instance-id: \"" + instance.vm_id + "\"\n"));
    EXPECT_TRUE(contains(files[0].bytes, "local-hostname: \"a-b\"\n"));
    EXPECT_TRUE(files[1].bytes.starts_with("#cloud-config\n"));
    instance.user_data = "#!/bin/sh\n";
    EXPECT_EQ(nocloud_files(instance)[1].bytes, "#!/bin/sh\n");
}

}  // namespace
}  // namespace tarn::emulator
