// SPDX-License-Identifier: MIT
#include "spec/detail/names.hh"

#include "spec/detail/header.hh"

namespace tarn::specs {
namespace {

constexpr std::string_view kName = "%{name}";

// %name, %{name} and %{?name} become `value`.
std::string with_name(std::string_view text, std::string_view value) {
    std::string result;
    while (!text.empty()) {
        bool found = false;
        for (std::string_view form : {"%{name}", "%{?name}", "%name", "%{NAME}"}) {
            const bool bare = form.back() != '}';
            if (text.starts_with(form) &&
                !(bare && text.size() > form.size() && is_word(text[form.size()]))) {
                result += value;
                text.remove_prefix(form.size());
                found = true;
                break;
            }
        }
        if (!found) {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

}  // namespace

bool PackageNames::is_body(std::string_view word) const {
    const std::string_view macro = macro_of(word);
    return !macro.empty() &&
           (bodies_.contains(macro) || macro.find("description") != std::string_view::npos);
}

std::string PackageNames::package(std::string_view operand, bool absolute) const {
    if (operand.empty()) {
        return {};
    }
    if (!absolute) {
        return std::string(kName) + "-" + std::string(operand);
    }
    const std::string main = main_.empty() ? std::string(kName) : main_;
    const std::string name = with_name(operand, main);
    if (name == main) {
        return {};
    }
    if (name.starts_with(main) && (name[main.size()] == '-' || main.ends_with('}'))) {
        return std::string(kName) + name.substr(main.size());
    }
    return name;
}

}  // namespace tarn::specs
