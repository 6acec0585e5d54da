// SPDX-License-Identifier: MIT
// Dependency texts taken apart, before libsolv knows of them.
#pragma once

#include "solve/solve.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::solve {

// Which versions a relation wants; empty `version` wants any.
enum Comparison : int { kAny = 0, kGreater = 1, kEqual = 2, kLess = 4 };

struct Relation {
    std::string name;
    int comparison = kAny;  // of Comparison, or-ed
    std::string version;
};

// "name" or "name >= evr". What cannot be read becomes a name that nothing provides, so that the
// solver's explanation shows it.
Relation parse_rpm_relation(std::string_view text);

// "a (>= 1) | b:any, c [amd64]" (Debian policy 7.1): clauses of alternatives. ":any", ":native" and
// the architecture's own name are taken off; alternatives for other architectures are left out, and
// so is a clause that has none left.
std::vector<std::vector<Relation>> parse_deb_relations(std::string_view text,
                                                       std::string_view architecture);

}  // namespace tarn::solve
