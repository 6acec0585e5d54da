// SPDX-License-Identifier: MIT
// Reading repodata: repomd.xml, primary.xml, filelists.xml. The bytes come from outside: limits, no
// document types, no entities, nothing fetched.
#pragma once

#include "repo/repo.hh"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::repo {

struct DataFile {
    std::string location;  // "repodata/<sha256>-primary.xml.zst", safe and relative
    Digest digest{};       // of the file as it lies there
    Digest open{};         // uncompressed
};
struct Repomd {
    std::string revision;
    std::map<std::string, DataFile> data;  // by type
};

// kCorrupt with `name` and the place on anything malformed or incomplete.
Result<Repomd> parse_repomd(std::string_view xml, const std::string& name);
Result<std::vector<RepoIndex::Item>> parse_primary(std::string_view xml, const std::string& name);
// Which of the `wanted` paths each package (by the hex digest of its file) has.
Result<std::map<std::string, std::vector<std::string>>> parse_filelists(
    std::string_view xml, const std::set<std::string>& wanted, const std::string& name);

}  // namespace tarn::repo
