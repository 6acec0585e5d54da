// SPDX-License-Identifier: MIT
// Tarn's own tables for binary packages that are imported: groups, policy, rules for one package.
#include "base/strings.hh"
#include "project/detail/checks.hh"
#include "project/detail/collected.hh"

#include <algorithm>

namespace tarn::declaration {
namespace {

const TableKind<NameReason>& dropped_kind() {
    using K = Keys<NameReason>;
    static const TableKind<NameReason> kind = {
        "drop-requires",
        {
            {"name", K::text(&NameReason::name), Need::kRequired},
            {"reason", K::text(&NameReason::reason), Need::kRequired},
        }};
    return kind;
}

const TableKind<NameReason>& never_import_kind() {
    using K = Keys<NameReason>;
    static const TableKind<NameReason> kind = {
        "never-import",
        {
            {"package", K::text(&NameReason::name), Need::kRequired},
            {"reason", K::text(&NameReason::reason), Need::kRequired},
        }};
    return kind;
}

const TableKind<ImportLink>& link_kind() {
    using K = Keys<ImportLink>;
    static const TableKind<ImportLink> kind = {
        "link",
        {
            {"path", root_path(&ImportLink::path), Need::kRequired},
            {"target", K::text(&ImportLink::target), Need::kRequired},
            {"reason", K::text(&ImportLink::reason), Need::kRequired},
        }};
    return kind;
}

const TableKind<ImportAttribute>& attribute_kind() {
    using K = Keys<ImportAttribute>;
    static const TableKind<ImportAttribute> kind = {
        "attribute",
        {
            {"path", root_path(&ImportAttribute::path), Need::kRequired},
            {"mode", file_mode(&ImportAttribute::mode)},
            {"user", K::text(&ImportAttribute::user)},
            {"group", K::text(&ImportAttribute::group)},
            {"capabilities", K::text(&ImportAttribute::capabilities)},
            {"reason", K::text(&ImportAttribute::reason), Need::kRequired},
        }};
    return kind;
}

const TableKind<ImportFile>& file_entry_kind() {
    using K = Keys<ImportFile>;
    static const TableKind<ImportFile> kind = {
        "file",
        {
            {"path", root_path(&ImportFile::path), Need::kRequired},
            {"content", K::text(&ImportFile::content)},
            {"source", K::path(&ImportFile::source)},
            {"mode", file_mode(&ImportFile::mode)},
            {"config", K::flag(&ImportFile::config)},
            {"reason", K::text(&ImportFile::reason), Need::kRequired},
        },
        [](Reading& reading, const Value& table, ImportFile&) {
            check_content_or_source(reading, table);
        }};
    return kind;
}

const TableKind<ScriptCover>& script_kind() {
    using K = Keys<ScriptCover>;
    static const TableKind<ScriptCover> kind = {
        "script",
        {
            {"script",
             K::word_text(&ScriptCover::script,
                          {"preinst", "postinst", "prerm", "postrm", "config", "triggers"}),
             Need::kRequired},
            {"covered-by", K::joined(&ScriptCover::covered_by), Need::kRequired},
            {"reason", K::text(&ScriptCover::reason), Need::kRequired},
            {"reviewed", K::joined(&ScriptCover::reviewed)},
        },
        [](Reading& reading, const Value& table, ScriptCover& cover) {
            const std::string sums = replace_all(cover.reviewed, ",", " ");
            const std::vector<std::string_view> words = split_words(sums);
            if (std::any_of(words.begin(), words.end(), [](std::string_view word) {
                    return word.size() != 64 ||
                           word.find_first_not_of("0123456789abcdef") != std::string_view::npos;
                })) {
                reading.broken_rule(table.find("reviewed")->value.span,
                                    "`reviewed` must be a SHA-256 in 64 lower-case hexadecimal "
                                    "digits");
            }
        }};
    return kind;
}

const TableKind<SnippetCover>& snippet_kind() {
    using K = Keys<SnippetCover>;
    static const TableKind<SnippetCover> kind = {
        "script snippet",
        {
            {"generator", K::text(&SnippetCover::generator), Need::kRequired},
            {"covered-by", K::joined(&SnippetCover::covered_by), Need::kRequired},
            {"reason", K::text(&SnippetCover::reason), Need::kRequired},
        }};
    return kind;
}

struct Virtual {
    std::string name, package;
    Span where{};
};

void read_virtual(Reading& reading, const Entry& entry, ImportPolicy& out) {
    using K = Keys<Virtual>;
    static const TableKind<Virtual> kind = {
        "virtual",
        {
            {"name", K::text(&Virtual::name), Need::kRequired},
            {"package", K::text(&Virtual::package), Need::kRequired},
        }};
    struct Virtuals {
        std::vector<Virtual> virtuals;
    } read;
    Keys<Virtuals>::list(kind, &Virtuals::virtuals)(reading, entry, read);
    for (const Virtual& chosen : read.virtuals) {
        const auto [place, fresh] = out.virtual_packages.try_emplace(chosen.name, chosen.package);
        if (!fresh && place->second != chosen.package) {
            reading.broken_rule(
                chosen.where,
                fmt::format(
                    "virtual package `{}` stands for `{}` already", chosen.name, place->second));
        }
    }
}

}  // namespace

const TableKind<ImportGroup>& import_group_kind() {
    using K = Keys<ImportGroup>;
    static const TableKind<ImportGroup> kind = {
        "import group",
        {
            {"description", K::text(&ImportGroup::description)},
            {"upstream-distro", checked_distro(&ImportGroup::upstream), Need::kRequired},
            {"packages", K::texts(&ImportGroup::packages), Need::kRequired},
            {"exclude", K::texts(&ImportGroup::exclude)},
            {"architectures",
             K::words(&ImportGroup::architectures,
                      {"x86_64", "aarch64", "cross-x86_64", "cross-aarch64"})},
        }};
    return kind;
}

const TableKind<ImportPolicy>& import_policy_kind() {
    using K = Keys<ImportPolicy>;
    static const TableKind<ImportPolicy> kind = {
        "import-policy",
        {
            {"release-suffix", K::text(&ImportPolicy::release_suffix)},
            {"architectures", K::words(&ImportPolicy::architectures, {"x86_64", "aarch64"})},
            {"exclude-paths", K::texts(&ImportPolicy::exclude_paths)},
            {"keep-paths", K::texts(&ImportPolicy::keep_paths)},
            {"never-import", K::list(never_import_kind(), &ImportPolicy::never_import)},
            {"virtual", read_virtual},
            {"script-snippets", K::list(snippet_kind(), &ImportPolicy::script_snippets)},
        }};
    return kind;
}

const TableKind<ImportRule>& import_rule_kind() {
    using K = Keys<ImportRule>;
    static const TableKind<ImportRule> kind = {
        "import rule",
        {
            {"name", K::text(&ImportRule::name)},
            {"drop-requires", K::list(dropped_kind(), &ImportRule::drop_requires)},
            {"add-requires", K::texts(&ImportRule::add_requires)},
            {"add-provides", K::texts(&ImportRule::add_provides)},
            {"add-conflicts", K::texts(&ImportRule::add_conflicts)},
            {"add-obsoletes", K::texts(&ImportRule::add_obsoletes)},
            {"exclude-paths", K::texts(&ImportRule::exclude_paths)},
            {"keep-paths", K::texts(&ImportRule::keep_paths)},
            {"links", K::list(link_kind(), &ImportRule::links)},
            {"attributes", K::list(attribute_kind(), &ImportRule::attributes)},
            {"files", K::list(file_entry_kind(), &ImportRule::files)},
            {"scripts", K::list(script_kind(), &ImportRule::scripts)},
        }};
    return kind;
}

}  // namespace tarn::declaration
