// rooms: import
// SPDX-License-Identifier: MIT
// What the importer reads of a .deb's control archive: maintainer scripts, relations, copyright.
#include "import/detail/files.hh"
#include "import/detail/license.hh"
#include "import/detail/relation.hh"
#include "import/detail/script.hh"
#include "import/import.hh"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    tarn::ImportPolicy policy;
    policy.script_snippets.push_back({"dh_x", "", ""});
    std::vector<std::string> generators;
    static_cast<void>(tarn::import::uncovered_lines(text, policy, generators));
    static_cast<void>(tarn::import::uncovered_triggers(text, policy, generators));
    static_cast<void>(tarn::import::license_of(text));
    static_cast<void>(tarn::import::capability_bytes(text));
    static_cast<void>(tarn::convert_version(text, ".tn1"));
    if (const auto clauses = tarn::import::parse_relations(text, "Depends")) {
        for (const tarn::import::Clause& clause : *clauses) {
            static_cast<void>(tarn::import::to_dependency(clause.front(), "x", ".tn1"));
        }
    }
    return 0;
}
