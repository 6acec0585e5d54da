// SPDX-License-Identifier: MIT
#include "cli/output.hh"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/strings.hh"

namespace tarn::cli {

namespace {

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) {
        return text;
    }
    return "\"" + replace_all(text, "\"", "\"\"") + "\"";
}

// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

std::string cut_to(const std::string& line, std::size_t width) {
    if (width == 0 || display_width(line) <= width) {
        return line;
    }
    std::string out;
    std::size_t used = 0;
    for (const char c : line) {
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U && ++used >= width) {
            break;
        }
        out += c;
    }
    return out + "…";
}

// Figures become numbers; everything else stays text.
nlohmann::ordered_json json_value(const std::string& text) {
    if (!text.empty() && text.size() < 18 && (text == "0" || text[0] != '0')) {
        if (const auto number = parse_u64(text)) {
            return *number;
        }
    }
    return text;
}

}  // namespace

void Table::add(std::vector<std::string> row) {
    TARN_CHECK(row.size() == columns_.size());
    raw_.push_back(row);
    rows_.push_back(std::move(row));
}

void Table::add(std::vector<std::string> row, std::vector<std::string> raw) {
    TARN_CHECK(row.size() == columns_.size() && raw.size() == columns_.size());
    rows_.push_back(std::move(row));
    raw_.push_back(std::move(raw));
}

std::string Table::draw(OutputFormat format, std::size_t width) const {
    if (format == OutputFormat::kJson) {
        nlohmann::ordered_json root;
        root["version"] = 1;
        root[what_] = nlohmann::ordered_json::array();
        for (const auto& row : raw_) {
            nlohmann::ordered_json item;
            for (std::size_t i = 0; i < row.size(); ++i) {
                item[replace_all(to_lower(columns_[i].title), " ", "-")] = json_value(row[i]);
            }
            root[what_].push_back(std::move(item));
        }
        return root.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    }
    std::string out;
    if (format == OutputFormat::kCsv) {
        std::vector<std::string> cells;
        for (const Column& column : columns_) {
            cells.push_back(csv_cell(replace_all(to_lower(column.title), " ", "-")));
        }
        out += join(cells, ",") + "\n";
        for (const auto& row : raw_) {
            cells.clear();
            for (const std::string& cell : row) {
                cells.push_back(csv_cell(cell));
            }
            out += join(cells, ",") + "\n";
        }
        return out;
    }
    if (format == OutputFormat::kMarkdown) {
        return draw_markdown();
    }
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        widths.push_back(display_width(columns_[i].title));
        for (const auto& row : rows_) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    const auto line = [&](const std::function<const std::string&(std::size_t)>& cell) {
        std::string text;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string pad(widths[i] - display_width(cell(i)), ' ');
            text += " ";
            text += columns_[i].align == Align::kRight ? pad + cell(i) : cell(i) + pad;
            text += i + 1 < columns_.size() ? " " : "";
        }
        text.erase(text.find_last_not_of(' ') + 1);
        return cut_to(text, width) + "\n";
    };
    out += line([&](std::size_t i) -> const std::string& { return columns_[i].title; });
    for (const auto& row : rows_) {
        out += line([&](std::size_t i) -> const std::string& { return row[i]; });
    }
    return out;
}

std::string Table::draw_markdown() const {
    std::string head = "|";
    std::string rule = "|";
    for (const Column& column : columns_) {
        head += " " + column.title + " |";
        rule += column.align == Align::kRight ? " ---: |" : " --- |";
    }
    std::string out = head + "\n" + rule + "\n";
    for (const auto& row : rows_) {
        out += "|";
        for (const std::string& cell : row) {
            out += " " + replace_all(replace_all(cell, "|", "\\|"), "\n", " ") + " |";
        }
        out += "\n";
    }
    return out;
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);  // data and talk stay in order where both go to one place
}

void print(const Table& table, OutputFormat format) {
    print(table.draw(format, terminal_width()));
}

void talk(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
}

bool stderr_is_terminal() {
    return ::isatty(2) == 1;
}

std::size_t terminal_width() {
    winsize size{};
    if (::isatty(1) == 1 && ::ioctl(1, TIOCGWINSZ, &size) == 0) {
        return size.ws_col;
    }
    return 0;
}

void report_times(const Context& context, const Workspace& workspace) {
    if (context.given().has("verbose")) {
        for (const StageTime& time : workspace.times()) {
            context.reporter().info(fmt::format("  {:<16} {:.2f} s", time.stage, time.seconds));
        }
    }
}

std::string draw_error(const Error& error, bool colour) {
    std::string out = error.rendered;
    if (!out.empty() && !out.ends_with('\n')) {
        out += '\n';
    }
    // A count of drawn diagnostics is no error of its own.
    const std::string_view word = error.rendered.empty() ? "error: " : "";
    out += colour && !word.empty() ? "\x1b[1;31merror:\x1b[0m " : word;
    out += error.message + "\n";
    for (const std::string& note : error.notes) {
        out += "  " + note + "\n";
    }
    for (const std::string& help : error.help) {
        out += "  = help: " + help + "\n";
    }
    return out;
}

}  // namespace tarn::cli
