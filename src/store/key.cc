// SPDX-License-Identifier: MIT
// The text of a key, one field a line:
//   tarn-key <kind> <version>
//   <name>: <text>            spaces stay as they are
//   <name>#: <hex>/<size>     a digest
//   <name>[<n>]: <word>...    a list; spaces within a word are escaped
// Kinds, names and words are escaped as in trees, so no value can look like another field.
#include "store/detail/escape.hh"
#include "store/store.hh"

#include <algorithm>

namespace tarn {

namespace {

constexpr std::string_view kNameSpecial = "\\=:#[]";

std::string name_of(std::string_view name) {
    return detail::escaped(name, kNameSpecial);
}

}  // namespace

KeyBuilder::KeyBuilder(std::string_view kind, int version)
    : text_(fmt::format("tarn-key {} {}\n", name_of(kind), version)) {}

KeyBuilder& KeyBuilder::field(std::string_view name, std::string_view value) {
    text_ += name_of(name);
    text_ += ':';
    // Words and the spaces between them; everything else that is not printable is escaped.
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = std::min(value.find(' ', begin), value.size());
        text_ += ' ';
        detail::append_escaped(text_, value.substr(begin, end - begin), "\\");
        if (end == value.size()) {
            break;
        }
        begin = end + 1;
    }
    text_ += '\n';
    return *this;
}

KeyBuilder& KeyBuilder::field(std::string_view name, const Digest& value) {
    text_ += fmt::format("{}#: {}\n", name_of(name), value.to_string());
    return *this;
}

KeyBuilder& KeyBuilder::field(std::string_view name, const std::vector<std::string>& values) {
    text_ += fmt::format("{}[{}]:", name_of(name), values.size());
    for (const std::string& value : values) {
        text_ += ' ';
        detail::append_escaped(text_, value, "\\");
    }
    text_ += '\n';
    return *this;
}

Digest KeyBuilder::key() const {
    return Digest::of(text_);
}

}  // namespace tarn
