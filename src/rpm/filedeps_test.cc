// SPDX-License-Identifier: MIT
#include "rpm/filedeps.hh"

#include "base/process.hh"
#include "base/strings.hh"
#include "rpm/elf.hh"
#include "rpm/detail/textdeps.hh"
#include "rpm/test_package.hh"

#include <elf.h>

#include <cstring>

namespace tarn::rpm {
namespace {

// A shared object with nothing in it but its dynamic segment: libx.so.1, version X_1, that needs
// Y_2 of liby.so.2.
class SharedObject {
  public:
    bool pie = false, with_hash = false, with_soname = true;

    std::string build() {
        bytes_.assign(sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr), '\0');
        const std::uint64_t soname = name("libx.so.1"), version = name("X_1"),
                            library = name("liby.so.2"), needed = name("Y_2");
        Elf64_Verdef definitions[2]{};
        Elf64_Verdaux names[2]{};
        for (int i = 0; i < 2; ++i) {
            definitions[i].vd_version = 1;
            definitions[i].vd_cnt = 1;
            const std::size_t index = static_cast<std::size_t>(i);
            definitions[i].vd_aux = static_cast<Elf64_Word>(
                sizeof definitions - index * sizeof(Elf64_Verdef) + index * sizeof(Elf64_Verdaux));
        }
        definitions[0].vd_flags = VER_FLG_BASE;
        definitions[0].vd_next = sizeof(Elf64_Verdef);
        names[0].vda_name = static_cast<Elf64_Word>(soname);
        names[1].vda_name = static_cast<Elf64_Word>(version);
        const std::uint64_t definition_at = append(&definitions, sizeof definitions);
        append(&names, sizeof names);
        Elf64_Verneed need{};
        need.vn_cnt = 1;
        need.vn_file = static_cast<Elf64_Word>(library);
        need.vn_aux = sizeof need;
        Elf64_Vernaux needed_version{};
        needed_version.vna_name = static_cast<Elf64_Word>(needed);
        const std::uint64_t need_at = append(&need, sizeof need);
        append(&needed_version, sizeof needed_version);
        const std::uint64_t strings_at = append(strings_.data(), strings_.size());

        std::vector<Elf64_Dyn> dynamic;
        const auto add = [&dynamic](std::int64_t tag, std::uint64_t value) {
            dynamic.push_back({tag, {value}});
        };
        if (with_soname) {
            add(DT_SONAME, soname);
        }
        add(DT_NEEDED, library);
        add(DT_GNU_HASH, 0);
        if (with_hash) {
            add(DT_HASH, 0);
        }
        if (pie) {
            add(DT_FLAGS_1, DF_1_PIE);
        }
        add(DT_STRTAB, strings_at);
        add(DT_STRSZ, strings_.size());
        add(DT_VERDEF, definition_at);
        add(DT_VERDEFNUM, 2);
        add(DT_VERNEED, need_at);
        add(DT_VERNEEDNUM, 1);
        add(DT_NULL, 0);
        const std::uint64_t size = dynamic.size() * sizeof(Elf64_Dyn);
        const std::uint64_t dynamic_at = append(dynamic.data(), size);
        finish(dynamic_at, size);
        return bytes_;
    }

  private:
    std::uint64_t name(const char* text) {
        const std::uint64_t at = strings_.size();
        strings_.append(text).push_back('\0');
        return at;
    }
    std::uint64_t append(const void* data, std::size_t size) {
        const std::uint64_t at = bytes_.size();
        bytes_.append(static_cast<const char*>(data), size);
        return at;
    }
    void finish(std::uint64_t dynamic_at, std::uint64_t dynamic_size) {
        Elf64_Ehdr header{};
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_type = ET_DYN;
        header.e_phoff = sizeof header;
        header.e_phnum = 2;
        header.e_phentsize = sizeof(Elf64_Phdr);
        Elf64_Phdr segments[2]{};
        segments[0].p_type = PT_LOAD;
        segments[0].p_filesz = bytes_.size();
        segments[1].p_type = PT_DYNAMIC;
        segments[1].p_offset = dynamic_at;
        segments[1].p_filesz = dynamic_size;
        std::memcpy(bytes_.data(), &header, sizeof header);
        std::memcpy(bytes_.data() + sizeof header, &segments, sizeof segments);
    }
    std::string bytes_;
    std::string strings_ = std::string(1, '\0');
};

class FileDependenciesTest : public PackageTest {
  protected:
    FileDependencies of(std::vector<TreeEntry> entries) {
        return *file_dependencies(store_, *Tree::make(std::move(entries)), warnings_);
    }
    static std::string words(const std::vector<Dependency>& list) {
        std::vector<std::string> texts;
        for (const Dependency& dependency : list) {
            texts.push_back(dependency.to_string());
        }
        return join(texts, ", ");
    }
    std::vector<std::string> warnings_;
};

TEST_F(FileDependenciesTest, LibraryGivesSonameAndVersionsAndNeedsOthers) {
    const auto found = of({file("usr/lib/libx.so.1.0", SharedObject().build())});
    EXPECT_EQ(words(found.provides), "libx.so.1()(64bit), libx.so.1(X_1)(64bit)");
    EXPECT_EQ(words(found.requires_), "liby.so.2()(64bit), liby.so.2(Y_2)(64bit), rtld(GNU_HASH)");
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(FileDependenciesTest, OldHashNeedsNoNewLoader) {
    SharedObject object;
    object.with_hash = true;
    EXPECT_EQ(words(of({file("usr/lib/libx.so.1", object.build())}).requires_),
              "liby.so.2()(64bit), liby.so.2(Y_2)(64bit)");
}

TEST_F(FileDependenciesTest, LibraryWithoutSonameGoesByItsFileName) {
    SharedObject object;
    object.with_soname = false;
    EXPECT_TRUE(contains(words(of({file("usr/lib/libplain.so", object.build())}).provides),
                         "libplain.so()(64bit)"));
    EXPECT_FALSE(
        contains(words(of({file("usr/lib/m/_module.so", object.build())}).provides), "_module"));
}

TEST_F(FileDependenciesTest, ExecutableOnlyNeeds) {
    SharedObject object;
    object.pie = true;
    const auto found = of({file("usr/bin/x", object.build(), 0755)});
    EXPECT_FALSE(contains(words(found.provides), "libx.so.1()"));
    EXPECT_TRUE(contains(words(found.requires_), "liby.so.2()(64bit)"));
}

TEST_F(FileDependenciesTest, DataAndDebugFilesGiveNone) {
    const std::string object = SharedObject().build();
    const auto found = of({file("usr/share/x.bin", object),
                           file("usr/lib/debug/libx.so", object),
                           file("usr/bin/x.debug", object, 0755)});
    EXPECT_TRUE(found.provides.empty());
    EXPECT_TRUE(found.requires_.empty());
}

TEST_F(FileDependenciesTest, MalformedElfGivesOneWarning) {
    const auto found = of({file("usr/lib/libx.so", SharedObject().build().substr(0, 200))});
    EXPECT_TRUE(found.provides.empty());
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_TRUE(warnings_[0].starts_with("/usr/lib/libx.so: malformed ELF file"));
}

TEST_F(FileDependenciesTest, ScriptsNeedTheirInterpreter) {
    EXPECT_EQ(words(of({file("usr/bin/s", "#!/bin/sh -e\n", 0755),
                        file("usr/bin/p", "#! /usr/bin/env -S python3 -I\n", 0755),
                        file("usr/share/not-executable", "#!/usr/bin/tcl\n")})
                        .requires_),
              "/usr/bin/python3, /usr/bin/sh");
}

TEST_F(FileDependenciesTest, PkgConfigFilesBothWays) {
    const auto found = of({file("usr/lib/pkgconfig/x.pc",
                                "base=1\nv=${base}.2\nName: x\nVersion: ${v}\n"
                                "Requires: y >= ${base}, z\nRequires.private: w<3 # why\n")});
    EXPECT_EQ(words(found.provides), "pkgconfig(x) = 1.2");
    EXPECT_EQ(words(found.requires_), "pkgconfig(w) < 3, pkgconfig(y) >= 1, pkgconfig(z)");
}

TEST_F(FileDependenciesTest, SysusersGiveTheirAccounts) {
    const auto found = of({file("usr/lib/sysusers.d/a.conf",
                                "# comment\ng mail 8\nu chrony - \"NTP\" /\nu x 5:mail\nm a b\n"
                                "u %b -\n")});
    EXPECT_EQ(words(found.provides), "group(chrony), group(mail), user(chrony), user(x)");
}

TEST_F(FileDependenciesTest, PythonDistributionsAndAbi) {
    const auto found =
        of({file("usr/lib/python3.14/site-packages/Foo_Bar-1.0.dist-info/METADATA",
                 "Metadata-Version: 2.1\nName: Foo._Bar\nVersion: 1.0rc1\n\nName: no\n"),
            file("usr/lib/python3.14/site-packages/foo.py", "x = 1\n"),
            file("usr/bin/python3.14", "x", 0755)});
    EXPECT_EQ(words(found.provides),
              "python(abi) = 3.14, python3.14dist(foo-bar) = 1~rc1, python3dist(foo-bar) = 1~rc1");
    EXPECT_EQ(words(found.requires_), "python(abi) = 3.14");
}

TEST_F(FileDependenciesTest, RpmsOwnGeneratorAgreesOnThisProgram) {
    const std::string tool = "/usr/lib/rpm/elfdeps";
    if (!path_exists(tool)) {
        GTEST_SKIP() << tool << " is not installed";
    }
    const std::string program = *read_symlink("/proc/self/exe");
    const TreeEntry self = file("usr/bin/self", *read_file(program), 0755);
    Command command;
    command.argv = {tool, "-R", program};
    const std::string output = run(command)->output;
    std::vector<Dependency> expected;
    for (const std::string_view line : split_lines(output)) {
        expected.push_back(Dependency::parse(line));
    }
    std::sort(expected.begin(), expected.end());
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    EXPECT_EQ(words(of({self}).requires_), words(expected));
}

TEST(Elf, DamageNeverLeadsOutside) {
    const std::string good = SharedObject().build();
    for (std::size_t size = 0; size < good.size(); ++size) {
        static_cast<void>(read_elf(std::string_view(good).substr(0, size)));
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const int bit : {0, 3, 7}) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
            const auto elf = read_elf(bad);
            EXPECT_TRUE(elf || elf.error().kind == ErrorKind::kCorrupt);
        }
    }
}

TEST(PkgConfig, VariablesThatNameThemselvesEnd) {
    EXPECT_EQ(read_pkg_config("a=${a}${a}\nb=${b}\nVersion: ${a}${b}1\n").version, "1");
    std::string bomb = "v0=xxxxxxxx\ne0=\n";
    for (int i = 1; i < 40; ++i) {
        bomb += fmt::format("v{0}=${{v{1}}}${{v{1}}}\ne{0}=${{e{1}}}${{e{1}}}\n", i, i - 1);
    }
    EXPECT_LE(read_pkg_config(bomb + "Version: ${v39}${e39}\n").version.size(), 4096U);
}

TEST(Script, OddFirstLines) {
    EXPECT_EQ(script_interpreter("#!/sbin/x"), "/usr/sbin/x");
    EXPECT_EQ(script_interpreter("#!/usr/bin/env A=b perl"), "/usr/bin/perl");
    EXPECT_EQ(script_interpreter("#!/usr/bin/env"), std::nullopt);
    EXPECT_EQ(script_interpreter("#!relative"), std::nullopt);
    EXPECT_EQ(script_interpreter("#!"), std::nullopt);
    EXPECT_EQ(script_interpreter("#!/bin/\x01"), std::nullopt);
}

}  // namespace
}  // namespace tarn::rpm
