// SPDX-License-Identifier: MIT
// How a layer lies over another: single values override, lists append.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace tarn::declaration {

inline void override_text(std::string& into, const std::string& from) {
    if (!from.empty()) {
        into = from;
    }
}

template <class T>
void override_value(T& into, const T& from) {
    if (from != T{}) {
        into = from;
    }
}

template <class T>
void append(std::vector<T>& into, const std::vector<T>& from) {
    into.insert(into.end(), from.begin(), from.end());
}

template <class T>
void override_entries(std::map<std::string, T>& into, const std::map<std::string, T>& from) {
    for (const auto& [key, value] : from) {
        into.insert_or_assign(key, value);
    }
}

}  // namespace tarn::declaration
