// SPDX-License-Identifier: MIT
#include "rpm/detail/database.hh"

#include <sqlite3.h>

namespace tarn::rpm {

void CloseDatabase::operator()(sqlite3* database) const {
    sqlite3_close(database);
}

void FinalizeStatement::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

// A null pointer would be NULL, which is not the empty text.
Insert& Insert::text(int index, std::string_view value) {
    sqlite3_bind_text(statement_.get(),
                      index,
                      value.empty() ? "" : value.data(),
                      static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
}

Insert& Insert::blob(int index, std::string_view value) {
    sqlite3_bind_blob(statement_.get(),
                      index,
                      value.empty() ? "" : value.data(),
                      static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
}

Insert& Insert::number(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), index, value);
    return *this;
}

Result<void> Insert::run() {
    const int code = sqlite3_step(statement_.get());
    sqlite3_reset(statement_.get());
    if (code != SQLITE_DONE) {
        return fail(ErrorKind::kFailed, "cannot write the rpm database: {}", sqlite3_errstr(code));
    }
    return {};
}

Failure MemoryDatabase::failed(std::string_view what) const {
    return fail(ErrorKind::kFailed,
                "cannot make the rpm database: {}: {}",
                what,
                sqlite3_errmsg(database_.get()));
}

Result<MemoryDatabase> MemoryDatabase::make() {
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(":memory:",
                        &raw,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        nullptr);
    MemoryDatabase database(raw);
    if (code != SQLITE_OK) {
        return database.failed("open");
    }
    TARN_TRY(database.execute("PRAGMA page_size = 4096"));
    return database;
}

Result<void> MemoryDatabase::execute(const std::string& sql) {
    if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return failed(sql);
    }
    return {};
}

Result<Insert> MemoryDatabase::prepare(const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
        return failed(sql);
    }
    return Insert(raw);
}

Result<std::string> MemoryDatabase::bytes() {
    sqlite3_int64 size = 0;
    unsigned char* data = sqlite3_serialize(database_.get(), "main", &size, 0);
    if (data == nullptr) {
        return failed("serialize");
    }
    std::string bytes(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    sqlite3_free(data);
    return bytes;
}

}  // namespace tarn::rpm
