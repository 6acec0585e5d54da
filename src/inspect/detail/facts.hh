// SPDX-License-Identifier: MIT
// What settings of systemd and of the kernel say.
#pragma once

#include "inspect/facts.hh"

namespace tarn::inspect {

Facts read_units(const Tree& tree);
// /etc hides /run hides /usr by file name; then by name, the last value wins.
Facts read_sysctl(const Store& store, const Tree& tree);
Facts read_ports(const Store& store, const Tree& tree, const Facts& units);

// Values of a key in a section of a unit and its drop-ins, in order; an empty one forgets those
// before it.
std::vector<std::string> unit_values(const Store& store,
                                     const Tree& tree,
                                     const std::string& unit,
                                     std::string_view section,
                                     const std::vector<std::string>& keys);

}  // namespace tarn::inspect
