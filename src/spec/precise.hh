// SPDX-License-Identifier: MIT
// A spec as rpm reads it, line by line, beside the line view of document.hh: continuations, macro
// bodies, %{...} over several lines, %{lua:...}, here-documents, indented comments, conditionals
// with %else. Warnings and the `precise` overlay view are built on it. Nothing is expanded, so both
// branches of a conditional are seen, and no section that a macro makes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

enum class LineKind : std::uint8_t {
    kText,  // of the section it is in
    kBlank,
    kComment,     // '#' after white space, or %dnl
    kHeader,      // of a section: in column 0, in any case
    kTag,         // in the preamble and %package
    kCondition,   // %if... %elif... %else %endif; rpm obeys them in here-documents, too
    kDefinition,  // first line of %global, %define, %undefine, %bcond..., %{load:}, %include
    kMacroBody,   // continues a definition or a condition, or a %{...} %(...) %[...] opened earlier
    kHereDocument  // inside one, its end line included; never a header: rpm starts a section there
};

struct PreciseLine {
    LineKind kind = LineKind::kText;
    std::uint32_t section = 0;    // index into sections()
    std::int32_t condition = -1;  // index into conditions() of the innermost one around it; a line
                                  // of kCondition is of its own one
    std::uint32_t branch = 0;     // which of its branches; 0 is that of the %if
};

struct PreciseSection {
    std::string name;          // "%files", lower case as rpm compares it; "" the preamble
    std::string package;       // "" the main package, "%{name}-devel" of both "devel" and
                               // "-n foo-devel", else the name as written
    std::string written;       // package text of the header
    std::size_t begin = 0;     // header line
    std::size_t body_end = 0;  // one past its last own line: without the blank lines, comments
                               // and %if in front of the next header that belong to that, and
                               // without the %else or %endif of a conditional around the section
    std::size_t end = 0;
    std::vector<std::string> options;  // "-p <lua>", "-f list", "-l de", "-a"
};

struct PreciseCondition {
    std::int32_t parent = -1;
    std::vector<std::size_t> lines;  // %if, every %elif/%else, %endif
    bool closed = false;
    bool empty = true;  // holds nothing but blank lines, comments and conditionals like itself
};

struct PreciseProblem {  // what a person should know about the text itself
    std::size_t line = 0;
    std::string message;
};

class PreciseSpec {
  public:
    // Any bytes, in linear time; `text` must outlive the result. `main_package` is what %{name}
    // stands for when names are joined; empty: what the Name tag says.
    static PreciseSpec parse(std::string_view text, std::string_view main_package = {});

    const std::vector<std::string_view>& lines() const { return lines_; }  // without newline
    const std::vector<PreciseLine>& kinds() const { return kinds_; }
    const std::vector<PreciseSection>& sections() const { return sections_; }
    const std::vector<PreciseCondition>& conditions() const { return conditions_; }
    const std::vector<PreciseProblem>& problems() const { return problems_; }  // by line; capped

  private:
    friend class PreciseParser;
    std::vector<std::string_view> lines_;
    std::vector<PreciseLine> kinds_;
    std::vector<PreciseSection> sections_;
    std::vector<PreciseCondition> conditions_;
    std::vector<PreciseProblem> problems_;
};

}  // namespace tarn
