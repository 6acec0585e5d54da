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

}  // namespace tarn::cli
