// SPDX-License-Identifier: MIT
#include "base/process.hh"
#include "base/strings.hh"
#include "rpm/detail/rich.hh"
#include "rpm/test_package.hh"

#include <sqlite3.h>

namespace tarn::rpm {
namespace {

constexpr std::int64_t kTime = 1'720'000'000;

class Rpmdb : public PackageTest {
  protected:
    std::vector<Digest> two_packages() {
        PackageMeta first = meta("alpha");
        first.requires_ = {Dependency::parse("libc.so.6()(64bit)"), Dependency::parse("(x if y)")};
        first.group = "Tools";
        PackageMeta second = meta("beta");
        second.supplements = {Dependency::parse("alpha")};
        return {write(first, {file("usr/bin/alpha", "a", 0755), link("usr/bin/a", "alpha")}),
                *sign_package(store_, write(second, {file("etc/beta", "b")}), key(), kTime)};
    }

    // Rows as "a|b|c" of a query on the database written out.
    std::vector<std::string> query(const std::string& bytes, const std::string& sql) {
        const std::string path = temp_.path() + "/rpmdb.sqlite";
        EXPECT_TRUE(write_file_atomic(path, bytes));
        sqlite3* database = nullptr;
        EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
        std::vector<std::string> rows;
        const auto collect = [](void* data, int count, char** values, char**) {
            std::vector<std::string> row;
            for (int i = 0; i < count; ++i) {
                row.emplace_back(values[i] == nullptr ? "NULL" : values[i]);
            }
            static_cast<std::vector<std::string>*>(data)->push_back(join(row, "|"));
            return 0;
        };
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), collect, &rows, nullptr), SQLITE_OK);
        sqlite3_close(database);
        return rows;
    }
};

using Rows = std::vector<std::string>;

TEST_F(Rpmdb, SameInputSameBytes) {
    const auto rpms = two_packages();
    EXPECT_EQ(*make_rpmdb(store_, rpms, kTime), *make_rpmdb(store_, rpms, kTime));
    EXPECT_NE(*make_rpmdb(store_, rpms, kTime), *make_rpmdb(store_, rpms, kTime + 1));
}

TEST_F(Rpmdb, IsSoundAndListsEveryPackage) {
    const std::string bytes = *make_rpmdb(store_, two_packages(), kTime);
    EXPECT_EQ(query(bytes, "PRAGMA integrity_check"), Rows{"ok"});
    EXPECT_EQ(query(bytes, "PRAGMA foreign_key_check"), Rows{});
    EXPECT_EQ(query(bytes, "SELECT key, hnum, idx FROM Name ORDER BY hnum"),
              (Rows{"alpha|1|0", "beta|2|0"}));
    EXPECT_EQ(query(bytes, "SELECT seq FROM sqlite_sequence WHERE name = 'Packages'"), Rows{"2"});
}

TEST_F(Rpmdb, IndexesFindFilesGroupsAndDependencies) {
    const std::string bytes = *make_rpmdb(store_, two_packages(), kTime);
    EXPECT_EQ(query(bytes, "SELECT key, hnum, idx FROM Basenames ORDER BY hnum, idx"),
              (Rows{"a|1|0", "alpha|1|1", "beta|2|0"}));
    EXPECT_EQ(query(bytes, "SELECT key, hnum, idx FROM Dirnames ORDER BY hnum"),
              (Rows{"/usr/bin/|1|0", "/etc/|2|0"}));
    EXPECT_EQ(query(bytes, "SELECT key FROM \"Group\" ORDER BY hnum"),
              (Rows{"Tools", "Unspecified"}));
    EXPECT_EQ(query(bytes, "SELECT key, idx FROM Requirename WHERE hnum = 1 ORDER BY idx, rowid"),
              (Rows{"(x if y)|0", "x|0", "!y|0", "libc.so.6()(64bit)|1"}));
    EXPECT_EQ(query(bytes, "SELECT key, hnum FROM Supplementname"), Rows{"alpha|2"});
    EXPECT_EQ(query(bytes, "SELECT DISTINCT hex(key) FROM Installtid"), Rows{"001E8566"});
}

TEST_F(Rpmdb, WithoutPackagesItIsEmpty) {
    const std::string bytes = *make_rpmdb(store_, {}, kTime);
    EXPECT_EQ(query(bytes, "SELECT count(*) FROM Packages"), Rows{"0"});
}

TEST_F(Rpmdb, DamagedPackagesAreRefused) {
    EXPECT_EQ(make_rpmdb(store_, {*store_.put("noise")}, kTime).error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(make_rpmdb(store_, {Digest::of("absent")}, kTime).error().kind, ErrorKind::kNotFound);
}

TEST_F(Rpmdb, RpmItselfAgrees) {
    if (!find_program("rpm")) {
        GTEST_SKIP() << "rpm is not installed";
    }
    const std::string database = temp_.path() + "/db";
    ASSERT_TRUE(make_directories(database));
    ASSERT_TRUE(
        write_file_atomic(database + "/rpmdb.sqlite", *make_rpmdb(store_, two_packages(), kTime)));
    const auto ask = [&](std::vector<std::string> arguments) {
        Command command;
        command.argv = {"rpm", "--dbpath", database, "--define", "_db_backend sqlite"};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        return run(command)->output;
    };
    EXPECT_EQ(ask({"-qa", "--qf", "%{NEVRA} %{INSTALLTIME} [%{FILESTATES}]\n"}),
              "alpha-1.2-3.tn1.x86_64 1720000000 00\nbeta-1.2-3.tn1.x86_64 1720000000 0\n");
    EXPECT_EQ(ask({"-q", "--whatrequires", "x"}), "alpha-1.2-3.tn1.x86_64\n");
    EXPECT_EQ(ask({"-qf", "/usr/bin/a"}), "alpha-1.2-3.tn1.x86_64\n");
    EXPECT_EQ(ask({"-q", "--whatsupplements", "alpha"}), "beta-1.2-3.tn1.x86_64\n");
}

TEST(Rich, NamesAreListedUnderTheirEffect) {
    EXPECT_EQ(rich_names("(a or b >= 2)"), (Rows{"a", "b"}));
    EXPECT_EQ(rich_names("(a if b)"), (Rows{"a", "!b"}));
    EXPECT_EQ(rich_names("(a if b else c)"), (Rows{"a", "b", "c", "!b"}));
    EXPECT_EQ(rich_names("(a and (b or a))"), (Rows{"a", "b"}));
    EXPECT_EQ(rich_names("(a or"), Rows{});
}

}  // namespace
}  // namespace tarn::rpm
