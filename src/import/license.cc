// SPDX-License-Identifier: MIT
#include "import/detail/license.hh"

#include "base/strings.hh"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <vector>

namespace tarn::import {

namespace {

constexpr const char* kUnknown = "LicenseRef-Debian-copyright";
constexpr std::size_t kMaxLicenses = 64;

struct Name {
    std::string_view debian, spdx;
};
// Short names of copyright-format 1.0 and those used most besides.
constexpr std::array<Name, 41> kNames{{{"apache-2.0", "Apache-2.0"},
                                       {"artistic", "Artistic-1.0-Perl"},
                                       {"artistic-2.0", "Artistic-2.0"},
                                       {"boost-1.0", "BSL-1.0"},
                                       {"bsd-2-clause", "BSD-2-Clause"},
                                       {"bsd-3-clause", "BSD-3-Clause"},
                                       {"bsd-4-clause", "BSD-4-Clause"},
                                       {"bsl-1.0", "BSL-1.0"},
                                       {"cc0", "CC0-1.0"},
                                       {"cc0-1.0", "CC0-1.0"},
                                       {"curl", "curl"},
                                       {"expat", "MIT"},
                                       {"mit", "MIT"},
                                       {"mit/x11", "MIT"},
                                       {"gfdl-1.3", "GFDL-1.3-only"},
                                       {"gfdl-1.3+", "GFDL-1.3-or-later"},
                                       {"gpl-1", "GPL-1.0-only"},
                                       {"gpl-1+", "GPL-1.0-or-later"},
                                       {"gpl-2", "GPL-2.0-only"},
                                       {"gpl-2+", "GPL-2.0-or-later"},
                                       {"gpl-2.0", "GPL-2.0-only"},
                                       {"gpl-2.0+", "GPL-2.0-or-later"},
                                       {"gpl-3", "GPL-3.0-only"},
                                       {"gpl-3+", "GPL-3.0-or-later"},
                                       {"gpl-3.0", "GPL-3.0-only"},
                                       {"gpl-3.0+", "GPL-3.0-or-later"},
                                       {"isc", "ISC"},
                                       {"lgpl-2", "LGPL-2.0-only"},
                                       {"lgpl-2+", "LGPL-2.0-or-later"},
                                       {"lgpl-2.0", "LGPL-2.0-only"},
                                       {"lgpl-2.0+", "LGPL-2.0-or-later"},
                                       {"lgpl-2.1", "LGPL-2.1-only"},
                                       {"lgpl-2.1+", "LGPL-2.1-or-later"},
                                       {"lgpl-3", "LGPL-3.0-only"},
                                       {"lgpl-3+", "LGPL-3.0-or-later"},
                                       {"lgpl-3.0", "LGPL-3.0-only"},
                                       {"lgpl-3.0+", "LGPL-3.0-or-later"},
                                       {"mpl-1.1", "MPL-1.1"},
                                       {"mpl-2.0", "MPL-2.0"},
                                       {"openssl", "OpenSSL"},
                                       {"zlib", "Zlib"}}};

std::string identifier(std::string_view name) {
    const std::string lower = to_lower(name);
    for (const Name& each : kNames) {
        if (each.debian == lower) {
            return std::string(each.spdx);
        }
    }
    std::string out = "LicenseRef-Debian-";
    for (const char c : name) {
        if (c == '+') {
            out += "-or-later";
        } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-') {
            out += c;
        } else if (!out.ends_with('-')) {
            out += '-';
        }
    }
    return out;
}

// "GPL-2+ or Artistic, and BSD-3-clause" -> {"(GPL-2.0-or-later OR Artistic-1.0-Perl)", ...}
void add_expression(std::string_view expression, std::set<std::string>& licenses) {
    std::vector<std::vector<std::string>> terms(1);
    std::string name;
    const auto finish_name = [&] {
        if (!name.empty()) {
            terms.back().push_back(identifier(name));
            name.clear();
        }
    };
    for (std::string_view word : split_words(expression)) {
        const bool comma = word.ends_with(',');
        word = comma ? word.substr(0, word.size() - 1) : word;
        const std::string lower = to_lower(word);
        if (lower == "and" || lower == "or" || word == "|") {
            finish_name();
            if (lower == "and") {
                terms.emplace_back();
            }
        } else {
            name += name.empty() ? "" : " ";  // "GPL-2+ with OpenSSL exception" is one name
            name += word;
        }
        if (comma) {
            finish_name();
            terms.emplace_back();
        }
    }
    finish_name();
    for (std::vector<std::string>& term : terms) {
        std::sort(term.begin(), term.end());
        term.erase(std::unique(term.begin(), term.end()), term.end());
        if (term.size() == 1) {
            licenses.insert(term.front());
        } else if (!term.empty()) {
            licenses.insert("(" + join(term, " OR ") + ")");
        }
    }
}

struct Paragraph {
    std::string files, license;
};

// Only packaging: not part of what is shipped.
bool is_packaging_only(const Paragraph& paragraph) {
    const std::vector<std::string_view> files = split_words(paragraph.files);
    return !files.empty() && std::all_of(files.begin(), files.end(), [](std::string_view each) {
        return each.starts_with("debian/");
    });
}

}  // namespace

std::string license_of(std::string_view copyright) {
    const std::string_view head = copyright.substr(0, copyright.find('\n'));
    if (!to_lower(head).starts_with("format:") || !contains(head, "copyright-format")) {
        return kUnknown;
    }
    std::set<std::string> licenses;
    Paragraph paragraph;
    std::string* field = nullptr;
    const auto finish = [&] {
        if (!is_packaging_only(paragraph) && licenses.size() < kMaxLicenses) {
            add_expression(paragraph.license, licenses);
        }
        paragraph = {};
        field = nullptr;
    };
    for (const std::string_view line : split_lines(copyright)) {
        if (trim(line).empty()) {
            finish();
        } else if (line.front() == ' ' || line.front() == '\t') {
            if (field == &paragraph.files) {
                *field += ' ';
                *field += trim(line);
            }
        } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
            const std::string name = to_lower(line.substr(0, colon));
            field = name == "files" ? &paragraph.files : nullptr;
            field = name == "license" ? &paragraph.license : field;
            if (field != nullptr) {
                *field = trim(line.substr(colon + 1));
            }
        }
    }
    finish();
    return licenses.empty() ? kUnknown : join({licenses.begin(), licenses.end()}, " AND ");
}

}  // namespace tarn::import
