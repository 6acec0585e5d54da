// SPDX-License-Identifier: MIT
#include "project/detail/reader.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <limits>

namespace tarn::declaration {

void Reading::unknown(Span where, std::string message, std::string help) {
    if (permissive) {
        diagnostics.warning(where, std::move(message), std::move(help));
    } else {
        diagnostics.error(where, std::move(message), std::move(help));
    }
}

void Reading::trap(Span where, std::string message, std::string help) {
    if (strict) {
        diagnostics.warning(where, std::move(message), std::move(help));
    }
}

void Reading::broken_rule(Span where, std::string message, std::string help) {
    if (severity_of_rules() == Severity::kWarning) {
        diagnostics.warning(where, std::move(message), std::move(help));
    } else {
        diagnostics.error(where, std::move(message), std::move(help));
    }
}

void Reading::duplicate(std::string message, Span second, Span first, Severity severity) {
    Diagnostic diagnostic;
    diagnostic.severity = severity;
    diagnostic.message = std::move(message);
    diagnostic.primary = second;
    diagnostic.labels.push_back({first, "first defined here"});
    diagnostic.help.emplace_back("keep one of the two, or give one another name");
    diagnostics.add(std::move(diagnostic));
}

bool expect_kind(Reading& reading, std::string_view key, const Value& value, ValueKind wanted) {
    if (value.kind == wanted) {
        return true;
    }
    std::string help;
    if (wanted == ValueKind::kString && value.kind != ValueKind::kArray &&
        value.kind != ValueKind::kTable) {
        help = "put the value in quotes";
    } else if (wanted == ValueKind::kArray) {
        help = "put the value in brackets: [ ... ]";
    } else if (wanted == ValueKind::kBoolean) {
        help = "write true or false, without quotes";
    } else if (wanted == ValueKind::kInteger && value.kind == ValueKind::kString) {
        help = "write the number without quotes";
    }
    reading.error(
        value.span,
        fmt::format("`{}` must be {}, not {}", key, kind_name(wanted), kind_name(value.kind)),
        std::move(help));
    return false;
}

Span place_of(const Value& table, std::string_view key, Span otherwise) {
    const Entry* entry = table.find(key);
    return entry == nullptr ? otherwise : entry->value.span;
}

const std::string* expect_string(Reading& reading, const Entry& entry) {
    if (!expect_kind(reading, entry.key, entry.value, ValueKind::kString)) {
        return nullptr;
    }
    if (entry.value.text.find('\0') != std::string::npos) {
        reading.error(entry.value.span, fmt::format("`{}` contains a NUL character", entry.key));
        return nullptr;
    }
    return &entry.value.text;
}

void each_string(Reading& reading,
                 const Entry& entry,
                 const std::function<void(const Value&)>& use) {
    if (!expect_kind(reading, entry.key, entry.value, ValueKind::kArray)) {
        return;
    }
    for (const Value& item : entry.value.items) {
        if (item.kind != ValueKind::kString) {
            reading.error(item.span,
                          fmt::format("`{}` must be an array of strings; this is {}",
                                      entry.key,
                                      kind_name(item.kind)));
        } else if (item.text.find('\0') != std::string::npos) {
            reading.error(item.span, fmt::format("`{}` contains a NUL character", entry.key));
        } else {
            use(item);
        }
    }
}

std::string path_value(const Reading& reading, std::string_view text) {
    return absolute_path(text, reading.directory);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    static constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
        {"B", 1},
        {"kB", 1000},
        {"MB", 1000ULL * 1000},
        {"GB", 1000ULL * 1000 * 1000},
        {"TB", 1000ULL * 1000 * 1000 * 1000},
        {"KiB", 1ULL << 10},
        {"MiB", 1ULL << 20},
        {"GiB", 1ULL << 30},
        {"TiB", 1ULL << 40},
    };
    text = trim(text);
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_u64(text.substr(0, digits));
    const std::string_view unit = trim(text.substr(digits));
    if (!number || *number == 0) {
        return std::nullopt;
    }
    for (const auto& [name, factor] : kUnits) {
        if (name == unit) {
            constexpr auto kMost =
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
            if (*number > kMost / factor) {
                return std::nullopt;
            }
            return *number * factor;
        }
    }
    return std::nullopt;
}

std::string possible_values(std::vector<std::string> words) {
    std::erase(words, "");
    return words.empty() ? std::string() : "possible values: " + join(words, ", ");
}

void report_unknown_key(Reading& reading,
                        const Entry& entry,
                        std::string_view table_kind,
                        const std::vector<std::string>& known) {
    std::string help = did_you_mean(entry.key, known);
    if (help.empty()) {
        help = "known keys: " + join(known, ", ");
    }
    reading.unknown(entry.key_span,
                    fmt::format("unknown key `{}` in {}", entry.key, table_kind),
                    std::move(help));
}

void report_unknown_word(Reading& reading, const Entry& entry, std::vector<std::string> words) {
    std::string help = did_you_mean(entry.value.text, words);
    if (help.empty()) {
        help = possible_values(std::move(words));
    }
    reading.broken_rule(entry.value.span,
                        fmt::format("`{}` cannot be \"{}\"", entry.key, entry.value.text),
                        std::move(help));
}

}  // namespace tarn::declaration
