// SPDX-License-Identifier: MIT
#include "spec/precise.hh"

#include "base/result.hh"
#include "base/strings.hh"
#include "spec/detail/header.hh"
#include "spec/detail/heredoc.hh"
#include "spec/detail/joiner.hh"
#include "spec/detail/names.hh"
#include "spec/document.hh"

#include <algorithm>

namespace tarn {

using specs::ConditionWord;
using specs::SectionKind;

namespace {

constexpr std::size_t kMostProblems = 1000;

// %global and its kin at the beginning of a line, also as "%{!?name: %global name ...}".
bool is_definition(std::string_view text) {
    if (!text.starts_with('%')) {
        return false;
    }
    for (std::string_view word : {"%global", "%define", "%undefine", "%include", "%load"}) {
        if (text.starts_with(word) && text.size() > word.size() &&
            (specs::is_space(text[word.size()]))) {
            return true;
        }
    }
    for (std::string_view word : {"%bcond ", "%bcond\t", "%bcond_with", "%{load:", "%{load "}) {
        if (text.starts_with(word)) {
            return true;
        }
    }
    if (text.starts_with("%{?") || text.starts_with("%{!?")) {
        const std::size_t colon = text.find(':');
        return colon != std::string_view::npos &&
               is_definition(specs::skip_space(text.substr(colon + 1)));
    }
    return false;
}

bool is_dnl(std::string_view text) {
    return text.starts_with("%dnl") && (text.size() == 4 || !specs::is_word(text[4]));
}

// The name a %global or %define line defines.
std::string_view defined_name(std::string_view text) {
    for (std::string_view word : {"%global", "%define"}) {
        const std::size_t at = text.find(word);
        if (at != std::string_view::npos) {
            text = specs::skip_space(text.substr(at + word.size()));
            std::size_t length = 0;
            while (length < text.size() && specs::is_word(text[length])) {
                ++length;
            }
            return text.substr(0, length);
        }
    }
    return {};
}

}  // namespace

class PreciseParser {
  public:
    PreciseParser(std::string_view text, std::string_view main_package) : name_(main_package) {
        spec_.lines_ = split_lines(text);
        spec_.kinds_.resize(spec_.lines_.size());
        spec_.sections_.emplace_back();
    }

    PreciseSpec parse() {
        for (std::size_t i = 0; i < spec_.lines_.size(); ++i) {
            i = read(i);
        }
        finish();
        return std::move(spec_);
    }

  private:
    const std::vector<std::string_view>& lines() const { return spec_.lines_; }

    void problem(std::size_t line, std::string message) {
        if (spec_.problems_.size() < kMostProblems) {
            spec_.problems_.push_back({line, std::move(message)});
        }
    }

    // Reads one line; returns the line to go on behind.
    std::size_t read(std::size_t i) {
        const bool in_macro = joiner_.in_macro() || (joiner_.continued() && joined_);
        if (!joiner_.open()) {
            start_ = i;
            definition_ = joined_ = false;
        }
        joiner_.feed(lines()[i]);
        if (in_macro) {
            set(i, LineKind::kMacroBody);
            check_line_view(i);
        } else {
            classify(i);
            macro_start_ = i;
            problems_at_start_ = spec_.problems_.size();
        }
        if (joiner_.in_macro() && i + 1 == lines().size()) {
            return give_up();
        }
        if (definition_ && in_macro && !joiner_.open()) {
            end_definition();
        }
        return i;
    }

    // Something is open to the end of the file: rpm refuses such a spec. Reads on as if the line
    // that opened it stood alone.
    std::size_t give_up() {
        spec_.problems_.resize(problems_at_start_);
        problem(macro_start_, "a macro opened here is never closed");
        joiner_.ignore_macros();
        definition_ = joined_ = false;
        return macro_start_;
    }

    void set(std::size_t i, LineKind kind) {
        PreciseLine& line = spec_.kinds_[i];
        line.kind = kind;
        line.section = static_cast<std::uint32_t>(spec_.sections_.size() - 1);
        if (!open_conditions_.empty()) {
            line.condition = open_conditions_.back();
            line.branch = branch_of(line.condition);
        } else {
            line.condition = -1;
            line.branch = 0;
        }
    }

    std::uint32_t branch_of(std::int32_t condition) const {
        return static_cast<std::uint32_t>(
            spec_.conditions_[static_cast<std::size_t>(condition)].lines.size() - 1);
    }

    void classify(std::size_t i) {
        const std::string_view line = lines()[i];
        const std::string_view text = specs::skip_space(line);
        const bool first = start_ == i;
        if (text.empty()) {
            set(i, LineKind::kBlank);
        } else if (text[0] == '#' || is_dnl(text)) {
            comment(i, text);
        } else if (specs::condition_text(line).word != ConditionWord::kNone) {
            joined_ = true;
            condition(i);
        } else if (!specs::header_keyword_of(line).empty()) {
            header(i);
        } else if (is_definition(text)) {
            definition_ = joined_ = true;
            set(i, LineKind::kDefinition);
        } else if (first && bears_tags_ && specs::tag_line(line)) {
            set(i, LineKind::kTag);
            learn_name(line);
        } else {
            set(i, LineKind::kText);
            check_line_view(i);
        }
    }

    void comment(std::size_t i, std::string_view text) {
        set(i, LineKind::kComment);
        // %dnl ends with its line, whatever it opens.
        if (is_dnl(text)) {
            joiner_.reset();
            return;
        }
        if (joiner_.in_macro()) {
            problem(i, "this comment opens a macro: rpm reads on to its end and expands it");
        }
        for (std::string_view word : {"%global ", "%define "}) {
            const std::size_t at = text.find(word);
            if (at != std::string_view::npos && text[at - 1] != '%') {
                problem(i, fmt::format("rpm obeys the {}of this comment: write %%", word));
            }
        }
    }

    void condition(std::size_t i) {
        const specs::ConditionText text = specs::condition_text(lines()[i]);
        if (text.word == ConditionWord::kIf) {
            PreciseCondition opened;
            opened.parent = open_conditions_.empty() ? -1 : open_conditions_.back();
            opened.lines = {i};
            open_conditions_.push_back(static_cast<std::int32_t>(spec_.conditions_.size()));
            in_else_.push_back(false);
            spec_.conditions_.push_back(std::move(opened));
            set(i, LineKind::kCondition);
            return;
        }
        if (open_conditions_.empty()) {
            set(i, LineKind::kCondition);
            problem(i, fmt::format("%{} without an %if before it", text.keyword));
            return;
        }
        PreciseCondition& current =
            spec_.conditions_[static_cast<std::size_t>(open_conditions_.back())];
        if (text.word == ConditionWord::kEndif) {
            set(i, LineKind::kCondition);
            current.lines.push_back(i);
            current.closed = true;
            open_conditions_.pop_back();
            in_else_.pop_back();
            return;
        }
        if (in_else_.back()) {
            problem(i,
                    fmt::format("%{} after the %else of the %if in line {}",
                                text.keyword,
                                current.lines.front() + 1));
        }
        in_else_.back() = in_else_.back() || text.word == ConditionWord::kElse;
        current.lines.push_back(i);
        set(i, LineKind::kCondition);
    }

    void header(std::size_t i) {
        const std::string_view line = lines()[i];
        const std::string_view keyword = specs::header_keyword_of(line);
        const SectionKind kind = specs::section_kind(keyword);
        if (line.starts_with("%%")) {
            problem(i, fmt::format("rpm takes %%{0} for %{0}: this starts a section", keyword));
        }
        specs::HeaderText text = specs::read_header(line, kind);
        if (!text.absolute && names_.is_body(text.operand)) {
            text.operand.clear();
        }
        spec_.sections_.back().end = i;
        PreciseSection section;
        section.name = "%" + std::string(keyword);
        section.written = std::move(text.operand);
        section.begin = i;
        section.options = std::move(text.options);
        spec_.sections_.push_back(std::move(section));
        absolute_.push_back(text.absolute);
        bears_tags_ = kind == SectionKind::kPackage || kind == SectionKind::kPreamble;
        set(i, LineKind::kHeader);
    }

    // A definition of several lines: its name is no package's.
    void end_definition() {
        names_.add_body(defined_name(lines()[start_]));
        definition_ = joined_ = false;
    }

    void learn_name(std::string_view line) {
        const auto tag = specs::tag_line(line);
        if (name_.empty() && spec_.sections_.size() == 1 && to_lower(tag->name) == "name") {
            name_ = tag->value;
        }
    }

    // Says where the line view sees a section that is none.
    void check_line_view(std::size_t i) {
        const std::string_view line = lines()[i];
        if (line.find('%') == std::string_view::npos) {
            return;
        }
        const auto header = parse_spec_header(line);
        if (!header) {
            return;
        }
        const bool body = spec_.kinds_[i].kind == LineKind::kMacroBody;
        problem(i,
                fmt::format("{} is no section to rpm: it {}",
                            header->name,
                            body ? "is inside a macro" : "does not begin in column 1"));
    }

    void finish() {
        spec_.sections_.back().end = lines().size();
        for (std::int32_t open : open_conditions_) {
            problem(spec_.conditions_[static_cast<std::size_t>(open)].lines.front(),
                    "this %if has no %endif");
        }
        absolute_.insert(absolute_.begin(), false);
        names_.set_main(name_);
        for (std::size_t i = 0; i < spec_.sections_.size(); ++i) {
            PreciseSection& section = spec_.sections_[i];
            section.package = names_.package(section.written, absolute_[i]);
            here_documents(section);
            section.body_end = body_end(section);
        }
        find_empty();
        std::stable_sort(
            spec_.problems_.begin(),
            spec_.problems_.end(),
            [](const PreciseProblem& a, const PreciseProblem& b) { return a.line < b.line; });
    }

    void here_documents(const PreciseSection& section) {
        if (section.name.empty()) {
            return;
        }
        const SectionKind kind = specs::section_kind(std::string_view(section.name).substr(1));
        const bool other_language =
            kind == SectionKind::kScriptlet &&
            std::any_of(section.options.begin(), section.options.end(), [](const std::string& o) {
                return o.starts_with("-p ") && !o.ends_with("sh");
            });
        if ((kind != SectionKind::kScript && kind != SectionKind::kScriptlet) || other_language) {
            return;
        }
        for (std::size_t line : specs::mark_here_documents(
                 spec_.lines_, spec_.kinds_, section.begin + 1, section.end)) {
            problem(line, fmt::format("the here-document does not end in {}", section.name));
        }
    }

    // Whether the conditional of a line reaches out of the section.
    bool reaches_out(std::size_t line, const PreciseSection& section) const {
        const std::int32_t index = spec_.kinds_[line].condition;
        if (index < 0) {
            return true;  // an %endif without %if
        }
        const PreciseCondition& condition = spec_.conditions_[static_cast<std::size_t>(index)];
        return condition.lines.front() < section.begin || !condition.closed ||
               condition.lines.back() >= section.end;
    }

    std::size_t body_end(const PreciseSection& section) const {
        const std::size_t first = section.name.empty() ? section.begin : section.begin + 1;
        std::size_t end = section.end;
        while (end > first) {
            const LineKind kind = spec_.kinds_[end - 1].kind;
            const bool own = kind == LineKind::kCondition
                                 ? !reaches_out(end - 1, section)
                                 : kind != LineKind::kBlank && kind != LineKind::kComment;
            if (own) {
                break;
            }
            --end;
        }
        return end;
    }

    void find_empty() {
        for (const PreciseLine& line : spec_.kinds_) {
            const bool content = line.kind != LineKind::kBlank && line.kind != LineKind::kComment &&
                                 line.kind != LineKind::kCondition;
            if (content && line.condition >= 0) {
                spec_.conditions_[static_cast<std::size_t>(line.condition)].empty = false;
            }
        }
        // A condition comes before those inside it.
        for (std::size_t i = spec_.conditions_.size(); i-- > 0;) {
            const PreciseCondition& condition = spec_.conditions_[i];
            if (!condition.empty && condition.parent >= 0) {
                spec_.conditions_[static_cast<std::size_t>(condition.parent)].empty = false;
            }
        }
    }

    PreciseSpec spec_;
    specs::LineJoiner joiner_;
    specs::PackageNames names_;
    std::string name_;
    std::size_t start_ = 0;        // first line of what is read together
    std::size_t macro_start_ = 0;  // last line that did not begin inside a macro
    bool definition_ = false;      // it is a definition
    bool joined_ = false;          // rpm joins its lines at a backslash: a definition or condition
    std::size_t problems_at_start_ = 0;
    bool bears_tags_ = true;
    std::vector<bool> absolute_;  // by section
    std::vector<std::int32_t> open_conditions_;
    std::vector<bool> in_else_;
};

PreciseSpec PreciseSpec::parse(std::string_view text, std::string_view main_package) {
    return PreciseParser(text, main_package).parse();
}

}  // namespace tarn
