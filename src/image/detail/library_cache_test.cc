// SPDX-License-Identifier: MIT
#include "image/detail/library_cache.hh"

#include "base/strings.hh"
#include "image/detail/bytes.hh"
#include "image/detail/fixture.hh"

#include <elf.h>

#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>

namespace tarn::image {
namespace {

using ::testing::ElementsAre;

// The smallest shared object that has a soname.
std::string library(unsigned machine, const std::string& soname) {
    const std::string strings = std::string(1, '\0') + soname + std::string(1, '\0');
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_DYN;
    header.e_machine = static_cast<Elf64_Half>(machine);
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    Elf64_Dyn dynamic[4]{};
    const std::size_t dynamic_at = sizeof header + 2 * sizeof(Elf64_Phdr);
    const std::size_t strings_at = dynamic_at + sizeof dynamic;
    dynamic[0] = {DT_STRTAB, {strings_at}};
    dynamic[1] = {DT_STRSZ, {strings.size()}};
    dynamic[2] = {DT_SONAME, {soname.empty() ? strings.size() : 1}};
    if (soname.empty()) {
        dynamic[2] = {DT_NULL, {0}};
    }
    Elf64_Phdr segments[2]{};
    segments[0].p_type = PT_LOAD;
    segments[0].p_filesz = segments[0].p_memsz = strings_at + strings.size();
    segments[1].p_type = PT_DYNAMIC;
    segments[1].p_offset = segments[1].p_vaddr = dynamic_at;
    segments[1].p_filesz = sizeof dynamic;
    std::string out(strings_at, '\0');
    std::memcpy(out.data(), &header, sizeof header);
    std::memcpy(out.data() + sizeof header, segments, sizeof segments);
    std::memcpy(out.data() + dynamic_at, dynamic, sizeof dynamic);
    return out + strings;
}

TreeEntry directory(const std::string& path) {
    TreeEntry out;
    out.path = path;
    out.kind = EntryKind::kDirectory;
    out.mode = 0755;
    return out;
}

class LibraryCache : public testing::StoreTest {
  protected:
    std::vector<TreeEntry> skeleton() {
        return {symlink("lib", "usr/lib"), directory("usr/lib"), directory("etc/ld.so.conf.d")};
    }
    TreeEntry arm(const std::string& path, const std::string& soname) {
        return file(path, library(EM_AARCH64, soname));
    }
    std::vector<std::string> found(std::vector<TreeEntry> entries) {
        std::vector<TreeEntry> all = skeleton();
        all.insert(all.end(), entries.begin(), entries.end());
        const auto libraries = find_libraries(store_, tree(all), "aarch64");
        EXPECT_TRUE(libraries.has_value());
        std::vector<std::string> out;
        for (const CachedLibrary& each : *libraries) {
            out.push_back(each.soname + " => " + each.path);
        }
        return out;
    }
};

TEST_F(LibraryCache, ReadsTheConfigurationAndWhatItIncludes) {
    std::vector<TreeEntry> entries = skeleton();
    for (const char* path : {"opt/a", "opt/b", "usr/lib/aarch64-linux-gnu"}) {
        entries.push_back(directory(path));
    }
    entries.push_back(file("etc/ld.so.conf",
                           "# first\n/opt/a/ # words\ninclude ld.so.conf.d/*.conf\nhwcap 0 x\n"
                           "include /etc/ld.so.conf\nrelative\n"));
    entries.push_back(file("etc/ld.so.conf.d/z.conf", "/usr/lib/aarch64-linux-gnu\n"));
    entries.push_back(file("etc/ld.so.conf.d/m.conf", "/lib/aarch64-linux-gnu\n/opt/b=libc6\n"));
    entries.push_back(file("etc/ld.so.conf.d/.hidden.conf", "/opt/hidden\n"));
    const auto directories = library_directories(store_, tree(entries), "aarch64");
    ASSERT_TRUE(directories.has_value());
    EXPECT_THAT(*directories, ElementsAre("/opt/a", "/lib/aarch64-linux-gnu", "/opt/b", "/lib"));
}

TEST_F(LibraryCache, TakesLibrariesOfTheArchitectureInTheLinkersOrder) {
    EXPECT_THAT(found({arm("usr/lib/libx.so.9", "libx.so.9"),
                       arm("usr/lib/libx.so.10", "libx.so.10"),
                       arm("usr/lib/libreal.so.1.2.3", "libreal.so.1"),
                       symlink("usr/lib/libreal.so.1", "libreal.so.1.2.3"),
                       symlink("usr/lib/libreal.so", "libreal.so.1"),
                       arm("usr/lib/ld-linux-aarch64.so.1", "ld-linux-aarch64.so.1"),
                       arm("usr/lib/libplain.so", ""),
                       arm("usr/lib/sub/libdeep.so.1", "libdeep.so.1"),
                       arm("usr/lib/notalib.so", "notalib.so"),
                       file("usr/lib/libscript.so", "/* GNU ld script */ GROUP(x)"),
                       file("usr/lib/libbroken.so.1", std::string("\x7f") + "ELF\2\1\1"),
                       file("usr/lib/libother.so.1", library(EM_X86_64, "libother.so.1")),
                       symlink("usr/lib/libgone.so.1", "nowhere")}),
                ElementsAre("libx.so.10 => /lib/libx.so.10",
                            "libx.so.9 => /lib/libx.so.9",
                            "libreal.so.1 => /lib/libreal.so.1",
                            "libreal.so => /lib/libreal.so",
                            "libplain.so => /lib/libplain.so",
                            "ld-linux-aarch64.so.1 => /lib/ld-linux-aarch64.so.1"));
}

TEST_F(LibraryCache, SharesTheEndsOfStrings) {
    const std::string bytes =
        library_cache({{"liba.so.1", "/lib/liba.so.1"}, {"a.so.1", "/lib/a.so.1"}}, "aarch64");
    EXPECT_EQ(bytes.substr(0, 20), "glibc-ld.so.cache1.1");
    EXPECT_EQ(take_le(bytes, 20, 4), 2U);
    const std::string strings = bytes.substr(48 + 2 * 24);
    EXPECT_EQ(take_le(bytes, 24, 4), strings.size());
    EXPECT_EQ(strings, std::string("/lib/liba.so.1\0/lib/a.so.1\0", 27));
    EXPECT_EQ(take_le(bytes, 48, 4), 0x0a03U);
    EXPECT_EQ(bytes.substr(take_le(bytes, 52, 4), 9), "liba.so.1");
    EXPECT_EQ(bytes.substr(take_le(bytes, 76, 4), 6), "a.so.1");
}

TEST_F(LibraryCache, RefusesAnArchitectureItDoesNotKnow) {
    const auto refused = find_libraries(store_, tree(skeleton()), "riscv64");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
}

// Everything but the extensions at the end, where ldconfig writes its own version, and their place.
std::string without_extensions(std::string bytes) {
    const std::size_t end =
        48 + take_le(bytes, 20, 4) * 24 + take_le(bytes, 24, 4);
    put_le(bytes, 32, 0, 4);
    return bytes.substr(0, end);
}

TEST_F(LibraryCache, IsWhatLdconfigWrites) {
    TARN_NEED_TOOL("ldconfig");
    std::vector<TreeEntry> entries = skeleton();
    const std::string root = directory_.path() + "/root";
    namespace fs = std::filesystem;
    fs::create_directories(root + "/usr/lib/x86_64-linux-gnu");
    fs::create_directories(root + "/etc/ld.so.conf.d");
    fs::create_symlink("usr/lib", root + "/lib");
    entries.push_back(directory("usr/lib/x86_64-linux-gnu"));
    const auto add = [&](const std::string& path, const std::string& bytes) {
        entries.push_back(file(path, bytes));
        ASSERT_TRUE(write_file_atomic(root + "/" + path, bytes).has_value());
    };
    const auto link = [&](const std::string& path, const std::string& target) {
        entries.push_back(symlink(path, target));
        fs::create_symlink(target, root + "/" + path);
    };
    add("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
    add("etc/ld.so.conf.d/x.conf", "/usr/local/lib\n/usr/lib/x86_64-linux-gnu\n");
    const std::string there = "usr/lib/x86_64-linux-gnu/";
    for (const char* name : {"libm.so.6", "libz.so.1.3.1", "libz.so.1.2.11", "libab-2.0.so.10.1"}) {
        const std::string text = name;
        add(there + text,
            library(EM_X86_64, text.starts_with("libz") ? "libz.so.1" : text.substr(0, 14)));
    }
    link(there + "libz.so.1", "libz.so.1.3.1");
    link(there + "libz.so", "libz.so.1");
    link(there + "libab-2.0.so", "libab-2.0.so.10.1");
    add("usr/lib/libz.so.1", library(EM_X86_64, "libz.so.1"));
    add("usr/lib/libscript.so", "/* GNU ld script */\nGROUP ( libm.so.6 )\n");
    add("usr/lib/libarm.so.1", library(EM_AARCH64, "libarm.so.1"));
    const auto ran = testing::run_tool(
        {"ldconfig", "-r", root, "-X", "-i", "-f", "/etc/ld.so.conf", "-C", "/etc/ld.so.cache"});
    ASSERT_EQ(ran.exit_code, 0) << ran.text;
    const auto libraries = find_libraries(store_, tree(entries), "x86_64");
    ASSERT_TRUE(libraries.has_value());
    EXPECT_GE(libraries->size(), 5U);
    EXPECT_EQ(library_cache(*libraries, "x86_64"),
              without_extensions(read_file(root + "/etc/ld.so.cache").value()))
        << ran.text;
}

}  // namespace
}  // namespace tarn::image
