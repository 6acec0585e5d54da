// SPDX-License-Identifier: MIT
// Rows whose JSON form is an array of objects with camelCase keys, as azldev writes them; as a table,
// CSV or Markdown for people.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/output.hh"

namespace tarn::cli {

class Value {
  public:
    Value(std::string text) : text_(std::move(text)) {}
    Value(const char* text) : text_(text) {}
    Value(bool truth) : kind_(Kind::kRaw), text_(truth ? "true" : "false") {}
    Value(std::uint64_t number) : kind_(Kind::kRaw), text_(std::to_string(number)) {}
    Value(unsigned number) : Value(static_cast<std::uint64_t>(number)) {}
    Value(const std::vector<std::string>& list);
    static Value json(std::string text);  // JSON already, shown as it is
    std::string shown() const;
    std::string as_json() const;

  private:
    enum class Kind { kText, kRaw, kList };
    Kind kind_ = Kind::kText;
    std::string text_;
    std::vector<std::string> list_{};
};

struct Field {
    std::string key;    // "upstreamCommit"
    std::string title;  // "COMMIT"; empty: in JSON only
    Align align = Align::kLeft;
};

class Records {
  public:
    explicit Records(std::vector<Field> fields) : fields_(std::move(fields)) {}
    void add(std::vector<Value> row);
    bool empty() const { return rows_.empty(); }
    void print(OutputFormat format) const;

  private:
    std::string draw_json() const;
    std::vector<Field> fields_;
    std::vector<std::vector<Value>> rows_;
};

// A JSON string, quoted.
std::string json_string(const std::string& text);

}  // namespace tarn::cli
