// SPDX-License-Identifier: MIT
// What a person may have meant by something that matches nothing.
#pragma once

#include "spec/document.hh"

#include <string>
#include <string_view>

namespace tarn::overlay {

// "jq.spec:61 is the nearest line:  %configure ..."; empty when no line is near. Only lines of
// sections for which the filters hold are looked at.
std::string nearest_line(const SpecDocument& spec,
                         const std::string& spec_name,
                         std::string_view regex,
                         std::string_view section,
                         std::string_view package);

// Names and numbers of the sections, for "there is no section ...".
std::string section_title(std::string_view name, std::string_view package);
std::string nearest_section(const SpecDocument& spec,
                            std::string_view name,
                            std::string_view package);
std::string nearest_tag(const SpecDocument& spec,
                        const std::string& spec_name,
                        std::string_view tag,
                        std::string_view package);

}  // namespace tarn::overlay
