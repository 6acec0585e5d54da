// SPDX-License-Identifier: MIT
#pragma once

#include "spec/macros.hh"

#include <cstdint>
#include <memory>

namespace tarn::specs {

// What becomes of a macro that is not known, or not for sure.
enum class Unknown {
    kAsWritten,  // stays; one defined under an undecided condition is taken at its word
    kMarked,     // kUnknownMark stands for it
    kCondition   // the same, also for %{?name} of a name of which nothing is said
};

// What may still be spent on expanding, in bytes looked at; shared by all expansions of one spec.
struct Work {
    std::uint64_t left = 0;
};

class Expander {
  public:
    Expander(const MacroTable& table, Unknown mode, Work& work)
        : table_(table), mode_(mode), work_(work) {}
    // What is not evaluated (%{lua:...}) becomes one line, so that its lines are no lines of a
    // spec.
    void fold_opaque() { fold_opaque_ = true; }

    Expansion expand(std::string_view text);
    // What the text defined (nullopt: undefined), to be taken over into the table.
    using Definitions = std::map<std::string, std::optional<MacroTable::Macro>, std::less<>>;
    Definitions& definitions() { return definitions_; }
    std::vector<std::string>& loaded() { return loaded_; }  // files of %{load:}

  private:
    struct Call {  // of a parametric macro
        std::string name;
        std::vector<std::string> all, positional;
        std::map<std::string, std::string, std::less<>> options;  // "-f" -> its argument
        Definitions local;
    };
    // One macro as it stands in the text.
    struct Use {
        std::string_view name;
        std::string_view written;  // all of it, "%{...}"
        bool conditional = false, negated = false;
        bool has_argument = false;  // behind ':'
        std::string_view argument;  // behind ':', or the words behind the name
    };

    // Append what stands at the beginning of `text` to `out`; return how much of it that was.
    std::size_t one(std::string_view text, std::string& out);
    std::size_t braced(std::string_view text, std::string& out);
    std::size_t bare(std::string_view text, std::string& out);
    std::size_t opaque(std::string_view text, std::string_view name, std::string& out);
    std::size_t expression(std::string_view text, std::string& out);

    void walk(std::string_view text, std::string& out);
    std::string inner(std::string_view text);

    // False: such a macro is not known.
    bool use(const Use& use, std::string& out);
    bool conditional(const Use& use, std::string& out);
    bool parameter(const Use& use, std::string& out);
    bool defined_macro(const MacroTable::Macro& macro, const Use& use, std::string& out);
    bool call(const MacroTable::Macro& macro, const Use& use, std::string& out);
    bool read_options(std::string_view options, Call& call) const;
    bool builtin(const Use& use, std::string& out);
    bool text_builtin(const Use& use, std::string& out);
    bool string_builtin(const Use& use, std::string& out);
    bool lua(const Use& use, std::string& out);
    bool bcond(const Use& use);
    bool calculate(std::string_view text, std::string& out);
    std::size_t define(std::string_view text, bool global);
    void undefine(std::string_view text);

    std::vector<std::string> words(std::string_view text);
    void cannot(const Use& use, std::string_view name, std::string& out);
    void note(std::string_view name);
    bool spend(std::size_t bytes);
    bool is_parametric(std::string_view name) const;
    const std::optional<MacroTable::Macro>* lookup(std::string_view name) const;

    const MacroTable& table_;
    Unknown mode_;
    Work& work_;
    Definitions definitions_{};
    std::vector<std::unique_ptr<Call>> calls_{};
    std::vector<std::string> unresolved_{};
    std::vector<std::string> loaded_{};
    std::uint64_t budget_ = 0;
    unsigned depth_ = 0;
    bool used_uncertain_ = false;
    bool fold_opaque_ = false;
    bool quoted_ = false;   // %quote was used
    bool aborted_ = false;  // a limit was reached
};

// lower upper len sub gsub reverse rep; nullopt when the arguments do not fit.
std::optional<std::string> string_function(std::string_view name,
                                           const std::vector<std::string>& arguments);
// Macros of build systems that stand for the URL of an archive.
bool is_archive_macro(std::string_view name);
// One past the bracket that closes text[open]; npos when nothing does. A backslash hides a
// character.
std::size_t closing(std::string_view text, std::size_t open);

struct Definition {
    std::string_view name;
    std::optional<std::string> options;
    std::string body;
    std::size_t length = 0;  // of the text read
};
// "name(options) body" as behind %define, to the end of the body; nullopt: not a definition.
std::optional<Definition> read_definition(std::string_view text);

}  // namespace tarn::specs
