// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "inspect/diff.hh"

#include <nlohmann/json.hpp>

#include <array>

namespace tarn::inspect {
namespace {

using Json = nlohmann::ordered_json;

struct Counts {
    std::size_t added = 0, removed = 0, changed = 0;
    std::string text() const {
        return fmt::format("{} added, {} removed, {} changed", added, removed, changed);
    }
};

Counts count(const Section& section) {
    Counts out;
    for (const Difference& one : section.differences) {
        (one.change == Change::kAdded     ? out.added
         : one.change == Change::kRemoved ? out.removed
                                          : out.changed)++;
    }
    return out;
}

// A name from an image may hold anything; on a terminal control characters are shown, not sent.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

std::string line_of(const Difference& one) {
    const std::string name = plain(one.name);
    switch (one.change) {
        case Change::kAdded:
            return fmt::format("  + {}{}{}", name, one.after.empty() ? "" : "  ", plain(one.after));
        case Change::kRemoved:
            return fmt::format(
                "  - {}{}{}", name, one.before.empty() ? "" : "  ", plain(one.before));
        case Change::kChanged:
            break;
    }
    return fmt::format("  ~ {}  {} -> {}", name, plain(one.before), plain(one.after));
}

std::string total(const ImageDiff& diff) {
    const bool grown = diff.bytes_after >= diff.bytes_before;
    return fmt::format("{} -> {} of files ({}{})",
                       human_size(diff.bytes_before),
                       human_size(diff.bytes_after),
                       grown ? "+" : "-",
                       human_size(grown ? diff.bytes_after - diff.bytes_before
                                        : diff.bytes_before - diff.bytes_after));
}

std::string cell(std::string_view text) {
    return replace_all(plain(text), "|", "\\|");
}

}  // namespace

std::string_view change_name(Change change) {
    constexpr std::array<std::string_view, 3> kNames = {"added", "removed", "changed"};
    return kNames[static_cast<std::size_t>(change)];
}

std::string diff_text(const ImageDiff& diff, std::size_t limit) {
    if (diff.same()) {
        return fmt::format("{} and {} hold the same system\n", diff.before, diff.after);
    }
    std::string out = fmt::format("{} -> {}\n", diff.before, diff.after);
    for (const Section& section : diff.sections) {
        out += fmt::format("{}: {}\n", section.name, count(section).text());
        const std::size_t shown =
            limit == 0 ? section.differences.size() : std::min(limit, section.differences.size());
        for (std::size_t i = 0; i < shown; ++i) {
            out += line_of(section.differences[i]) + "\n";
        }
        if (shown < section.differences.size()) {
            out += fmt::format("  ... and {} more; --all shows them\n",
                               section.differences.size() - shown);
        }
    }
    return out + "total: " + total(diff) + "\n";
}

std::string diff_markdown(const ImageDiff& diff, std::size_t limit) {
    std::string out = fmt::format("# {} → {}\n\n", plain(diff.before), plain(diff.after));
    if (diff.same()) {
        return out + "The same system.\n";
    }
    out += total(diff) + "\n";
    for (const Section& section : diff.sections) {
        out +=
            fmt::format("\n## {}: {}\n\n| | name | before | after |\n| --- | --- | --- | --- |\n",
                        section.name,
                        count(section).text());
        const std::size_t shown =
            limit == 0 ? section.differences.size() : std::min(limit, section.differences.size());
        for (std::size_t i = 0; i < shown; ++i) {
            const Difference& one = section.differences[i];
            out += fmt::format("| {} | {} | {} | {} |\n",
                               change_name(one.change),
                               cell(one.name),
                               cell(one.before),
                               cell(one.after));
        }
        if (shown < section.differences.size()) {
            out += fmt::format("\n... and {} more\n", section.differences.size() - shown);
        }
    }
    return out;
}

std::string diff_json(const ImageDiff& diff) {
    Json out;
    out["version"] = 1;
    out["same"] = diff.same();
    out["before"] = diff.before;
    out["after"] = diff.after;
    out["bytes-before"] = diff.bytes_before;
    out["bytes-after"] = diff.bytes_after;
    out["sections"] = Json::object();
    for (const Section& section : diff.sections) {
        Json list = Json::array();
        for (const Difference& one : section.differences) {
            Json item = {{"name", one.name}, {"change", change_name(one.change)}};
            if (one.change != Change::kAdded) {
                item["before"] = one.before;
            }
            if (one.change != Change::kRemoved) {
                item["after"] = one.after;
            }
            list.push_back(std::move(item));
        }
        out["sections"][section.name] = std::move(list);
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tarn::inspect
