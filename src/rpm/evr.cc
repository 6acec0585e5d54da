// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "rpm/package.hh"

#include <rpm/rpmds.h>

#include <array>

namespace tarn::rpm {

namespace {

constexpr std::uint32_t kCompare = RPMSENSE_LESS | RPMSENSE_GREATER | RPMSENSE_EQUAL;

struct Operator {
    std::string_view text;
    std::uint32_t flags;
};
constexpr std::array<Operator, 5> kOperators{{{"<", RPMSENSE_LESS},
                                              {"<=", RPMSENSE_LESS | RPMSENSE_EQUAL},
                                              {"=", RPMSENSE_EQUAL},
                                              {">=", RPMSENSE_GREATER | RPMSENSE_EQUAL},
                                              {">", RPMSENSE_GREATER}}};

}  // namespace

std::string Evr::to_string() const {
    std::string text = epoch && *epoch != 0 ? fmt::format("{}:{}", *epoch, version) : version;
    if (!release.empty()) {
        text += "-" + release;
    }
    return text;
}

std::string Nevra::to_string() const {
    return fmt::format("{}-{}.{}", name, evr.to_string(), arch);
}

std::string Nevra::file_name() const {
    return fmt::format("{}-{}-{}.{}.rpm", name, evr.version, evr.release, arch);
}

Dependency Dependency::parse(std::string_view text) {
    text = trim(text);
    if (!text.starts_with('(')) {
        const auto words = split_words(text);
        if (words.size() == 3) {
            for (const Operator& op : kOperators) {
                if (words[1] == op.text) {
                    return {std::string(words[0]), op.flags, std::string(words[2])};
                }
            }
        }
    }
    return {std::string(text), 0, {}};
}

std::string Dependency::to_string() const {
    for (const Operator& op : kOperators) {
        if (op.flags == (flags & kCompare)) {
            return fmt::format("{} {} {}", name, op.text, evr);
        }
    }
    return name;
}

}  // namespace tarn::rpm
