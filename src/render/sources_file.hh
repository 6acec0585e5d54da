// SPDX-License-Identifier: MIT
// The `sources` file of a dist-git: which files come from the lookaside, with their hashes. Two
// line forms: `SHA512 (name) = hex` and the old `md5hex  name`. Everything else stays in its place.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn {

struct SourcesEntry {
    std::string name;
    std::string hash_type;  // "MD5", "SHA256", "SHA512"
    std::string hash;       // lower-case hex of the right length
    std::size_t line = 0;   // from 1
};

class SourcesFile {
  public:
    // kCorrupt: `file_name`:line and what is wrong (a name twice, a hash of the wrong length, a
    // name that is a path).
    static Result<SourcesFile> parse(std::string_view text, const std::string& file_name);
    const std::vector<SourcesEntry>& entries() const { return entries_; }
    const SourcesEntry* find(std::string_view name) const;
    void replace(const SourcesEntry& entry);  // the line of the same name, in place
    void append(const SourcesEntry& entry);
    std::string print() const;

  private:
    std::vector<std::string> lines_;
    std::vector<SourcesEntry> entries_;
};

}  // namespace tarn
