// SPDX-License-Identifier: MIT
#include "rpm/detail/database.hh"
#include "rpm/detail/frame.hh"
#include "rpm/detail/rich.hh"
#include "rpm/package.hh"

#include <rpm/rpmds.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmtd.h>

#include <algorithm>
#include <array>
#include <limits>

namespace tarn::rpm {

namespace {

// What rpm 6.1 says on x86_64 (%_transaction_color): 32 and 64 bit files may both be installed.
constexpr std::uint32_t kInstallColor = 3;
constexpr std::uint32_t kSha256 = 8;

enum class KeyType { kText, kBlob };
enum class Count { kOne, kMany };

// A table that finds packages by one tag. Tables of a tag with one value need no index by package.
struct IndexTable {
    const char* name;
    rpmTagVal tag;
    KeyType key = KeyType::kText;
    Count count = Count::kMany;
};
constexpr std::array<IndexTable, 18> kIndexes{{
    {"Name", RPMTAG_NAME, KeyType::kText, Count::kOne},
    {"Basenames", RPMTAG_BASENAMES},
    {"Group", RPMTAG_GROUP, KeyType::kText, Count::kOne},
    {"Requirename", RPMTAG_REQUIRENAME},
    {"Providename", RPMTAG_PROVIDENAME},
    {"Conflictname", RPMTAG_CONFLICTNAME},
    {"Obsoletename", RPMTAG_OBSOLETENAME},
    {"Triggername", RPMTAG_TRIGGERNAME},
    {"Dirnames", RPMTAG_DIRNAMES},
    {"Installtid", RPMTAG_INSTALLTID, KeyType::kBlob, Count::kOne},
    {"Sigmd5", RPMTAG_SIGMD5, KeyType::kBlob, Count::kOne},
    {"Sha1header", RPMTAG_SHA1HEADER, KeyType::kText, Count::kOne},
    {"Filetriggername", RPMTAG_FILETRIGGERNAME},
    {"Transfiletriggername", RPMTAG_TRANSFILETRIGGERNAME},
    {"Recommendname", RPMTAG_RECOMMENDNAME},
    {"Suggestname", RPMTAG_SUGGESTNAME},
    {"Supplementname", RPMTAG_SUPPLEMENTNAME},
    {"Enhancename", RPMTAG_ENHANCENAME},
}};

// Tags of the signature header that an installed header has under another number.
struct Moved {
    rpmTagVal from, to;
};
constexpr std::array<Moved, 14> kMoved{{
    {RPMSIGTAG_SIZE, RPMTAG_SIGSIZE},
    {RPMSIGTAG_PGP, RPMTAG_SIGPGP},
    {RPMSIGTAG_MD5, RPMTAG_SIGMD5},
    {RPMSIGTAG_GPG, RPMTAG_SIGGPG},
    {RPMSIGTAG_PAYLOADSIZE, RPMTAG_ARCHIVESIZE},
    {RPMSIGTAG_FILESIGNATURES, RPMTAG_FILESIGNATURES},
    {RPMSIGTAG_FILESIGNATURELENGTH, RPMTAG_FILESIGNATURELENGTH},
    {RPMSIGTAG_SHA1, RPMTAG_SHA1HEADER},
    {RPMSIGTAG_SHA256, RPMTAG_SHA256HEADER},
    {RPMSIGTAG_DSA, RPMTAG_DSAHEADER},
    {RPMSIGTAG_RSA, RPMTAG_RSAHEADER},
    {RPMSIGTAG_LONGSIZE, RPMTAG_LONGSIGSIZE},
    {RPMSIGTAG_LONGARCHIVESIZE, RPMTAG_LONGARCHIVESIZE},
    {kTagOpenPgp, kTagOpenPgp},
}};

Result<void> make_tables(MemoryDatabase& database) {
    TARN_TRY(
        database.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,"
                         "blob BLOB NOT NULL)"));
    for (const IndexTable& table : kIndexes) {
        TARN_TRY(database.execute(fmt::format(
            "CREATE TABLE '{}' (key '{}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, "
            "FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))",
            table.name,
            table.key == KeyType::kText ? "TEXT" : "BLOB")));
    }
    return {};
}

// After the rows: sorting once is faster than keeping in order.
Result<void> make_indexes(MemoryDatabase& database) {
    for (const IndexTable& table : kIndexes) {
        if (table.key == KeyType::kText) {
            TARN_TRY(database.execute(
                fmt::format("CREATE INDEX '{0}_key_idx' ON '{0}'(key ASC)", table.name)));
        }
        if (table.count == Count::kMany) {
            TARN_TRY(database.execute(
                fmt::format("CREATE INDEX '{0}_hnum_idx' ON '{0}'(hnum ASC)", table.name)));
        }
    }
    return {};
}

// The header as it is once the package is installed.
Result<HeaderValue> installed_header(const Opened& package,
                                     const Digest& rpm,
                                     std::uint32_t time,
                                     std::string_view name) {
    const HeaderValue& signature = package.signature;
    HeaderValue header = TARN_TRY(HeaderValue::import(package.frame.header_blob, name));
    for (const Moved& moved : kMoved) {
        if (!header.has(moved.to)) {
            header.put_copy(signature, moved.from, moved.to);
        }
    }
    const std::size_t files = header.strings(RPMTAG_BASENAMES).size();
    header.put_chars(RPMTAG_FILESTATES, std::string(files, char{RPMFILE_STATE_NORMAL}));
    header.put_u32(RPMTAG_INSTALLTID, {time});
    header.put_u32(RPMTAG_INSTALLTIME, {time});
    header.put_u32(RPMTAG_INSTALLCOLOR, {kInstallColor});
    header.put_strings(kTagPackageDigests, {rpm.hex()});
    header.put_u32(kTagPackageDigestAlgorithms, {kSha256});
    return header;
}

// Needed only while the package is being installed: not in the index.
bool is_transient(std::uint64_t flags) {
    constexpr std::uint64_t kInstall = RPMSENSE_SCRIPT_PRE | RPMSENSE_SCRIPT_POST |
                                       RPMSENSE_RPMLIB | RPMSENSE_KEYRING | RPMSENSE_PRETRANS |
                                       RPMSENSE_POSTTRANS;
    // The last two are %preuntrans and %postuntrans, which librpm 4.18 does not name.
    constexpr std::uint64_t kErase =
        RPMSENSE_SCRIPT_PREUN | RPMSENSE_SCRIPT_POSTUN | 1U << 20U | 1U << 21U;
    return (flags & kInstall) != 0 && (flags & kErase) == 0 && (flags & RPMSENSE_META) == 0;
}

bool may_be_rich(rpmTagVal tag) {
    return tag == RPMTAG_REQUIRENAME || tag == RPMTAG_CONFLICTNAME || tag == RPMTAG_SUGGESTNAME ||
           tag == RPMTAG_SUPPLEMENTNAME || tag == RPMTAG_RECOMMENDNAME || tag == RPMTAG_ENHANCENAME;
}

// Rows of one package in the table of one tag of many texts.
class RowWriter {
  public:
    RowWriter(Insert& insert, std::int64_t package) : insert_(insert), package_(package) {}
    Result<void> text(std::string_view key, std::uint64_t index) {
        insert_.text(1, key);
        return run(index);
    }
    Result<void> blob(std::string_view key, std::uint64_t index) {
        insert_.blob(1, key);
        return run(index);
    }

  private:
    Result<void> run(std::uint64_t index) {
        return insert_.number(2, package_).number(3, static_cast<std::int64_t>(index)).run();
    }
    Insert& insert_;
    std::int64_t package_;
};

Result<void> index_texts(const HeaderValue& header, rpmTagVal tag, RowWriter rows) {
    const auto keys = header.strings(tag);
    std::vector<std::uint64_t> flags, triggers;
    if (tag == RPMTAG_REQUIRENAME) {
        flags = header.numbers(RPMTAG_REQUIREFLAGS);
    } else if (tag == RPMTAG_FILETRIGGERNAME) {
        triggers = header.numbers(RPMTAG_FILETRIGGERINDEX);
    } else if (tag == RPMTAG_TRANSFILETRIGGERNAME) {
        triggers = header.numbers(RPMTAG_TRANSFILETRIGGERINDEX);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const bool repeated_trigger =
            tag == RPMTAG_TRIGGERNAME &&
            std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), keys[i]) !=
                keys.begin() + static_cast<std::ptrdiff_t>(i);
        if ((i < flags.size() && is_transient(flags[i])) || repeated_trigger) {
            continue;
        }
        const std::uint64_t index = i < triggers.size() ? triggers[i] : i;
        TARN_TRY(rows.text(keys[i], index));
        if (may_be_rich(tag) && keys[i].starts_with('(')) {
            for (const std::string& part : rich_names(keys[i])) {
                TARN_TRY(rows.text(part, index));
            }
        }
    }
    return {};
}

Result<void> index_package(const HeaderValue& header,
                           const IndexTable& table,
                           RowWriter rows,
                           std::uint32_t time) {
    switch (table.tag) {
        case RPMTAG_INSTALLTID:
            // As it lies in memory; every machine that Tarn makes images for is little-endian.
            return rows.blob({reinterpret_cast<const char*>(&time), sizeof time}, 0);
        case RPMTAG_SIGMD5: {
            const std::string md5 = header.binary(RPMTAG_SIGMD5);
            return md5.empty() ? Result<void>() : rows.blob(md5, 0);
        }
        case RPMTAG_GROUP: {
            const std::string group = header.string(RPMTAG_GROUP);
            return rows.text(group.empty() ? "Unknown" : group, 0);
        }
        default:
            return index_texts(header, table.tag, rows);
    }
}

struct Inserts {
    Insert package;
    std::array<Insert, kIndexes.size()> indexes;
};

Result<Inserts> prepare(MemoryDatabase& database) {
    Inserts inserts;
    inserts.package = TARN_TRY(database.prepare("INSERT INTO 'Packages' VALUES(?, ?)"));
    for (std::size_t i = 0; i < kIndexes.size(); ++i) {
        inserts.indexes[i] = TARN_TRY(
            database.prepare(fmt::format("INSERT INTO '{}' VALUES(?, ?, ?)", kIndexes[i].name)));
    }
    return inserts;
}

Result<void> add_package(const Store& store,
                         const Digest& rpm,
                         std::int64_t number,
                         std::uint32_t time,
                         Inserts& inserts) {
    const MemoryMap map = TARN_TRY(store.map(rpm));
    const std::string name = "package " + rpm.hex();
    const Opened package = TARN_TRY(open_package(map.bytes(), name));
    const HeaderValue header = TARN_TRY(installed_header(package, rpm, time, name));
    const std::string blob = header.blob();
    TARN_TRY(inserts.package.number(1, number).blob(2, blob).run());
    for (std::size_t i = 0; i < kIndexes.size(); ++i) {
        TARN_TRY(index_package(header, kIndexes[i], RowWriter(inserts.indexes[i], number), time));
    }
    return {};
}

}  // namespace

Result<std::string> make_rpmdb(const Store& store,
                               const std::vector<Digest>& rpms,
                               std::int64_t install_time) {
    if (install_time < 0 || install_time > std::numeric_limits<std::uint32_t>::max()) {
        return fail(ErrorKind::kUsage, "{} is no time of installation", install_time);
    }
    MemoryDatabase database = TARN_TRY(MemoryDatabase::make());
    TARN_TRY(database.execute("BEGIN"));
    TARN_TRY(make_tables(database));
    {
        Inserts inserts = TARN_TRY(prepare(database));
        for (std::size_t i = 0; i < rpms.size(); ++i) {
            TARN_TRY(add_package(store,
                                 rpms[i],
                                 static_cast<std::int64_t>(i + 1),
                                 static_cast<std::uint32_t>(install_time),
                                 inserts));
        }
    }
    TARN_TRY(make_indexes(database));
    TARN_TRY(database.execute("COMMIT"));
    return database.bytes();
}

}  // namespace tarn::rpm
