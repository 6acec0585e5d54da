// SPDX-License-Identifier: MIT
#include "rpm/package.hh"

#include "base/process.hh"
#include "base/strings.hh"
#include "rpm/test_package.hh"

#include <algorithm>

namespace tarn::rpm {
namespace {

// Permitted and effective cap_net_raw (13), revision 2.
const std::string kNetRaw("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);

class Package : public PackageTest {
  protected:
    // Something of every kind.
    std::vector<TreeEntry> everything() {
        TreeEntry capable = file("usr/bin/ping", "ping", 0755);
        capable.xattrs["security.capability"] = kNetRaw;
        TreeEntry owned = file("var/lib/x/state", "owned", 04711);
        owned.user = "games";
        owned.group = "mail";
        TreeEntry first = file("usr/bin/a", "linked");
        TreeEntry second = first;
        second.path = "usr/bin/b";
        second.hardlink = "usr/bin/a";
        TreeEntry device = other("dev/null", EntryKind::kCharDevice, 0666);
        device.device_major = 1;
        device.device_minor = 3;
        return {capable,
                owned,
                first,
                second,
                device,
                file("etc/empty.conf", ""),
                file("usr/share/x y/\xc3\xa4", "odd name"),
                link("usr/bin/link", "../lib/x"),
                other("usr/share/x y", EntryKind::kDirectory, 02775),
                other("run/pipe", EntryKind::kFifo, 0600)};
    }
};

TEST_F(Package, PayloadTreeIsTheTreeThatWasWritten) {
    const Tree tree = *Tree::make(everything());
    const Digest rpm = *write_package(store_, meta(), tree, {}, {});
    const auto unpacked = payload_tree(store_, rpm);
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    EXPECT_EQ(unpacked->serialize(), tree.serialize());
}

TEST_F(Package, HeaderSaysWhatWasDeclared) {
    PackageMeta written = meta();
    written.nevra.evr.epoch = 7;
    written.vendor = "V";
    written.group = "G";
    written.packager = "P";
    written.distribution = "D";
    written.requires_ = {Dependency::parse("b >= 2"), Dependency::parse("a")};
    written.recommends = {Dependency::parse("c")};
    written.obsoletes = {Dependency::parse("old < 1")};
    written.changelog = {{1'700'000'000, "A <a@example.org> - 1.2-3", "- first"}};
    const PackageInfo info =
        *read_package(store_, write(written, everything(), {{"etc/empty.conf", kFileConfig}}));
    EXPECT_EQ(info.meta.nevra.to_string(), "sample-7:1.2-3.tn1.x86_64");
    EXPECT_EQ(info.meta.summary, written.summary);
    EXPECT_EQ(info.meta.description, written.description);
    EXPECT_EQ(info.meta.url, written.url);
    EXPECT_EQ(info.meta.source_rpm, written.source_rpm);
    EXPECT_EQ(info.meta.build_time, written.build_time);
    EXPECT_EQ(info.meta.vendor + info.meta.group + info.meta.packager + info.meta.distribution,
              "VGPD");
    EXPECT_EQ(info.meta.recommends, written.recommends);
    EXPECT_EQ(info.meta.obsoletes, written.obsoletes);
    ASSERT_EQ(info.meta.changelog.size(), 1U);
    EXPECT_EQ(info.meta.changelog[0].text, "- first");
    EXPECT_FALSE(info.is_source);
    EXPECT_EQ(info.files.size(), 10U);
    const auto config = std::find_if(info.files.begin(), info.files.end(), [](const auto& f) {
        return f.entry.path == "etc/empty.conf";
    });
    EXPECT_EQ(config->flags, kFileConfig);
    EXPECT_EQ(config->digest_hex, sha256_hex(""));
    // ping, state, the linked file once, the name of the link, the odd one
    EXPECT_EQ(info.installed_size, 4U + 5U + 6U + 8U + 8U);
}

TEST_F(Package, ProvidesItselfAndNeedsWhatItUses) {
    PackageMeta written = meta();
    written.nevra.evr.version = "1~rc1";
    written.requires_ = {Dependency::parse("(a or b)"), Dependency::parse("z < 1^post")};
    const PackageInfo info = *read_package(store_, write(written, everything()));
    std::vector<std::string> provides, needs;
    for (const Dependency& dependency : info.meta.provides) {
        provides.push_back(dependency.to_string());
    }
    for (const Dependency& dependency : info.meta.requires_) {
        needs.push_back(dependency.to_string());
    }
    EXPECT_EQ(provides,
              (std::vector<std::string>{"sample = 1~rc1-3.tn1", "sample(x86-64) = 1~rc1-3.tn1"}));
    EXPECT_EQ(needs,
              (std::vector<std::string>{"(a or b)",
                                        "rpmlib(CaretInVersions) <= 4.15.0-1",
                                        "rpmlib(CompressedFileNames) <= 3.0.4-1",
                                        "rpmlib(FileCaps) <= 4.6.1-1",
                                        "rpmlib(FileDigests) <= 4.6.0-1",
                                        "rpmlib(PayloadFilesHavePrefix) <= 4.0-1",
                                        "rpmlib(PayloadIsZstd) <= 5.4.18-1",
                                        "rpmlib(RichDependencies) <= 4.12.0-1",
                                        "rpmlib(TildeInVersions) <= 4.10.0-1",
                                        "z < 1^post"}));
}

TEST_F(Package, SameInputSameBytes) {
    const Tree tree = *Tree::make(everything());
    const Store second = *Store::open(temp_.path() + "/second");
    for (const TreeEntry& entry : tree.entries()) {
        if (entry.kind == EntryKind::kFile) {
            ASSERT_TRUE(second.put(*store_.read(entry.content)));
        }
    }
    PackageMeta one = meta();
    one.requires_ = {Dependency::parse("a"), Dependency::parse("b"), Dependency::parse("a")};
    PackageMeta two = meta();
    two.requires_ = {Dependency::parse("b"), Dependency::parse("a")};
    EXPECT_EQ(*write_package(store_, one, tree, {}, {}), *write_package(second, two, tree, {}, {}));
}

TEST_F(Package, EmptyPackageIsAPackage) {
    const Digest rpm = write(meta(), {});
    EXPECT_TRUE(payload_tree(store_, rpm)->empty());
    EXPECT_EQ(read_package(store_, rpm)->installed_size, 0U);
}

TEST_F(Package, GhostsAreListedButNotCarried) {
    const Digest rpm =
        write(meta(), {file("var/log/x", "gone"), file("etc/x", "x")}, {{"var/log/x", kFileGhost}});
    EXPECT_EQ(read_package(store_, rpm)->files.size(), 2U);
    const Tree tree = *payload_tree(store_, rpm);
    ASSERT_EQ(tree.entries().size(), 1U);
    EXPECT_EQ(tree.entries()[0].path, "etc/x");
}

TEST_F(Package, OwnerWithoutNameIsRefused) {
    TreeEntry entry = file("etc/x", "x");
    entry.user.clear();
    entry.uid = 33;
    const auto rpm = write_package(store_, meta(), *Tree::make({entry}), {}, {});
    ASSERT_FALSE(rpm);
    EXPECT_TRUE(contains(rpm.error().message, "/etc/x belongs to 33:0"));
}

TEST_F(Package, AttributesAHeaderCannotHoldAreRefused) {
    TreeEntry entry = file("etc/x", "x");
    entry.xattrs["user.note"] = "n";
    EXPECT_FALSE(write_package(store_, meta(), *Tree::make({entry}), {}, {}));
    entry.xattrs = {{"security.capability", "noise"}};
    EXPECT_FALSE(write_package(store_, meta(), *Tree::make({entry}), {}, {}));
}

TEST_F(Package, NamesThatBreakAFileNameAreRefused) {
    for (const char* version : {"", "1-2", "1/2", "1 2"}) {
        PackageMeta bad = meta();
        bad.nevra.evr.version = version;
        EXPECT_FALSE(write_package(store_, bad, *Tree::make({}), {}, {})) << version;
    }
}

TEST_F(Package, MissingBlobLeavesNothingBehind) {
    TreeEntry entry = file("etc/x", "x");
    entry.content = Digest::of("never stored");
    EXPECT_FALSE(write_package(store_, meta(), *Tree::make({entry}), {}, {}));
    EXPECT_TRUE(list_directory(store_.temporary_directory())->empty());
}

TEST_F(Package, RememberedTreeIsNotUnpackedAgain) {
    const Digest rpm = write(meta(), {file("etc/x", "x")});
    const Tree known = *Tree::make({file("etc/remembered", "y")});
    ASSERT_TRUE(remember_payload_tree(store_, rpm, known));
    EXPECT_EQ(payload_tree(store_, rpm)->digest(), known.digest());
}

TEST_F(Package, EveryTruncationIsRefused) {
    const std::string bytes = *store_.read(write(meta(), {file("etc/x", "some text")}));
    const PackageInfo info = *read_package(bytes, "p");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::string_view part = std::string_view(bytes).substr(0, size);
        if (size < info.header_end) {
            ASSERT_FALSE(read_package(part, "p")) << size;
        } else {
            const Digest rpm = *store_.put(part);
            const auto tree = payload_tree(store_, rpm);
            ASSERT_FALSE(tree) << size;
            ASSERT_EQ(tree.error().kind, ErrorKind::kCorrupt);
        }
    }
}

TEST_F(Package, PathsThatLeaveTheRootAreRefused) {
    const std::string good = *store_.read(write(meta(), {file("etc/x", "x")}));
    for (const char* directory : {"/../", "/etc/../../", "//a/../../"}) {
        const std::string bad = with_header(
            good, [&](HeaderValue& header) { header.put_strings(RPMTAG_DIRNAMES, {directory}); });
        const auto info = read_package(bad, "evil.rpm");
        ASSERT_FALSE(info) << directory;
        EXPECT_TRUE(contains(info.error().message, "unsafe path")) << info.error().message;
    }
}

TEST_F(Package, MalformedFileListsAreRefused) {
    const std::string good = *store_.read(write(meta(), {file("etc/x", "x")}));
    const std::vector<std::function<void(HeaderValue&)>> changes{
        [](HeaderValue& h) { h.put_u32(RPMTAG_DIRINDEXES, {7}); },
        [](HeaderValue& h) { h.put_u32(RPMTAG_FILEFLAGS, {0, 0}); },
        [](HeaderValue& h) { h.remove(RPMTAG_FILEMODES); },
        [](HeaderValue& h) { h.put_u16(RPMTAG_FILEMODES, {0}); },
        [](HeaderValue& h) { h.put_strings(RPMTAG_FILEDIGESTS, {"abc"}); },
        [](HeaderValue& h) { h.put_u32(RPMTAG_FILEDIGESTALGO, {1}); },
        [](HeaderValue& h) { h.put_strings(RPMTAG_FILECAPS, {"cap_no_such=ep"}); },
        [](HeaderValue& h) { h.put_strings(RPMTAG_PROVIDEVERSION, {"1"}); },
        [](HeaderValue& h) { h.remove(RPMTAG_NAME); },
        [](HeaderValue& h) { h.put_string(RPMTAG_VERSION, "../../x"); }};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto info = read_package(with_header(good, changes[i]), "bad.rpm");
        ASSERT_FALSE(info) << i;
        EXPECT_EQ(info.error().kind, ErrorKind::kCorrupt);
    }
}

TEST_F(Package, PayloadThatIsNotWhatTheHeaderSaysIsRefused) {
    const std::string good = *store_.read(write(meta(), {file("etc/x", "x"), link("etc/y", "x")}));
    const std::vector<std::function<void(HeaderValue&)>> changes{
        [](HeaderValue& h) { h.put_strings(RPMTAG_BASENAMES, {"x", "z"}); },
        [](HeaderValue& h) { h.put_strings(RPMTAG_FILEDIGESTS, {sha256_hex("y"), ""}); },
        [](HeaderValue& h) { h.put_strings(RPMTAG_FILELINKTOS, {"", "elsewhere"}); },
        [](HeaderValue& h) { h.put_string(RPMTAG_PAYLOADCOMPRESSOR, "xz"); },
        [](HeaderValue& h) { h.put_string(RPMTAG_PAYLOADCOMPRESSOR, "arj"); }};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto tree = payload_tree(store_, *store_.put(with_header(good, changes[i])));
        ASSERT_FALSE(tree) << i;
    }
}

TEST_F(Package, RpmItselfAgrees) {
    if (!find_program("rpm") || !find_program("rpmkeys")) {
        GTEST_SKIP() << "rpm is not installed";
    }
    const std::string path = temp_.path() + "/sample.rpm";
    ASSERT_TRUE(write_file_atomic(path, *store_.read(write(meta(), everything()))));
    Command check;
    check.argv = {"rpmkeys", "--dbpath", temp_.path(), "--checksig", "--nosignature", path};
    EXPECT_EQ(run(check)->output, path + ": digests OK\n");
    Command query;
    query.argv = {"rpm",
                  "--dbpath",
                  temp_.path(),
                  "-qp",
                  "--nosignature",
                  "--qf",
                  "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILENLINKS} %{FILENAMES} %{FILECAPS}\n]",
                  path};
    EXPECT_EQ(run(query)->output,
              "crw-rw-rw- root 1 /dev/null \n"
              "-rw-r--r-- root 1 /etc/empty.conf \n"
              "prw------- root 1 /run/pipe \n"
              "-rw-r--r-- root 2 /usr/bin/a \n"
              "-rw-r--r-- root 2 /usr/bin/b \n"
              "lrwxrwxrwx root 1 /usr/bin/link \n"
              "-rwxr-xr-x root 1 /usr/bin/ping cap_net_raw=ep\n"
              "drwxrwsr-x root 1 /usr/share/x y \n"
              "-rw-r--r-- root 1 /usr/share/x y/\xc3\xa4 \n"
              "-rws--x--x games 1 /var/lib/x/state \n");
}

}  // namespace
}  // namespace tarn::rpm
