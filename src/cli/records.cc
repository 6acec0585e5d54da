// SPDX-License-Identifier: MIT
#include "cli/records.hh"

#include <nlohmann/json.hpp>

#include "base/strings.hh"

namespace tarn::cli {

std::string json_string(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Value::Value(const std::vector<std::string>& list) : kind_(Kind::kList), list_(list) {}

Value Value::json(std::string text) {
    Value value(std::move(text));
    value.kind_ = Kind::kRaw;
    return value;
}

std::string Value::shown() const {
    return kind_ == Kind::kList ? join(list_, ", ") : text_;
}

std::string Value::as_json() const {
    if (kind_ != Kind::kList) {
        return kind_ == Kind::kText ? json_string(text_) : text_;
    }
    std::vector<std::string> items;
    for (const std::string& item : list_) {
        items.push_back(json_string(item));
    }
    return "[" + join(items, ", ") + "]";
}

void Records::add(std::vector<Value> row) {
    TARN_CHECK(row.size() == fields_.size());
    rows_.push_back(std::move(row));
}

std::string Records::draw_json() const {
    std::string out = "[";
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        out += r == 0 ? "\n  {" : ",\n  {";
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            out += i == 0 ? "\n" : ",\n";
            out += "    \"" + fields_[i].key + "\": " + rows_[r][i].as_json();
        }
        out += "\n  }";
    }
    return out + (rows_.empty() ? "]\n" : "\n]\n");
}

void Records::print(OutputFormat format) const {
    if (format == OutputFormat::kJson) {
        cli::print(draw_json());
        return;
    }
    std::vector<Column> columns;
    for (const Field& field : fields_) {
        const std::string title =
            format == OutputFormat::kCsv ? field.key : field.title;
        if (!title.empty()) {
            columns.push_back({title, field.align});
        }
    }
    Table table("rows", std::move(columns));
    for (const auto& row : rows_) {
        std::vector<std::string> cells;
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            if (format == OutputFormat::kCsv || !fields_[i].title.empty()) {
                cells.push_back(row[i].shown());
            }
        }
        table.add(std::move(cells));
    }
    cli::print(table, format);
}

}  // namespace tarn::cli
