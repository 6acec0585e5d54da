// SPDX-License-Identifier: MIT
// Diagnostics with source positions. A SourceMap holds every loaded file; a Pos is an offset into
// their concatenation, and becomes file, line and column only when drawn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace tarn {

struct Pos {
    std::uint32_t id = 0;  // 0: unknown
    explicit operator bool() const { return id != 0; }
    auto operator<=>(const Pos&) const = default;
};

struct Span {
    Pos begin{};
    std::uint32_t length = 0;
};

// Where a Pos is: line and column count from 1, the column in bytes.
struct Location {
    std::string_view file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::string_view line_text;  // without its newline
};

// All source texts of one run. Texts are never moved or dropped: views into them stay good.
class SourceMap {
  public:
    SourceMap();
    SourceMap(SourceMap&&) noexcept;
    SourceMap& operator=(SourceMap&&) noexcept;
    ~SourceMap();

    struct File {
        std::string name;  // as it is to be shown: relative to where the user stands
        std::string text;
        std::uint32_t base = 0;  // Pos id of its first byte
    };
    // The stored file; its text is a copy that lives as long as the map.
    const File& add(std::string name, std::string text);

    // Position of line and column (both from 1) in a file; unknown when outside.
    Pos at(const File& file, std::uint32_t line, std::uint32_t column) const;
    Pos offset(const File& file, std::size_t bytes) const;
    Location locate(Pos pos) const;  // file is empty when unknown

  private:
    struct Impl;
    Impl* impl_;
};

enum class Severity : std::uint8_t { kNote, kWarning, kError };

struct Label {
    Span span;
    std::string text;
};

struct Diagnostic {
    Severity severity = Severity::kError;
    std::string message;
    Span primary{};
    std::vector<Label> labels{};     // other places that matter, drawn as "note: <text>" with caret
    std::vector<std::string> notes{};
    std::vector<std::string> help{};
};

// Collects what goes wrong in one load or check. Passed by reference, never global.
class Diagnostics {
  public:
    explicit Diagnostics(const SourceMap& map) : map_(&map) {}
    void add(Diagnostic diagnostic);
    void error(Span where, std::string message, std::string help = {});
    void warning(Span where, std::string message, std::string help = {});
    std::size_t errors() const { return errors_; }
    const std::vector<Diagnostic>& all() const { return all_; }

    // All of them drawn, by position, errors capped at `cap` ("... and 12 more errors").
    std::string draw(std::size_t cap = 20) const;
    // Fine without errors; else an Error of `kind` whose `rendered` is draw() and whose message
    // counts: "2 errors; nothing was changed".
    Result<void> checkpoint(ErrorKind kind = ErrorKind::kUsage) const;

  private:
    const SourceMap* map_;
    std::vector<Diagnostic> all_;
    std::size_t errors_ = 0;
};

// One diagnostic as text, ending in a newline:
//   components/bash.toml:4:1: error: unknown key `relase`
//       4 | relase = "1"
//         | ^^^^^^
//         = help: did you mean `release`?
std::string draw(const Diagnostic& diagnostic, const SourceMap& map);

}  // namespace tarn
