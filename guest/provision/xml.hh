// SPDX-License-Identifier: MIT
// Small XML documents of the platform as a tree. No DTD (so no entity of its own), and limits on
// size, depth and number of elements.
#pragma once

#include "base/result.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct XmlNode {
    std::string name;   // without prefix, in lower case: platforms differ in it
    std::string space;  // namespace, in lower case; empty when there is none
    std::string text;   // all of its own characters
    unsigned long line = 0, column = 0;
    std::vector<XmlNode> children;

    const XmlNode* child(std::string_view lower_name) const;  // the first, or nullptr
    // The trimmed text of a child; empty when it is not there.
    std::string_view text_of(std::string_view lower_name) const;
};

// `what` names the document in errors: "ovf-env.xml:3:7: ...". kCorrupt.
Result<XmlNode> parse_xml(std::string_view what, std::string_view bytes);

std::string escape_xml(std::string_view text);  // also drops what XML 1.0 cannot hold

}  // namespace tarn::guest
