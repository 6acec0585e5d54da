// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "image/detail/tmpfiles.hh"

#include <algorithm>

namespace tarn::image {
namespace {

constexpr std::string_view kTypes = "fFwdDevqQpLcbCxXrRzZmtThHaA";
constexpr std::string_view kModifiers = "!+-=~^$?";
constexpr std::size_t kMaxLine = 64 << 10;

// Words as systemd splits them: blanks, quotes, C escapes. nullopt for a quote that does not end.
// The last of `count` fields is the rest of the line.
std::optional<std::vector<std::string>> fields_of(std::string_view line, std::size_t count) {
    std::vector<std::string> out;
    std::size_t at = 0;
    const auto blank = [&] { return line[at] == ' ' || line[at] == '\t'; };
    while (out.size() < count) {
        while (at < line.size() && blank()) {
            ++at;
        }
        if (at == line.size()) {
            return out;
        }
        if (out.size() + 1 == count) {
            out.emplace_back(trim(line.substr(at)));
            return out;
        }
        std::string word;
        char quote = 0;
        for (; at < line.size() && (quote != 0 || !blank()); ++at) {
            const char c = line[at];
            if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            } else if (c == quote && quote != 0) {
                quote = 0;
            } else if (c == '\\' && at + 1 < line.size()) {
                word.append("\\").push_back(line[++at]);
            } else {
                word.push_back(c);
            }
        }
        if (quote != 0) {
            return std::nullopt;
        }
        out.push_back(std::move(word));
    }
    return out;
}

// C escapes: \n \t \\ \" \' \a \b \f \r \v \s, \xHH, \OOO. An unknown one stays as it is.
std::string unescape(std::string_view text) {
    static constexpr std::string_view kFrom = "abfnrtv\\\"'s";
    static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\\"' ";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out.push_back(text[i]);
            continue;
        }
        const std::size_t known = kFrom.find(text[i + 1]);
        const auto hex = text[i + 1] == 'x' ? parse_u64(text.substr(i + 2, 2), 16) : std::nullopt;
        const auto octal = parse_u64(text.substr(i + 1, 3), 8);
        if (known != std::string_view::npos) {
            out.push_back(kTo[known]);
            ++i;
        } else if (hex && text.size() >= i + 4) {
            out.push_back(static_cast<char>(*hex));
            i += 3;
        } else if (octal && *octal < 256 && text.size() >= i + 4) {
            out.push_back(static_cast<char>(*octal));
            i += 3;
        } else {
            out.push_back('\\');
        }
    }
    return out;
}

class Specifiers {
  public:
    explicit Specifiers(const Store& store, const Tree& tree) {
        known_ = {{'%', "%"},
                  {'S', "/var/lib"},
                  {'C', "/var/cache"},
                  {'L', "/var/log"},
                  {'t', "/run"},
                  {'T', "/tmp"},
                  {'V', "/var/tmp"},
                  {'h', "/root"},
                  {'u', "root"},
                  {'g', "root"},
                  {'U', "0"},
                  {'G', "0"},
                  {'a', "x86-64"}};
        const std::string text =
            read_tree_file(store, tree, "etc/os-release").value_or(std::string());
        for (const auto& [letter, key] : {std::pair('o', "ID="),
                                          std::pair('w', "VERSION_ID="),
                                          std::pair('W', "VARIANT_ID="),
                                          std::pair('B', "BUILD_ID="),
                                          std::pair('M', "IMAGE_ID="),
                                          std::pair('A', "IMAGE_VERSION=")}) {
            known_[letter] = "";
            for (const std::string_view line : split_lines(text)) {
                if (line.starts_with(key)) {
                    known_[letter] = replace_all(
                        std::string(line.substr(std::string_view(key).size())), "\"", "");
                }
            }
        }
    }
    // nullopt: only the running machine knows.
    std::optional<std::string> expand(std::string_view text) const {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '%' || i + 1 == text.size()) {
                out.push_back(text[i]);
                continue;
            }
            const auto found = known_.find(text[++i]);
            if (found == known_.end()) {
                return std::nullopt;
            }
            out += found->second;
        }
        return out;
    }

  private:
    std::map<char, std::string> known_;
};

std::string said(const std::vector<std::string>& fields, std::size_t at) {
    return at < fields.size() && fields[at] != "-" ? unescape(fields[at]) : std::string();
}

std::string without(std::string text, std::string_view letters) {
    text.erase(0, std::min(text.find_first_not_of(letters), text.size()));
    return text;
}

// nullptr, or what is wrong. An empty type: the line is left to the machine.
const char* parse_line(std::string_view line, const Specifiers& specifiers, TmpfilesLine& out) {
    const auto fields = fields_of(line, 7);
    if (!fields) {
        return "a quote does not end";
    }
    if (fields->size() < 2) {
        return "a line needs a type and a path";
    }
    const std::string& type = fields->front();
    if (kTypes.find(type[0]) == std::string_view::npos ||
        type.find_first_not_of(kModifiers, 1) != std::string::npos) {
        return "an unknown type";
    }
    out.modifiers = type.substr(1);
    const auto path = specifiers.expand(unescape((*fields)[1]));
    const auto argument =
        specifiers.expand(fields->size() > 6 && (*fields)[6] != "-" ? (*fields)[6] : "");
    out.mode = said(*fields, 2);
    out.user = said(*fields, 3);
    out.group = said(*fields, 4);
    const std::string digits = without(out.mode, "~:");
    const auto mode = parse_u64(digits, 8);
    if (!out.mode.empty() && (!mode || *mode > 07777)) {
        return "a mode that is not octal";
    }
    // Of the running machine, or nothing a Tree holds, or about removal and age alone.
    const bool machine = out.modifiers.find_first_of("!^") != std::string::npos ||
                         std::string_view("xXrRaAhHtT").find(type[0]) != std::string_view::npos;
    if (machine || !path || !argument) {
        return nullptr;
    }
    if (!path->starts_with('/')) {
        return "a path that is not absolute";
    }
    out.type = type[0];
    out.path = absolute_path(*path, "/");
    if (out.path.starts_with("/var/run/")) {
        out.path.erase(0, 4);  // as systemd does, whatever /var/run is
    }
    out.argument = std::string_view("fFw").find(type[0]) != std::string_view::npos
                       ? unescape(*argument)
                       : *argument;
    return nullptr;
}

}  // namespace

Result<std::vector<TmpfilesLine>> read_tmpfiles(const Store& store, const Tree& tree) {
    std::map<std::string, const TreeEntry*> files;
    for (const char* directory : {"usr/lib/tmpfiles.d", "etc/tmpfiles.d"}) {
        for (const TreeEntry* entry : tree.below(directory)) {
            if (entry->path.ends_with(".conf") && parent_path(entry->path) == directory) {
                files[file_name(entry->path)] = entry;
            }
        }
    }
    const Specifiers specifiers(store, tree);
    std::vector<TmpfilesLine> out;
    Error problem = error(ErrorKind::kCorrupt, "lines of tmpfiles.d that cannot be read");
    for (const auto& [name, entry] : files) {
        // A link to /dev/null masks its twin.
        const TreeEntry* file =
            entry->kind == EntryKind::kFile ? entry : resolve_links(tree, entry->path);
        if (file == nullptr || file->kind != EntryKind::kFile) {
            continue;
        }
        const std::string text = TARN_TRY(store.read(file->content));
        std::size_t number = 0;
        for (const std::string_view raw : split_lines(text)) {
            ++number;
            const std::string_view line = trim(raw);
            if (line.empty() || line.starts_with('#')) {
                continue;
            }
            TmpfilesLine parsed;
            parsed.where = fmt::format("/{}:{}", entry->path, number);
            const char* wrong = line.size() > kMaxLine ? "a line that is too long"
                                                       : parse_line(line, specifiers, parsed);
            if (wrong != nullptr) {
                problem.notes.push_back(
                    fmt::format("{}: {}: {}", parsed.where, wrong, line.substr(0, 200)));
            } else if (parsed.type != 0) {
                out.push_back(std::move(parsed));
            }
        }
    }
    if (!problem.notes.empty()) {
        problem.help.emplace_back("tmpfiles.d(5): Type Path Mode User Group Age Argument");
        return fail(std::move(problem));
    }
    return out;
}

}  // namespace tarn::image
