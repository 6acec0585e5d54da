// SPDX-License-Identifier: MIT
#include "rpm/detail/database.hh"
#include "rpm/detail/file_table.hh"
#include "rpm/package.hh"

#include <sqlite3.h>

namespace tarn::rpm {

namespace {

constexpr std::size_t kMaxDatabase = 1U << 30;
constexpr std::size_t kMaxPackages = 100'000;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};

using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

Failure unreadable(const std::string& name, std::string_view why) {
    return fail(error(ErrorKind::kCorrupt, "{}: no rpm database that can be read: {}", name, why)
                    .note("rpm's sqlite databases are read, of rpm 4.16 and later"));
}

// Over the bytes themselves, which must live as long; nothing in the schema is run.
Result<Database> open_database(std::string& bytes, const std::string& name) {
    if (bytes.size() < 100 || bytes.size() > kMaxDatabase || !bytes.starts_with(kMagic)) {
        return unreadable(name, "it is no SQLite database");
    }
    // A database in memory has no write-ahead log: 1 is the plain journal.
    bytes[18] = bytes[19] = '\x01';
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(
        ":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(raw);
    if (code != SQLITE_OK) {
        return unreadable(name, sqlite3_errstr(code));
    }
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    const auto size = static_cast<sqlite3_int64>(bytes.size());
    if (sqlite3_deserialize(raw,
                            "main",
                            reinterpret_cast<unsigned char*>(bytes.data()),
                            size,
                            size,
                            SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
        return unreadable(name, sqlite3_errmsg(raw));
    }
    return database;
}

Result<InstalledPackage> read_row(sqlite3_stmt* row, const std::string& name) {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(row, 0));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, 0));
    if (data == nullptr) {
        return unreadable(name, "a package has no header");
    }
    const HeaderValue header = TARN_TRY(HeaderValue::import({data, size}, name));
    InstalledPackage out;
    out.info = TARN_TRY(info_of(header, name));
    out.install_time = static_cast<std::int64_t>(header.number(RPMTAG_INSTALLTIME).value_or(0));
    const auto sums = header.strings(kTagPackageDigests);
    constexpr std::size_t kHexDigits = 64;
    for (const std::string& sum : sums) {
        if (sum.size() == kHexDigits) {
            out.rpm_sha256 = sum;
        }
    }
    return out;
}

}  // namespace

Result<std::vector<InstalledPackage>> read_rpmdb(std::string bytes, const std::string& name) {
    const Database database = TARN_TRY(open_database(bytes, name));
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(
            database.get(), "SELECT blob FROM Packages ORDER BY hnum", -1, &raw, nullptr) !=
        SQLITE_OK) {
        return unreadable(name, sqlite3_errmsg(database.get()));
    }
    const Statement rows(raw);
    std::vector<InstalledPackage> out;
    for (;;) {
        const int code = sqlite3_step(raw);
        if (code == SQLITE_DONE) {
            return out;
        }
        if (code != SQLITE_ROW) {
            return unreadable(name, sqlite3_errmsg(database.get()));
        }
        if (out.size() >= kMaxPackages) {
            return unreadable(name, "it has too many packages");
        }
        out.push_back(TARN_TRY(read_row(raw, name)));
    }
}

}  // namespace tarn::rpm
