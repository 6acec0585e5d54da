// SPDX-License-Identifier: MIT
// Every maintainer script is answered for: by the policy, by the rule, or not at all.
#include "base/hash.hh"
#include "base/strings.hh"
#include "import/detail/draft.hh"
#include "import/detail/script.hh"

#include <algorithm>

namespace tarn::import {

namespace {

constexpr std::size_t kShownLines = 30;
constexpr std::size_t kShownColumns = 160;

// Control characters of a hostile script must not reach the terminal.
std::string printable(std::string_view text) {
    std::string out(text.substr(0, kShownColumns));
    std::replace_if(
        out.begin(),
        out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
    return out;
}

// Scripts name their package's architecture; read for one, they are read for all.
bool was_reviewed(const ScriptCover& cover, const std::string& text) {
    const std::string as_amd64 = replace_all(
        replace_all(text, "aarch64-linux-gnu", "x86_64-linux-gnu"), ":arm64", ":amd64");
    const std::string reviewed = to_lower(cover.reviewed);
    return contains(reviewed, sha256_hex(text)) || contains(reviewed, sha256_hex(as_amd64));
}

std::string uncovered_generators(const std::vector<std::string>& generators,
                                 const ImportPolicy& policy) {
    std::vector<std::string> missing;
    for (const std::string& each : generators) {
        const auto& known = policy.script_snippets;
        if (std::none_of(known.begin(), known.end(), [&](const SnippetCover& cover) {
                return cover.generator == each;
            })) {
            missing.push_back("`" + each + "`");
        }
    }
    return join(missing, ", ");
}

Diagnostic uncovered(const std::string& package,
                     const std::string& script,
                     const std::string& text,
                     const std::vector<ScriptLine>& lines,
                     const std::vector<std::string>& generators,
                     const ImportPolicy& policy) {
    Diagnostic diagnostic;
    diagnostic.message =
        fmt::format("no declaration covers the {} of `{}`: {} line{} would be lost",
                    script,
                    package,
                    lines.size(),
                    lines.size() == 1 ? "" : "s");
    for (std::size_t i = 0; i < std::min(lines.size(), kShownLines); ++i) {
        diagnostic.notes.push_back(
            fmt::format("{:>4} | {}", lines[i].number, printable(lines[i].text)));
    }
    if (lines.size() > kShownLines) {
        diagnostic.notes.push_back(
            fmt::format("... and {} more lines", lines.size() - kShownLines));
    }
    const std::string missing = uncovered_generators(generators, policy);
    if (!missing.empty()) {
        diagnostic.help.push_back(
            fmt::format("blocks written by {} can be covered for all packages: "
                        "[[import-policy.script-snippets]]",
                        missing));
    }
    diagnostic.help.push_back(
        fmt::format("declare what it does, then say so:\n"
                    "      [[imports.{}.scripts]]\n"
                    "      script = \"{}\"\n"
                    "      covered-by = [\"not-applicable\"]\n"
                    "      reason = \"...\"\n"
                    "      reviewed = \"{}\"",
                    package,
                    script,
                    sha256_hex(text)));
    return diagnostic;
}

}  // namespace

void check_scripts(const debian::DebPackage& deb,
                   const std::string& package,
                   const ImportPolicy& policy,
                   const ImportRule& rule,
                   Problems& problems) {
    for (const auto& [name, text] : deb.scripts) {
        if ((name == "config" || name == "templates") && never_imported(policy, "debconf")) {
            continue;
        }
        const auto cover =
            std::find_if(rule.scripts.begin(), rule.scripts.end(), [&](const ScriptCover& each) {
                return each.script == name;
            });
        if (cover != rule.scripts.end()) {
            if (!cover->reviewed.empty() && !was_reviewed(*cover, text)) {
                problems.warn(fmt::format(
                    "the {} of `{}` has changed since it was reviewed; read it again, then set "
                    "reviewed = \"{}\"",
                    name,
                    package,
                    sha256_hex(text)));
            }
            continue;
        }
        std::vector<std::string> generators;
        const std::vector<ScriptLine> lines = name == "triggers"
                                                  ? uncovered_triggers(text, policy, generators)
                                                  : uncovered_lines(text, policy, generators);
        // Alternatives are declared as links; without any, a command may be missing.
        const bool alternatives =
            std::find(generators.begin(), generators.end(), "dh_installalternatives") !=
            generators.end();
        if (alternatives && name == "postinst" && rule.links.empty()) {
            problems.warn(
                fmt::format("`{}` registers alternatives, but [imports.{}] declares no links",
                            package,
                            package));
        }
        if (!lines.empty()) {
            problems.add(uncovered(package, name, text, lines, generators, policy));
        }
    }
    for (const ScriptCover& each : rule.scripts) {
        if (!deb.scripts.contains(each.script)) {
            problems.warn(fmt::format(
                "[imports.{}] covers a {}, which the package does not have", package, each.script));
        }
    }
}

}  // namespace tarn::import
