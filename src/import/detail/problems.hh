// SPDX-License-Identifier: MIT
// What goes wrong while one package is converted, collected.
#pragma once

#include "diag/diagnostic.hh"
#include "project/model.hh"

#include <string>
#include <utility>
#include <vector>

namespace tarn::import {

class Problems {
  public:
    // `rule` may be null: then errors have no place in the project's files.
    Problems(const SourceMap& sources, const ImportRule* rule)
        : diagnostics_(sources), where_(rule != nullptr ? rule->where : Span{}) {}

    void error(std::string message, std::string help = {}) {
        diagnostics_.error(where_, std::move(message), std::move(help));
    }
    void add(Diagnostic diagnostic) {
        if (!diagnostic.primary.begin) {
            diagnostic.primary = where_;
        }
        diagnostics_.add(std::move(diagnostic));
    }
    void warn(std::string message) { warnings_.push_back(std::move(message)); }
    // For errors of other rooms: notes and help are kept.
    void add(const Error& problem) {
        Diagnostic diagnostic;
        diagnostic.message = problem.message;
        diagnostic.notes = problem.notes;
        diagnostic.help = problem.help;
        add(std::move(diagnostic));
    }

    std::vector<std::string>& warnings() { return warnings_; }
    std::size_t errors() const { return diagnostics_.errors(); }
    // All of it as one Error about `package`.
    Result<void> checkpoint(const std::string& package) const;

  private:
    Diagnostics diagnostics_;
    Span where_;
    std::vector<std::string> warnings_;
};

}  // namespace tarn::import
