// SPDX-License-Identifier: MIT
// From collected declarations to the project: inheritance, defaults, and every name that has to be
// defined.
#pragma once

#include "project/detail/files.hh"

namespace tarn::declaration {

class Resolver {
  public:
    Resolver(FileReader& files, Diagnostics& diagnostics, bool permissive)
        : files_(files), diagnostics_(diagnostics), permissive_(permissive) {}

    // Moves everything out of what was collected.
    Project resolve();

  private:
    using Members = std::map<std::string, std::vector<std::string>>;

    void complain(Span where, std::string message, std::string help = {});
    void distros();
    void check_reference(const DistroReference& reference);
    void check_names();
    void check_packages();
    void check_resources();
    void check_inputs(const std::vector<InputReference>& inputs);

    Members groups();  // component -> its groups
    void found_members(GroupConfig& group, Members& groups_of);
    void components();
    void finish_component(ComponentConfig& config);
    void check_spec(ComponentConfig& config);
    void check_sources(const ComponentConfig& config);
    void add_overlay_files(ComponentConfig& config);
    const std::vector<std::string>& overlay_paths(const std::string& pattern,
                                                  const std::string& directory,
                                                  Span where);

    void images();
    const ImageConfig* image(const std::string& name, std::vector<std::string>& open);

    FileReader& files_;
    Diagnostics& diagnostics_;
    bool permissive_;
    Project project_{};
    std::map<std::string, ImageConfig> resolved_images_{};
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> overlay_paths_{};
    std::map<Pos, bool> reported_{};  // one message for a default that all inherit
};

}  // namespace tarn::declaration
