// SPDX-License-Identifier: MIT
// stdout is data: tables for people, JSON and CSV for programs. stderr is talk.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hh"

namespace tarn::cli {

enum class Align { kLeft, kRight };

struct Column {
    std::string title;  // "NAME" in a table, lower-cased in JSON and CSV
    Align align = Align::kLeft;
};

// Rows of text. The JSON form is {"version": 1, "<what>": [{...}]}.
class Table {
  public:
    Table(std::string what, std::vector<Column> columns)
        : what_(std::move(what)), columns_(std::move(columns)) {}
    void add(std::vector<std::string> row);
    // Raw values for JSON and CSV where they differ from what people see (bytes against "1.2 MB").
    void add(std::vector<std::string> row, std::vector<std::string> raw);
    // `width` 0: not cut.
    std::string draw(OutputFormat format, std::size_t width) const;

  private:
    std::string draw_markdown() const;
    std::string what_;
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_, raw_;
};

void print(const std::string& text);            // stdout
void print(const Table& table, OutputFormat format);
void talk(const std::string& text);             // stderr
bool stderr_is_terminal();
std::size_t terminal_width();                   // 0 when stdout is no terminal

enum class Colour { kAuto, kAlways, kNever };
// With --verbose: what each stage of the line took.
void report_times(const Context& context, const Workspace& workspace);
// "error: ..." with notes, help and drawn diagnostics.
std::string draw_error(const Error& error, bool colour);

}  // namespace tarn::cli
