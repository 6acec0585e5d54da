// SPDX-License-Identifier: MIT
// What rendered directories were made of, so that unchanged ones need not be made again: a file in
// the work directory, one component a line. Only stat(2) is asked, as git's index does.
#pragma once

#include "base/result.hh"
#include "project/model.hh"
#include "store/digest.hh"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tarn {

struct RenderIndexEntry {
    std::string input;    // hex
    std::string output;   // hex
    std::string history;  // of its lock's versions, hex
    std::vector<std::string> warnings{};
};

struct RenderIndex {
    std::int64_t written_ns = 0;  // when it was written: what changed since then, or just before,
                                  // may change again without its times telling
    std::string head;  // of the project's repository when `history` was computed
    std::map<std::string, RenderIndexEntry, std::less<>> entries;

    // Empty when there is none or it is not understood: it is only a cache.
    static RenderIndex read(const std::string& path);
    Result<void> write(const std::string& path) const;
};

// Names, sizes, times and inodes of everything below a directory, as a digest; `newest` becomes the
// latest modification seen. Empty when it cannot be read.
std::string directory_signature(const std::string& directory, std::int64_t& newest_ns);
std::string file_signature(const std::string& path, std::int64_t& newest_ns);

// Everything declared that rendering looks at, and the files it names.
std::string component_signature(const Project& project,
                                const Component& component,
                                std::int64_t& newest_ns);

}  // namespace tarn
