// SPDX-License-Identifier: MIT
// A small, pure expander of RPM macros: what a spec says about itself. It opens no file, starts no
// process and runs no Lua; what it cannot know stays as written and is named. Source: rpm's manual,
// "Macro syntax" and "Conditionals", and the behaviour of rpm 4.18.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

namespace specs {
class Expander;
}

struct Expansion {
    std::string text;                     // macros that are not known stay as written
    std::vector<std::string> unresolved;  // their names, each once: "gourl", "lua:...", "(...)";
                                          // "(limit)": too deep or too large, nothing was expanded
    bool complete() const { return unresolved.empty(); }
};

class MacroTable {
  public:
    struct Macro {
        std::string body;
        std::optional<std::string> options;  // "e:s:pb:n" of a parametric one
        bool uncertain = false;              // defined where a condition could not be decided
    };
    void define(std::string name, Macro macro);
    // From now on known not to be defined. A name of which nothing is said is undefined in text,
    // and makes a condition undecided; `with_x`, `_with_x` and `_without_x` are spec's own.
    void undefine(std::string name);
    const Macro* find(std::string_view name) const;
    bool known(std::string_view name) const;  // defined, or known not to be
    void overlay(const MacroTable& other);    // what `other` knows goes before
    // A macro file: "%name(options) body" lines.
    void define_file(std::string_view text);

    // %name, %{name}, %{?name:...}, %{!?name:...}, %%, %{name:argument}, parametric macros with
    // options, %[...] and %{expr:...} over integers, strings and versions, and the built-ins that
    // are functions of their text: basename dirname suffix lower upper len gsub sub reverse rep
    // quote shrink expand dnl S P; %bcond, %bcond_with, %bcond_without; %global, %define and
    // %undefine act within the text. Limited in depth and in the work done, in proportion to the
    // text.
    Expansion expand(std::string_view text) const;
    // The same; what the text defines stays defined.
    Expansion run(std::string_view text);
    // A condition as behind %if: nullopt when it depends on something unknown, or is malformed.
    std::optional<bool> condition(std::string_view text) const;

    // What rpm's own macro file defines, as far as it does not depend on the machine.
    static const MacroTable& of_rpm();

  private:
    friend class specs::Expander;
    std::map<std::string, std::optional<Macro>, std::less<>> macros_;  // nullopt: not defined
};

struct SpecFile {  // one Source or Patch
    bool patch = false;
    unsigned number = 0;
    std::string written;  // value as in the spec
    Expansion expanded;
    std::string file;  // last path component of the expansion, as rpm names the file
    std::string
        pattern;  // the expansion with '\1' for what is not known, '\2' for an archive's name
    std::size_t line = 0;
    bool certain = true;  // false: in a branch that may or may not hold
};

struct SpecFacts {
    Expansion name, epoch, version, release;  // of the main package; the last tag wins
    std::vector<SpecFile> files;              // every Source and Patch of any branch that may hold
    std::vector<std::string> includes;        // file names of %include and %{load:}, in order
    MacroTable macros;                        // as they stand at the end
};

// The text of a file that a spec includes or loads, by file name; nullopt: not to be had.
using SpecIncludes = std::function<std::optional<std::string>(std::string_view file)>;

// Reads a whole spec with `known` macros on top of rpm's own: %global, %define, %undefine, %if and
// tags are obeyed in order, as rpm does; both branches of a condition that cannot be decided are
// read. Handles %sourcelist and %patchlist, Source and Patch without number or with a macro in it.
SpecFacts read_spec_facts(std::string_view text,
                          const MacroTable& known = {},
                          const SpecIncludes& includes = {});

// Which of `present` (file names of a sources directory) the spec refers to: sources, patches and
// included files. A reference that did not expand completely matches as a pattern.
struct ReferencedFiles {
    std::vector<std::string> names;       // sorted
    bool sure = true;                     // false: a reference may be any file
    std::vector<std::string> unresolved;  // references that did not expand completely, as written
};
ReferencedFiles referenced_files(const SpecFacts& facts, const std::vector<std::string>& present);

}  // namespace tarn
