// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "spec/detail/conditions.hh"
#include "spec/detail/expander.hh"
#include "spec/detail/expression.hh"
#include "spec/detail/header.hh"
#include "spec/detail/joiner.hh"
#include "spec/macros.hh"

#include <algorithm>
#include <array>
#include <utility>

namespace tarn {

using specs::ConditionWord;
using specs::Holds;

namespace {

constexpr std::uint64_t kWork = 16U << 20U;
constexpr int kDeepestInclude = 8;
constexpr std::size_t kMostIncludes = 200;
constexpr std::size_t kMostFiles = 100'000;

std::string last_component(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::any_of(
        parts.begin(), parts.end(), [&](std::string_view part) { return contains(text, part); });
}

// Tags whose value rpm makes a macro.
bool is_macro_tag(std::string_view name) {
    constexpr std::array<std::string_view, 11> kTags = {"name",
                                                        "version",
                                                        "release",
                                                        "epoch",
                                                        "summary",
                                                        "license",
                                                        "url",
                                                        "group",
                                                        "packager",
                                                        "vendor",
                                                        "distribution"};
    return std::find(kTags.begin(), kTags.end(), name) != kTags.end();
}

std::string to_upper(std::string_view text) {
    std::string upper(text);
    for (char& c : upper) {
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return upper;
}

class Reader {
  public:
    Reader(const MacroTable& known, const SpecIncludes& includes)
        : macros_(MacroTable::of_rpm()), includes_(includes) {
        macros_.overlay(known);
    }

    SpecFacts read(std::string_view text) {
        work_.left = kWork + 16 * text.size();
        own_definitions(text);
        read_text(text, 0);
        facts_.macros = std::move(macros_);
        return std::move(facts_);
    }

  private:
    // Whether such names are defined is up to the spec.
    void own_definitions(std::string_view text) {
        for (std::string_view word : {"%global", "%define"}) {
            for (std::size_t at = text.find(word); at != std::string_view::npos;
                 at = text.find(word, at)) {
                at += word.size();
                std::size_t begin = at;
                while (begin < text.size() && specs::is_blank(text[begin])) {
                    ++begin;
                }
                std::size_t end = begin;
                while (end < text.size() && specs::is_word(text[end])) {
                    ++end;
                }
                if (begin > at && end > begin && !macros_.known(text.substr(begin, end - begin))) {
                    macros_.undefine(std::string(text.substr(begin, end - begin)));
                }
                at = end;
            }
        }
    }

    void read_text(std::string_view text, int depth) {
        const std::vector<std::string_view> lines = split_lines(text);
        specs::LineJoiner joiner;
        const std::size_t line_before = line_;
        for (std::size_t i = 0; i < lines.size();) {
            std::size_t end = i;
            do {
                joiner.feed(lines[end++]);
            } while (joiner.open() && end < lines.size());
            if (joiner.in_macro()) {
                // Open to the end of the file: rpm refuses such a spec.
                joiner.ignore_macros();
                end = i + 1;
            }
            joiner.reset();
            const char* begin = lines[i].data();
            const char* behind = lines[end - 1].data() + lines[end - 1].size();
            line_ = depth == 0 ? i : line_before;
            logical_line({begin, static_cast<std::size_t>(behind - begin)}, depth);
            i = end;
        }
        line_ = line_before;
    }

    // Lines that rpm expands together.
    void logical_line(std::string_view text, int depth) {
        const specs::ConditionText condition = specs::condition_text(text);
        if (condition.word != ConditionWord::kNone) {
            directive(condition);
            return;
        }
        if (stack_.now() == Holds::kNo) {
            for (std::string_view line : split_lines(text)) {
                directive(specs::condition_text(line));
            }
            return;
        }
        if (!needs_expansion(text)) {
            for (std::string_view line : split_lines(text)) {
                expanded_line(line, line, {}, depth);
            }
            return;
        }
        const Expansion expanded = run(text);
        const std::vector<std::string_view> lines = split_lines(expanded.text);
        const bool single = text.find('\n') == std::string_view::npos && lines.size() == 1;
        for (std::string_view line : lines) {
            expanded_line(line, single ? text : line, expanded.unresolved, depth);
        }
        load(depth);
    }

    // Outside of tags, only what can define macros or make sections.
    bool needs_expansion(std::string_view text) const {
        if (text.find('%') == std::string_view::npos) {
            return false;
        }
        if (bears_tags_ || is_list_) {
            return specs::header_keyword_of(text).empty() || contains(text, "%{");
        }
        return contains_any(
            text, {"%global", "%define", "%undefine", "%bcond", "%{load", "%load", "%{expand"});
    }

    Expansion run(std::string_view text) {
        specs::Expander expander(macros_, specs::Unknown::kAsWritten, work_);
        expander.fold_opaque();
        Expansion result = expander.expand(text);
        for (auto& [name, macro] : expander.definitions()) {
            take_over(name, std::move(macro));
        }
        loaded_ = std::move(expander.loaded());
        return result;
    }

    void take_over(const std::string& name, std::optional<MacroTable::Macro> macro) {
        if (stack_.now() == Holds::kMaybe) {
            const MacroTable::Macro* before = macros_.find(name);
            if (!macro) {
                if (before == nullptr) {
                    return;
                }
                macro = *before;
            } else if (before != nullptr && before->body == macro->body) {
                return;
            }
            macro->uncertain = true;
        }
        if (macro) {
            macros_.define(name, std::move(*macro));
        } else {
            macros_.undefine(name);
        }
    }

    void set_macro(const std::string& name, const Expansion& value) {
        MacroTable::Macro macro;
        // Expanded once more where it is used, as rpm does.
        macro.body = value.text;
        take_over(name, std::move(macro));
    }

    std::optional<bool> decide(const specs::ConditionText& text) {
        specs::Expander expander(macros_, specs::Unknown::kCondition, work_);
        const bool is_list = text.keyword.ends_with("arch") || text.keyword.ends_with("os");
        const std::string_view argument = text.argument;
        std::string joined(argument);
        joined = replace_all(std::move(joined), "\\\n", " ");
        const std::string expanded = expander.expand(joined).text;
        if (!is_list) {
            return specs::evaluate(expanded).truth();
        }
        const bool negated = text.keyword.starts_with("ifn");
        const MacroTable::Macro* target =
            macros_.find(text.keyword.ends_with("arch") ? "_target_cpu" : "_target_os");
        const std::string os = text.keyword.ends_with("os") ? "linux" : "";
        const std::string wanted = target != nullptr ? target->body : os;
        if (wanted.empty()) {
            return std::nullopt;
        }
        const std::string list = replace_all(expanded, ",", " ");
        bool unknown = false;
        for (std::string_view word : split_words(list)) {
            if (word == wanted) {
                return !negated;
            }
            unknown = unknown || word.find(specs::kUnknownMark) != std::string_view::npos;
        }
        return unknown ? std::nullopt : std::optional(negated);
    }

    void directive(const specs::ConditionText& text) {
        switch (text.word) {
            case ConditionWord::kIf:
                stack_.open(stack_.now() == Holds::kNo ? std::nullopt : decide(text));
                break;
            case ConditionWord::kElif:
                stack_.next(stack_.needs_elif() ? decide(text) : std::nullopt);
                break;
            case ConditionWord::kElse:
                stack_.next(true);
                break;
            case ConditionWord::kEndif:
                stack_.close();
                break;
            case ConditionWord::kNone:
                break;
        }
    }

    void expanded_line(std::string_view line,
                       std::string_view written,
                       const std::vector<std::string>& unresolved,
                       int depth) {
        const std::string_view text = specs::strip_space(line);
        const specs::ConditionText condition = specs::condition_text(line);
        if (condition.word != ConditionWord::kNone) {
            directive(condition);
            return;
        }
        if (text.empty() || text[0] == '#' || stack_.now() == Holds::kNo) {
            return;
        }
        if (text.starts_with("%include") && text.size() > 8 && specs::is_space(text[8])) {
            include(std::string(specs::strip_space(text.substr(8))), depth, false);
            return;
        }
        const std::string_view keyword = specs::header_keyword_of(line);
        if (!keyword.empty()) {
            const specs::SectionKind kind = specs::section_kind(keyword);
            bears_tags_ =
                kind == specs::SectionKind::kPackage || kind == specs::SectionKind::kPreamble;
            is_list_ = keyword == "sourcelist" || keyword == "patchlist";
            is_patch_list_ = keyword == "patchlist";
            in_package_ = in_package_ || kind == specs::SectionKind::kPackage;
            return;
        }
        if (is_list_) {
            const Expansion value{std::string(text), unresolved};
            add_file(is_patch_list_, {}, value, std::string(specs::strip_space(written)));
        } else if (bears_tags_) {
            tag(line, written, unresolved);
        }
    }

    void tag(std::string_view line,
             std::string_view written,
             const std::vector<std::string>& unresolved) {
        const auto tag = specs::tag_line(line);
        if (!tag || !tag->qualifier.empty()) {
            return;
        }
        const std::string name = to_lower(tag->name);
        const Expansion value{std::string(tag->value), unresolved};
        if (name.starts_with("source") || name.starts_with("patch")) {
            const auto raw = specs::tag_line(written);
            const bool is_patch = name[0] == 'p';
            const std::string_view number = std::string_view(name).substr(is_patch ? 5 : 6);
            if (number.empty() || std::all_of(number.begin(), number.end(), specs::is_digit)) {
                add_file(is_patch, number, value, std::string(raw ? raw->value : tag->value));
            }
            return;
        }
        if (!is_macro_tag(name)) {
            return;
        }
        set_macro(name, value);
        set_macro(to_upper(name), value);
        if (!in_package_) {
            main_tag(name, value);
        }
    }

    void main_tag(std::string_view name, const Expansion& value) {
        Expansion* target = name == "name"      ? &facts_.name
                            : name == "version" ? &facts_.version
                            : name == "release" ? &facts_.release
                            : name == "epoch"   ? &facts_.epoch
                                                : nullptr;
        if (target == nullptr) {
            return;
        }
        const bool differs = !target->text.empty() && target->text != value.text;
        *target = value;
        if (differs && stack_.now() == Holds::kMaybe) {
            target->unresolved.emplace_back("(condition)");
        }
    }

    void add_file(bool is_patch,
                  std::string_view number,
                  const Expansion& value,
                  std::string written) {
        std::uint64_t& next = is_patch ? next_patch_ : next_source_;
        const auto given = parse_u64(number);
        const std::uint64_t own = given && *given < UINT32_MAX ? *given : next;
        next = own + 1;
        if (facts_.files.size() >= kMostFiles || value.text.empty()) {
            return;
        }
        SpecFile file;
        file.patch = is_patch;
        file.number = static_cast<unsigned>(own);
        file.expanded = value;
        file.file = last_component(value.text);
        file.pattern = value.text;
        if (!value.complete()) {
            file.pattern =
                specs::Expander(macros_, specs::Unknown::kMarked, work_).expand(written).text;
        }
        file.written = std::move(written);
        file.line = line_;
        file.certain = stack_.now() == Holds::kYes;
        const std::string name = (is_patch ? "PATCH" : "SOURCE") + std::to_string(own);
        set_macro(name, {"%{_sourcedir}/" + file.file, {}});
        set_macro((is_patch ? "PATCHURL" : "SOURCEURL") + std::to_string(own), value);
        facts_.files.push_back(std::move(file));
    }

    void load(int depth) {
        for (const std::string& path : std::exchange(loaded_, {})) {
            include(path, depth, true);
        }
    }

    void include(const std::string& path, int depth, bool is_macro_file) {
        std::string file = last_component(path);
        const bool limited = depth >= kDeepestInclude || ++included_ > kMostIncludes;
        const auto text = includes_ && !limited ? includes_(file) : std::nullopt;
        if (facts_.includes.size() < kMostFiles) {
            facts_.includes.push_back(std::move(file));
        }
        if (!text || text->size() > include_bytes_) {
            return;
        }
        include_bytes_ -= text->size();
        if (!is_macro_file) {
            read_text(*text, depth + 1);
            return;
        }
        MacroTable loaded;
        loaded.define_file(*text);
        if (stack_.now() == Holds::kYes) {
            macros_.overlay(loaded);
        }
    }

    MacroTable macros_;
    const SpecIncludes& includes_;
    SpecFacts facts_{};
    specs::Work work_{};
    specs::ConditionStack stack_{};
    std::vector<std::string> loaded_{};
    std::uint64_t next_source_ = 0, next_patch_ = 0;
    std::size_t line_ = 0;
    std::size_t included_ = 0;
    std::size_t include_bytes_ = 4U << 20U;  // what is still read of included files
    bool bears_tags_ = true;
    bool is_list_ = false, is_patch_list_ = false;
    bool in_package_ = false;
};

}  // namespace

SpecFacts read_spec_facts(std::string_view text,
                          const MacroTable& known,
                          const SpecIncludes& includes) {
    return Reader(known, includes).read(text);
}

}  // namespace tarn
