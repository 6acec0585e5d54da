// SPDX-License-Identifier: MIT
// What is wrong with a document, where, and how a person is told.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

// A place in a text, counted from 1; 0 is no place.
struct Mark {
    unsigned line = 0, column = 0;
};

struct Problem {
    enum class Weight {
        kHandOver,  // not done natively: cloud-init may, when the machine has it
        kRefused,   // wrong whoever reads it, or never done
    };
    Weight weight = Weight::kHandOver;
    Mark mark;
    unsigned width = 1;   // columns to underline
    std::string text;     // "`pacakges` is no key of #cloud-config"
    std::string help;     // "did you mean `packages`?"
    bool secret = false;  // the line is not shown
};
using Problems = std::vector<Problem>;

bool any_refused(const Problems& problems);

// "user-data:3:1: `pacakges` is no key of #cloud-config; did you mean `packages`?": one line, no
// value of the document in it.
std::string one_line(std::string_view document, const Problem& problem);

// The first problem in the text is the message; the lines with carets and the other problems are
// notes. kUsage.
Error problems_error(std::string_view document, std::string_view text, Problems problems);

}  // namespace tarn::guest
