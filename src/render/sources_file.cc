// SPDX-License-Identifier: MIT
#include "render/sources_file.hh"

#include "base/hash.hh"
#include "base/strings.hh"

#include <algorithm>
#include <set>

namespace tarn {
namespace {

constexpr std::size_t kSourcesLimit = 16u << 20;

std::size_t hash_length(std::string_view type) {
    if (type == "MD5") {
        return 32;
    }
    if (type == "SHA256") {
        return 64;
    }
    return type == "SHA512" ? 128 : 0;
}

bool is_hex(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
}

// "SHA512 (name) = hex"
std::optional<SourcesEntry> named_form(std::string_view text) {
    const std::size_t open = text.find(" (");
    const std::size_t close = text.rfind(") = ");
    if (open == text.npos || close == text.npos || open == 0 || close < open + 2 ||
        text.substr(0, open).find_first_of(" \t#") != text.npos) {
        return std::nullopt;
    }
    SourcesEntry entry;
    entry.hash_type = text.substr(0, open);
    std::transform(
        entry.hash_type.begin(), entry.hash_type.end(), entry.hash_type.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        });
    entry.name = text.substr(open + 2, close - open - 2);
    entry.hash = to_lower(trim(text.substr(close + 4)));
    return entry;
}

// "md5hex  name"
std::optional<SourcesEntry> old_form(std::string_view text) {
    const std::size_t space = text.find_first_of(" \t");
    if (space != 32 || !is_hex(text.substr(0, space))) {
        return std::nullopt;
    }
    SourcesEntry entry;
    entry.hash_type = "MD5";
    entry.hash = to_lower(text.substr(0, space));
    entry.name = trim(text.substr(space));
    // md5sum marks binary mode with a star.
    if (entry.name.starts_with('*')) {
        entry.name.erase(0, 1);
    }
    return entry;
}

Result<void> check(const SourcesEntry& entry, const std::string& file_name) {
    const std::string where = fmt::format("{}:{}", file_name, entry.line);
    const std::string& name = entry.name;
    if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos ||
        name.find('\0') != name.npos) {
        return fail(error(ErrorKind::kCorrupt, "{}: `{}` is not a plain file name", where, name)
                        .advise("a file of the lookaside lies beside the spec: no `/`"));
    }
    const std::size_t length = hash_length(entry.hash_type);
    if (length == 0) {
        return fail(error(ErrorKind::kCorrupt,
                          "{}: {} of {} is not a hash type known here",
                          where,
                          entry.hash_type,
                          name)
                        .advise("expected SHA512, SHA256 or MD5"));
    }
    if (entry.hash.size() != length || !is_hex(entry.hash)) {
        return fail(error(ErrorKind::kCorrupt,
                          "{}: the {} of {} is not {} hex digits",
                          where,
                          entry.hash_type,
                          name,
                          length)
                        .advise("take the line from the dist-git again"));
    }
    return {};
}

std::string line_of(const SourcesEntry& entry) {
    return fmt::format("{} ({}) = {}", entry.hash_type, entry.name, entry.hash);
}

}  // namespace

Result<SourcesFile> SourcesFile::parse(std::string_view text, const std::string& file_name) {
    if (text.size() > kSourcesLimit) {
        return fail(ErrorKind::kCorrupt, "{} is larger than 16 MiB", file_name);
    }
    SourcesFile file;
    std::set<std::string, std::less<>> names;
    for (std::string_view line : split_lines(text)) {
        file.lines_.emplace_back(line);
        const std::string_view shown = trim(line);
        if (shown.empty() || shown.starts_with('#')) {
            continue;
        }
        auto entry = named_form(shown);
        if (!entry) {
            entry = old_form(shown);
        }
        if (!entry) {
            continue;
        }
        entry->line = file.lines_.size();
        TARN_TRY(check(*entry, file_name));
        if (!names.insert(entry->name).second) {
            return fail(error(ErrorKind::kCorrupt,
                              "{}:{}: {} is named twice",
                              file_name,
                              entry->line,
                              entry->name)
                            .note(fmt::format("first in line {}", file.find(entry->name)->line))
                            .advise("keep the line whose hash is right"));
        }
        file.entries_.push_back(std::move(*entry));
    }
    return file;
}

const SourcesEntry* SourcesFile::find(std::string_view name) const {
    const auto found = std::find_if(
        entries_.begin(), entries_.end(), [&](const SourcesEntry& e) { return e.name == name; });
    return found == entries_.end() ? nullptr : &*found;
}

void SourcesFile::replace(const SourcesEntry& entry) {
    for (SourcesEntry& each : entries_) {
        if (each.name == entry.name) {
            lines_[each.line - 1] = line_of(entry);
            const std::size_t line = each.line;
            each = entry;
            each.line = line;
            return;
        }
    }
    append(entry);
}

void SourcesFile::append(const SourcesEntry& entry) {
    lines_.push_back(line_of(entry));
    entries_.push_back(entry);
    entries_.back().line = lines_.size();
}

std::string SourcesFile::print() const {
    std::string text;
    for (const std::string& line : lines_) {
        text += line;
        text += '\n';
    }
    return text;
}

}  // namespace tarn
