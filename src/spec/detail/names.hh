// SPDX-License-Identifier: MIT
// Package names of section headers in one spelling.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace tarn::specs {

class PackageNames {
  public:
    // Value of the Name tag as written; may be a macro.
    void set_main(std::string_view name) { main_ = name; }
    // A macro defined over several lines holds text, as in "%description devel %{_description}".
    void add_body(std::string_view macro) { bodies_.emplace(macro); }
    bool is_body(std::string_view word) const;
    // "" for the main package, "%{name}-devel" for both spellings of its sub-package.
    std::string package(std::string_view operand, bool absolute) const;

  private:
    std::string main_;
    std::set<std::string, std::less<>> bodies_;
};

}  // namespace tarn::specs
