// SPDX-License-Identifier: MIT
// Relations of a control file (Debian policy 7.1) and what they are in RPM's words.
#pragma once

#include "base/result.hh"
#include "rpm/package.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::import {

enum class Comparison { kNone, kLess, kLessEqual, kEqual, kGreaterEqual, kGreater };

struct Relation {
    std::string name;  // without ":any"
    Comparison comparison = Comparison::kNone;
    std::string version;
};
using Clause = std::vector<Relation>;  // alternatives, in order

// "a (>= 1), b | c". kCorrupt with the clause on malformed input; `what` names the field.
Result<std::vector<Clause>> parse_relations(std::string_view field, std::string_view what);

// The version of a relation, such that it holds for imported packages (whose releases end in
// `suffix`) exactly when the Debian relation holds. Empty without comparison.
std::string relation_evr(const Relation& relation, const std::string& suffix);

// `rpm_name` with the relation's comparison and version.
rpm::Dependency to_dependency(const Relation& relation,
                              const std::string& rpm_name,
                              const std::string& suffix);

}  // namespace tarn::import
