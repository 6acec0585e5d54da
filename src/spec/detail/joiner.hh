// SPDX-License-Identifier: MIT
// When rpm asks for another line before it expands what it has: as long as a %{, %( or %[ is open,
// and after a backslash at the end of a line.
#pragma once

#include <cstdint>
#include <string_view>

namespace tarn::specs {

class LineJoiner {
  public:
    void feed(std::string_view line);  // one more line, without its newline
    bool in_macro() const { return braces_ + parentheses_ + brackets_ > 0; }
    bool continued() const { return continued_; }
    bool open() const { return in_macro() || continued_; }
    void reset() { braces_ = parentheses_ = brackets_ = 0, continued_ = false; }
    // From now on only backslashes count: for the rest of a text in which something is never
    // closed.
    void ignore_macros() {
        reset();
        macros_ = false;
    }

  private:
    void count(char c);
    void open_macro(char bracket);

    std::uint64_t braces_ = 0, parentheses_ = 0, brackets_ = 0;
    bool continued_ = false;
    bool macros_ = true;
};

}  // namespace tarn::specs
