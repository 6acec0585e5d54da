// SPDX-License-Identifier: MIT
#include "render/rendered_tree.hh"

#include <set>

namespace tarn {

void filter_rendered(SourceSet& sources, const std::string& spec_name, bool skip_filter,
                     const MacroTable& known) {
    if (skip_filter) {
        return;
    }
    auto text = sources.read(spec_name);
    if (!text) {
        return;
    }
    const SpecIncludes loaded = [&](std::string_view file) -> std::optional<std::string> {
        auto read = sources.read(std::string(file));
        return read ? std::optional<std::string>(std::move(*read)) : std::nullopt;
    };
    SpecFacts facts = read_spec_facts(*text, known, loaded);
    // What a spec includes is in a source package only as a Source.
    facts.includes.clear();
    std::vector<std::string> present;
    for (const std::string& path : sources.paths()) {
        const std::string top = path.substr(0, path.find('/'));
        if (present.empty() || present.back() != top) {
            present.push_back(top);
        }
    }
    const ReferencedFiles referenced = referenced_files(facts, present);
    if (!referenced.sure) {
        return;
    }
    std::set<std::string> kept(referenced.names.begin(), referenced.names.end());
    kept.insert(spec_name);
    kept.insert("sources");
    for (const std::string& path : sources.paths()) {
        if (!kept.contains(path.substr(0, path.find('/')))) {
            sources.remove(path);
        }
    }
}

}  // namespace tarn
