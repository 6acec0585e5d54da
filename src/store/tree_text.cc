// SPDX-License-Identifier: MIT
// The canonical text of a tree: docs/formats/tree.md.
#include "store/detail/tree_text.hh"

#include "base/strings.hh"
#include "store/detail/escape.hh"
#include "store/tree.hh"

#include <charconv>
#include <limits>
#include <optional>

namespace tarn {

namespace {

using detail::append_escaped;
using detail::kWordSpecial;

char letter(EntryKind kind) {
    switch (kind) {
        case EntryKind::kDirectory:
            return 'd';
        case EntryKind::kSymlink:
            return 'l';
        case EntryKind::kCharDevice:
            return 'c';
        case EntryKind::kBlockDevice:
            return 'b';
        case EntryKind::kFifo:
            return 'p';
        case EntryKind::kFile:
            break;
    }
    return 'f';
}

std::optional<EntryKind> kind_of(std::string_view field) {
    if (field.size() != 1) {
        return std::nullopt;
    }
    switch (field.front()) {
        case 'f':
            return EntryKind::kFile;
        case 'd':
            return EntryKind::kDirectory;
        case 'l':
            return EntryKind::kSymlink;
        case 'c':
            return EntryKind::kCharDevice;
        case 'b':
            return EntryKind::kBlockDevice;
        case 'p':
            return EntryKind::kFifo;
        default:
            return std::nullopt;
    }
}

template <class T>
void append_number(std::string& out, T value) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    out.append(buffer, end.ptr);
}

template <class T>
bool read_number(std::string_view text, T& out, int base = 10) {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), out, base);
    return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

void append_path(std::string& out, std::string_view path) {
    if (path.empty()) {
        out += '.';
    } else {
        append_escaped(out, path, kWordSpecial);
    }
}

void append_word(std::string& out, std::string_view name, std::string_view value) {
    out += ' ';
    out += name;
    out += '=';
    append_escaped(out, value, kWordSpecial);
}

void append_entry(std::string& out, const TreeEntry& entry) {
    out += letter(entry.kind);
    out += ' ';
    for (unsigned shift = 12; shift > 0; shift -= 3) {
        out += static_cast<char>('0' + ((entry.mode >> (shift - 3)) & 7U));
    }
    out += ' ';
    append_number(out, entry.uid);
    out += ' ';
    append_number(out, entry.gid);
    out += ' ';
    append_number(out, entry.mtime);
    out += ' ';
    append_path(out, entry.path);
    switch (entry.kind) {
        case EntryKind::kFile:
            out += ' ';
            out += entry.content.to_string();
            break;
        case EntryKind::kSymlink:
            out += ' ';
            append_escaped(out, entry.target, kWordSpecial);
            break;
        case EntryKind::kCharDevice:
        case EntryKind::kBlockDevice:
            out += ' ';
            append_number(out, entry.device_major);
            out += ':';
            append_number(out, entry.device_minor);
            break;
        case EntryKind::kDirectory:
        case EntryKind::kFifo:
            break;
    }
    if (!entry.user.empty()) {
        append_word(out, "user", entry.user);
    }
    if (!entry.group.empty()) {
        append_word(out, "group", entry.group);
    }
    if (!entry.hardlink.empty()) {
        append_word(out, "link", entry.hardlink);
    }
    for (const auto& [name, value] : entry.xattrs) {
        out += " xattr:";
        append_escaped(out, name, kWordSpecial);
        out += '=';
        append_escaped(out, value, kWordSpecial);
    }
    out += '\n';
}

// Reads one entry's line. Lenient about what serialize() would spell otherwise: parse() compares.
class LineReader {
  public:
    explicit LineReader(std::string_view line) : fields_(split(line, ' ')) {}

    bool read(TreeEntry& entry) {
        const std::optional<EntryKind> kind = kind_of(next());
        if (!kind || !read_number(next(), entry.mode, 8) || !read_number(next(), entry.uid) ||
            !read_number(next(), entry.gid) || !read_number(next(), entry.mtime)) {
            return false;
        }
        entry.kind = *kind;
        const std::string_view path = next();
        if (path != "." && (path.empty() || !text(path, entry.path))) {
            return false;
        }
        if (!detail(entry)) {
            return false;
        }
        while (at_ < fields_.size()) {
            if (!word(next(), entry)) {
                return false;
            }
        }
        return true;
    }

  private:
    std::string_view next() { return at_ < fields_.size() ? fields_[at_++] : std::string_view(); }

    static bool text(std::string_view field, std::string& out) {
        std::optional<std::string> bytes = detail::unescaped(field);
        if (!bytes) {
            return false;
        }
        out = std::move(*bytes);
        return true;
    }

    bool detail(TreeEntry& entry) {
        switch (entry.kind) {
            case EntryKind::kFile: {
                const std::optional<Digest> digest = Digest::parse(next());
                entry.content = digest.value_or(Digest{});
                return digest.has_value();
            }
            case EntryKind::kSymlink:
                return text(next(), entry.target);
            case EntryKind::kCharDevice:
            case EntryKind::kBlockDevice: {
                const std::string_view field = next();
                const std::size_t colon = field.find(':');
                return colon != std::string_view::npos &&
                       read_number(field.substr(0, colon), entry.device_major) &&
                       read_number(field.substr(colon + 1), entry.device_minor);
            }
            case EntryKind::kDirectory:
            case EntryKind::kFifo:
                break;
        }
        return true;
    }

    static bool word(std::string_view field, TreeEntry& entry) {
        const std::size_t equals = field.find('=');
        if (equals == std::string_view::npos) {
            return false;
        }
        const std::string_view name = field.substr(0, equals);
        const std::string_view value = field.substr(equals + 1);
        if (name == "user") {
            return text(value, entry.user);
        }
        if (name == "group") {
            return text(value, entry.group);
        }
        if (name == "link") {
            return text(value, entry.hardlink);
        }
        std::string key;
        std::string bytes;
        if (!name.starts_with("xattr:") || !text(name.substr(6), key) || !text(value, bytes)) {
            return false;
        }
        return entry.xattrs.emplace(std::move(key), std::move(bytes)).second;
    }

    std::vector<std::string_view> fields_;
    std::size_t at_ = 0;
};

}  // namespace

std::string Tree::serialize() const {
    std::string result(detail::kTreeHeader);
    std::size_t expected = result.size();
    for (const TreeEntry& entry : entries_) {
        expected += entry.path.size() + entry.target.size() + entry.hardlink.size() + 128;
    }
    result.reserve(expected);
    for (const TreeEntry& entry : entries_) {
        append_entry(result, entry);
    }
    return result;
}

Result<Tree> Tree::parse(std::string_view text) {
    if (!text.starts_with(detail::kTreeHeader)) {
        return fail(ErrorKind::kCorrupt, "not a tree: the first line is not `tarn-tree 1`");
    }
    std::vector<TreeEntry> entries;
    std::size_t line_number = 1;
    for (const std::string_view line : split_lines(text.substr(detail::kTreeHeader.size()))) {
        ++line_number;
        TreeEntry entry;
        if (!LineReader(line).read(entry)) {
            return fail(ErrorKind::kCorrupt, "tree, line {}: not an entry", line_number);
        }
        entries.push_back(std::move(entry));
    }
    Result<Tree> tree = Tree::make(std::move(entries));
    if (!tree) {
        tree.error().kind = ErrorKind::kCorrupt;
        return tree;
    }
    // A tree has one text. Whatever is not that text is refused, so a digest names one tree.
    if (tree->serialize() != text) {
        return fail(ErrorKind::kCorrupt, "tree: the text is not in its canonical form");
    }
    return tree;
}

}  // namespace tarn
