// SPDX-License-Identifier: MIT
// An RPM spec as a lossless, editable document: parse then print gives the same bytes. The line
// view is that of the declaration format (azldev): sections by header lines, tags by "Name: value",
// conditionals not interpreted. Lines keep their text without the newline.
#pragma once

#include "base/result.hh"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

struct SpecSection {
    std::string name;       // "%files" as written; "" for the preamble
    std::string package;    // header text: "devel" or the operand of -n; "" for the main package
    std::size_t begin = 0;  // header line (preamble: 0)
    std::size_t end = 0;    // one past its last line
};

struct SpecTag {
    std::size_t line = 0;
    std::string name;
    std::string value;
    std::size_t section = 0;  // index into sections()
};

// A line as a section header, or as a tag. Lines that begin with '#' are neither.
struct SpecHeader {
    std::string name;     // "%Files" as written
    std::string keyword;  // "files"
    std::string package;
};
std::optional<SpecHeader> parse_spec_header(std::string_view line);
struct SpecTagText {
    std::string name, value;
};
std::optional<SpecTagText> parse_spec_tag(std::string_view line);
// Without white space around it; white space is Unicode's.
std::string_view spec_trim(std::string_view text);

class SpecDocument {
  public:
    static SpecDocument parse(std::string_view text);
    std::string print() const;

    const std::vector<std::string>& lines() const { return lines_; }
    const std::vector<SpecSection>& sections() const { return sections_; }
    const std::vector<SpecTag>& tags() const { return tags_; }

    // A given line that contains newlines becomes several. Line numbers, sections and tags are
    // those of the changed document afterwards.
    void insert(std::size_t before_line, const std::vector<std::string>& lines);
    void remove(std::size_t first, std::size_t count);
    void replace(std::size_t line, std::string text);

  private:
    void index();  // finds sections and tags
    std::vector<std::string> lines_;
    std::vector<SpecSection> sections_;
    std::vector<SpecTag> tags_;
    bool final_newline_ = true;
};

}  // namespace tarn
