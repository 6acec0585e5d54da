// SPDX-License-Identifier: MIT
// Reads declaration files and what they include.
#pragma once

#include "project/detail/collected.hh"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarn::declaration {

inline constexpr std::size_t kFileCountLimit = 100'000;
inline constexpr std::uint64_t kTotalLimit = 1ULL << 30;  // bytes of all files together
inline constexpr std::size_t kIncludeDepthLimit = 64;

class FileReader {
  public:
    FileReader(SourceMap& sources,
               Diagnostics& diagnostics,
               std::string shown_from,
               bool permissive,
               bool strict = false)
        : sources_(sources),
          diagnostics_(diagnostics),
          shown_from_(std::move(shown_from)),
          permissive_(permissive),
          strict_(strict) {}

    void record_origins() { origins_ = true; }
    // A file and, depth first, all it includes. `where` is what asked for it.
    void read_root(const std::string& path, Span where);
    // The declarations of a text that is no file; returns without reading what it includes.
    void read_text(const std::string& name, std::string text);
    // One overlay file, read once however many components name it; nullptr when it is unusable.
    const OverlayDocument* overlay_document(const std::string& path, Span where);

    Collected& collected() { return collected_; }
    const std::vector<Reference>& references() const { return references_; }
    std::vector<DistroReference>& distro_references() { return distro_references_; }
    // Some file could not be read, so names that seem to be missing may be defined in it.
    bool incomplete() const { return incomplete_; }
    std::string shown(const std::string& path) const;
    // Expands a pattern; reports when a literal name matches nothing.
    std::vector<std::string> expand(const std::string& pattern,
                                    const std::string& directory,
                                    Span where,
                                    std::string_view what);

  private:
    struct Visit {
        Span where{};  // the include that led to it
        bool open = true;
    };

    std::optional<Value> parse(const std::string& path, Span where);
    void read(const std::string& path, Span where);
    void report_second_visit(const std::string& path, Span where, const Visit& first);
    Reading reading_in(const std::string& path);

    SourceMap& sources_;
    Diagnostics& diagnostics_;
    std::string shown_from_;
    bool permissive_;
    bool strict_;
    bool origins_ = false;
    bool incomplete_ = false;
    bool limit_reported_ = false;
    std::size_t files_ = 0;
    std::uint64_t bytes_ = 0;
    std::map<std::string, Visit> visits_{};  // of the current root
    std::vector<std::string> open_{};        // files being read, outermost first
    std::map<std::string, std::optional<OverlayDocument>> documents_{};
    Collected collected_{};
    std::vector<Reference> references_{};
    std::vector<DistroReference> distro_references_{};
};

}  // namespace tarn::declaration
