// SPDX-License-Identifier: MIT
// An RPM spec as a lossless, editable document: parse then print gives the same bytes. The line
// view is that of the declaration format (azldev): sections by header lines, tags by "Name: value",
// conditionals not interpreted. Lines are without their newline.
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

    std::size_t line_count() const { return lines_.size(); }
    std::string_view line(std::size_t number) const {  // valid until the document changes
        return std::string_view(text_).substr(lines_[number].begin, lines_[number].size);
    }
    const std::vector<SpecSection>& sections() const { return sections_; }
    // Made at the first call; a document is not shared between threads.
    const std::vector<std::string>& lines() const;
    const std::vector<SpecTag>& tags() const;

    // A given line that contains newlines becomes several. Line numbers, sections and tags are
    // those of the changed document afterwards.
    void insert(std::size_t before_line, const std::vector<std::string>& lines);
    void remove(std::size_t first, std::size_t count);
    void replace(std::size_t line, std::string text);

  private:
    struct Line {  // text_[begin, begin + size) without its newline
        std::size_t begin = 0;
        std::size_t size = 0;
    };
    void find_sections();
    void find_tags() const;

    std::string text_;  // as parsed; what edits bring is appended
    std::vector<Line> lines_;
    std::vector<SpecSection> sections_;
    bool final_newline_ = true;
    bool edited_ = false;
    // Caches of lines() and tags().
    mutable std::vector<std::string> strings_;
    mutable std::vector<SpecTag> tags_;
    mutable bool has_strings_ = false;
    mutable bool has_tags_ = false;
};

}  // namespace tarn
