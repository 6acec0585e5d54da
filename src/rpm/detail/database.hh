// SPDX-License-Identifier: MIT
// A SQLite database being made in memory: the fence around sqlite3.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tarn::rpm {

struct CloseDatabase {
    void operator()(sqlite3* database) const;
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const;
};

// A prepared INSERT, run again and again.
class Insert {
  public:
    Insert() = default;
    explicit Insert(sqlite3_stmt* statement) : statement_(statement) {}
    // Parameters count from 1; the bytes must live until run().
    Insert& text(int index, std::string_view value);
    Insert& blob(int index, std::string_view value);
    Insert& number(int index, std::int64_t value);
    Result<void> run();

  private:
    std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
};

class MemoryDatabase {
  public:
    static Result<MemoryDatabase> make();
    Result<void> execute(const std::string& sql);
    Result<Insert> prepare(const std::string& sql);
    // The whole database as the bytes of a file.
    Result<std::string> bytes();

  private:
    explicit MemoryDatabase(sqlite3* database) : database_(database) {}
    Failure failed(std::string_view what) const;
    std::unique_ptr<sqlite3, CloseDatabase> database_;
};

}  // namespace tarn::rpm
