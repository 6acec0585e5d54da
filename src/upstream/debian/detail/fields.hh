// SPDX-License-Identifier: MIT
// The one reader of control syntax (Debian policy 5.1); indexes of 50 MB go through it without a
// copy, so it hands out views.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>

namespace tarn::debian::detail {

class FieldSink {
  public:
    virtual ~FieldSink() = default;
    // `value` is raw: the rest of the field's first line and its continuation lines with their
    // newlines and leading blanks.
    virtual Result<void> field(std::string_view name, std::string_view value, std::size_t line) = 0;
    virtual Result<void> end_of_paragraph(std::size_t line) = 0;
};

// Comment lines ("#") are skipped. kCorrupt with the line on anything malformed.
Result<void> scan_fields(std::string_view text, const std::string& name, FieldSink& sink);

// A raw value as people mean it: first line trimmed, each continuation line without its leading
// blank, joined by newlines.
std::string unfold(std::string_view raw);

}  // namespace tarn::debian::detail
