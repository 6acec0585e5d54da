// SPDX-License-Identifier: MIT
// Debian names into RPM names, and relations into requires, conflicts and provides, given which
// packages are imported together.
#pragma once

#include "import/detail/problems.hh"
#include "import/detail/relation.hh"

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tarn::import {

// What is imported together: Debian names (virtual ones included) and, as absolute paths, the
// programs that are there for scripts to be run by.
class Closure {
  public:
    Closure(const Project& project, const std::vector<std::string>& known);

    bool has(std::string_view name) const { return known_.contains(std::string(name)); }
    bool never(std::string_view name) const { return never_.contains(std::string(name)); }
    // The RPM name of a Debian package: by its rule, else the same.
    std::string rpm_name(const std::string& name) const;
    // What stands for a virtual name: the policy's choice when it is there, else the name itself.
    const std::string& stands_for(const std::string& name) const;
    // All this closure says about a name or path, for a cache key: "libc6=glibc", "dpkg!", "x?".
    std::string describe(const std::string& name) const;
    const std::vector<std::string>& names() const { return names_; }

  private:
    const Project* project_;
    std::vector<std::string> names_;
    std::unordered_set<std::string> known_;
    std::unordered_set<std::string> never_;
};

struct Control {                    // the relations of one package, parsed
    std::vector<Clause> depends;    // Pre-Depends and Depends
    std::vector<Clause> conflicts;  // Conflicts and Breaks
    std::vector<Clause> provides;
};

class Translator {
  public:
    Translator(const Closure& closure,
               const ImportRule& rule,
               std::string suffix,
               Problems& problems)
        : closure_(closure), rule_(rule), suffix_(std::move(suffix)), problems_(problems) {}

    std::vector<rpm::Dependency> requires_of(const Control& control);
    std::vector<rpm::Dependency> conflicts_of(const std::string& package, const Control& control);
    std::vector<rpm::Dependency> provides_of(const Control& control);
    // Requires found in files: paths /usr-merged, interpreters nobody has dropped.
    std::vector<rpm::Dependency> file_requires(const std::vector<rpm::Dependency>& found,
                                               const std::unordered_set<std::string>& own_paths);
    const std::vector<std::string>& dropped_interpreters() const { return interpreters_; }
    // Says which drop-requires entries dropped nothing.
    void warn_about_unused_drops();

  private:
    bool dropped(std::string_view debian_name, std::string_view rpm_name);
    void add_requirement(const Clause& clause, std::vector<rpm::Dependency>& out);
    void report_unknown(const Clause& clause);

    const Closure& closure_;
    const ImportRule& rule_;
    std::string suffix_;
    Problems& problems_;
    std::unordered_set<std::string> used_drops_;
    std::vector<std::string> interpreters_;
};

}  // namespace tarn::import
