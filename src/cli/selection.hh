// SPDX-License-Identifier: MIT
// Which components a command is about: the options all of them share.
#pragma once

#include <vector>

#include "cli/command.hh"
#include "project/select.hh"

namespace tarn::cli {

// -p, -g, -s, -a and, where locks matter, --skip-lock-validation.
std::vector<Option> selection_options(bool locks);
Argument component_arguments();

enum class Nothing { kError, kAll };  // what no criteria at all mean
// Warnings have been told. Under --compat no criteria are a warning and nothing is selected.
Result<std::vector<const Component*>> selected(Context& context, Nothing nothing);
// Exactly one, named.
Result<const Component*> selected_one(Context& context);

// --arch, and `all` for commands that can do one after the other.
enum class Architectures { kOne, kSeveral };
Option architecture_option(Architectures how_many);
// The workspaces it asks for: the machine's own without it. `image`: one whose declaration may name
// its architecture; of `all` it then means that one.
Result<std::vector<Workspace*>> chosen_workspaces(Context& context, const std::string& image = {});
Result<Workspace*> chosen_workspace(Context& context, const std::string& image = {});

}  // namespace tarn::cli
