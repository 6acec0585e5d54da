// SPDX-License-Identifier: MIT
// One description being laid over one image.
#pragma once

#include "kiwi/detail/element.hh"
#include "kiwi/kiwi.hh"

#include <initializer_list>
#include <set>

namespace tarn::kiwi {

struct Reading {
    const std::string& path;
    const Selection& selection;
    Image& image;
    std::set<std::string> profiles;  // active
    std::vector<std::string> notes{};
    std::vector<std::string> problems{};

    void note(const Element& at, std::string text);
    void refuse(const Element& at, std::string text);
    // Whether its profiles="..." and arch="..." let an element apply.
    bool applies(const Element& element) const;
    // Attributes beyond `known`, profiles and arch are refused.
    void only(const Element& element, std::initializer_list<std::string_view> known);
    void unknown(const Element& parent, const Element& child);
};

// The <type> that is to be built, and its preferences.
void read_preferences(Reading& reading, const Element& image);
void read_type(Reading& reading, const Element& type);
void read_container(Reading& reading, const Element& config);

}  // namespace tarn::kiwi
