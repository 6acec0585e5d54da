// SPDX-License-Identifier: MIT
// What build_components works on: every component queried, ordered, and its rpmbuild action made.
#pragma once

#include "base/result.hh"
#include "build/build.hh"
#include "build/detail/graph.hh"
#include "build/detail/query.hh"

#include <optional>
#include <string>
#include <vector>

namespace tarn::build {

struct PlannedComponent {
    const Component* component = nullptr;
    const Rendered* rendered = nullptr;
    Digest tree{};  // of build_tree()
    std::string spec_text;
    Digest spec{};
    SpecQuery query;
    std::optional<BuildFailure> failure;  // the spec could not be read
};

struct Plan {
    std::vector<PlannedComponent> components;
    Graph graph;
    std::vector<bool> wanted;
};

// Queries every component (through the executor, so cached) and orders them. Specs that cannot be
// read become failures of their component; a cycle is an Error.
Result<Plan> make_plan(const Store& store,
                       Executor& executor,
                       const BuildRequest& request,
                       Reporter& reporter);

Action rpmbuild_action(const PlannedComponent& planned,
                       const Digest& root,
                       std::int64_t source_date_epoch,
                       const std::string& architecture = {});
// What every buildroot has: base-packages, and cross-packages where something is cross built.
std::vector<std::string> base_packages(const BuildRequest& request);

// A package with what its header says.
Result<AvailablePackage> load_package(const Store& store, const Digest& rpm);

}  // namespace tarn::build
