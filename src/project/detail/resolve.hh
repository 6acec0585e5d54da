// SPDX-License-Identifier: MIT
// From collected declarations to the project: inheritance, defaults, and every name that has to be
// defined.
#pragma once

#include "project/detail/files.hh"

#include <set>

namespace tarn::declaration {

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : map) {
        keys.push_back(key);
    }
    return keys;
}

class Resolver {
  public:
    Resolver(FileReader& files,
             Diagnostics& diagnostics,
             bool permissive,
             bool strict = false,
             std::string architecture = {})
        : files_(files),
          diagnostics_(diagnostics),
          permissive_(permissive),
          strict_(strict),
          architecture_(architecture.empty() ? "x86_64" : std::move(architecture)) {}

    // Moves everything out of what was collected.
    Project resolve();

  private:
    using Members = std::map<std::string, std::vector<std::string>>;

    void complain(Span where, std::string message, std::string help = {});
    void distros();
    void check_reference(const DistroReference& reference);
    void check_names();
    void check_packages();
    void settle_channels();

    void resources();
    void expand_set(const RpmRepoSet& set);
    void check_inputs(const std::vector<InputReference>& inputs, bool local_keys);

    void warn_of_false(const ComponentConfig& so_far, const ComponentConfig& layer);
    void warn_of_snapshot(const ComponentConfig& inherited, const ComponentConfig& own);
    void warn_of_traps();
    void warn_of_component(const Component& component);
    void warn_of_defaults(const ComponentConfig& defaults, std::string_view what);
    void warn_once(Span where, std::string message, std::string help = {});

    Members groups();  // component -> its groups
    void found_members(GroupConfig& group, Members& groups_of);
    void components();
    void finish_component(ComponentConfig& config, const ComponentConfig& own);
    void check_spec(ComponentConfig& config, const ComponentConfig& own);
    void check_sources(const ComponentConfig& config);
    void check_archives(const ComponentConfig& config);
    void check_name(const std::string& name, Span where);
    void add_overlay_files(ComponentConfig& config);
    const std::vector<std::string>& overlay_paths(const std::string& pattern,
                                                  const std::string& directory,
                                                  Span where);

    void images();
    const ImageConfig* image(const std::string& name, std::vector<std::string>& open);

    FileReader& files_;
    Diagnostics& diagnostics_;
    bool permissive_;
    bool strict_;
    std::string architecture_;
    Project project_{};
    std::map<std::string, ImageConfig> resolved_images_{};
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> overlay_paths_{};
    std::set<std::pair<Pos, std::string>> warned_{};
    std::map<Pos, bool> reported_{};  // one message for a default that all inherit
};

}  // namespace tarn::declaration
