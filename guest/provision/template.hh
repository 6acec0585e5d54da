// SPDX-License-Identifier: MIT
// "## template: jinja": plain substitution of `{{ v1.local_hostname }}` and `{{ ds.meta_data.x }}`.
// Control flow, filters and comments are jinja's own and not read here.
#pragma once

#include "base/result.hh"

#include "provision/problem.hh"
#include "provision/settings.hh"

#include <map>
#include <string>
#include <string_view>

namespace tarn::guest {

// "v1.instance_id", "v1.local_hostname", ..., "ds.meta_data.instance_id": what a document may name.
std::map<std::string, std::string> template_variables(const Settings& settings);

// True, and `body` without it, when the first line says so.
bool is_template(std::string_view text, std::string_view& body);

// What it cannot do becomes a problem; the text is then of no use.
std::string fill_template(std::string_view body,
                          const std::map<std::string, std::string>& variables,
                          Problems& problems);

}  // namespace tarn::guest
