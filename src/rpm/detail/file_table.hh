// SPDX-License-Identifier: MIT
// The file list of a header: parallel arrays, one element a file, sorted by path.
#pragma once

#include "base/result.hh"
#include "rpm/detail/header.hh"
#include "store/tree.hh"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tarn::rpm {

// One file as the header has it, with what the payload needs of it.
struct TableRow {
    const TreeEntry* entry = nullptr;
    std::uint32_t flags = 0;
    std::uint32_t inode = 0;  // the same for hard links of each other, from 1
    std::uint32_t links = 1;
    bool last_link = true;  // carries the contents in the payload
    std::uint64_t size = 0;
    std::uint32_t mode = 0;  // with the bits of the kind of file
};

struct FileTable {
    std::vector<TableRow> rows;
    std::uint64_t installed_size = 0;  // hard links once
    bool has_capabilities = false;
    bool is_large = false;  // a file or their sum is beyond 32 bits
};

// Rows of `tree`, which must outlive them. kFailed for what a header cannot say.
Result<FileTable> make_file_table(const Tree& tree,
                                  const std::vector<std::pair<std::string, std::uint32_t>>& flags);
Result<void> put_files(HeaderValue& header, const FileTable& table);

// A file of a header, checked: safe path, known kind.
struct ReadFile {
    PackageFile file;
    std::uint64_t size = 0;
};
Result<std::vector<ReadFile>> read_files(const HeaderValue& header, const std::string& name);

// All that a main header says; what only a package file knows stays empty.
Result<PackageInfo> info_of(const HeaderValue& header, const std::string& name);

}  // namespace tarn::rpm
