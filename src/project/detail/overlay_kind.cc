// SPDX-License-Identifier: MIT
// Overlays: which keys each type needs, and what can be told to be wrong before a spec is there.
#include "base/strings.hh"
#include "project/detail/collected.hh"
#include "project/detail/patterns.hh"

#include <re2/re2.h>

#include <algorithm>

namespace tarn {

namespace {

struct OverlayRule {
    OverlayType type;
    std::string_view name;
    std::vector<std::string_view> required;
};

const std::vector<OverlayRule>& overlay_rules() {
    using enum OverlayType;
    static const std::vector<OverlayRule> rules = {
        {kSpecAddTag, "spec-add-tag", {"tag", "value"}},
        {kSpecInsertTag, "spec-insert-tag", {"tag", "value"}},
        {kSpecSetTag, "spec-set-tag", {"tag", "value"}},
        {kSpecUpdateTag, "spec-update-tag", {"tag", "value"}},
        {kSpecRemoveTag, "spec-remove-tag", {"tag"}},
        {kSpecPrependLines, "spec-prepend-lines", {"lines"}},
        {kSpecAppendLines, "spec-append-lines", {"lines"}},
        {kSpecSearchReplace, "spec-search-replace", {"regex"}},
        {kSpecRemoveSection, "spec-remove-section", {"section"}},
        {kSpecRemoveSubpackage, "spec-remove-subpackage", {"package"}},
        {kPatchAdd, "patch-add", {"source"}},
        {kPatchRemove, "patch-remove", {"file"}},
        {kFilePrependLines, "file-prepend-lines", {"file", "lines"}},
        {kFileSearchReplace, "file-search-replace", {"file", "regex"}},
        {kFileAdd, "file-add", {"file", "source"}},
        {kFileRemove, "file-remove", {"file"}},
        {kFileRename, "file-rename", {"file", "replacement"}},
    };
    return rules;
}

const OverlayRule& rule_of(OverlayType type) {
    for (const OverlayRule& rule : overlay_rules()) {
        if (rule.type == type) {
            return rule;
        }
    }
    return overlay_rules().front();
}

bool has_content(const Overlay& overlay, std::string_view key) {
    return (key == "tag" && !overlay.tag.empty()) || (key == "value" && !overlay.value.empty()) ||
           (key == "lines" && !overlay.lines.empty()) ||
           (key == "regex" && !overlay.regex.empty()) ||
           (key == "section" && !overlay.section.empty()) ||
           (key == "package" && !overlay.package.empty()) ||
           (key == "source" && !overlay.source.empty()) ||
           (key == "file" && !overlay.file.empty()) ||
           (key == "replacement" && !overlay.replacement.empty());
}

}  // namespace

std::string_view overlay_type_name(OverlayType type) {
    return type == OverlayType::kUnknown ? "unknown" : rule_of(type).name;
}

std::string_view overlay_type_text(const Overlay& overlay) {
    return overlay.type == OverlayType::kUnknown ? std::string_view(overlay.unknown_type)
                                                 : overlay_type_name(overlay.type);
}

std::string_view missing_overlay_key(const Overlay& overlay) {
    if (overlay.type == OverlayType::kUnknown) {
        return {};
    }
    for (std::string_view key : rule_of(overlay.type).required) {
        if (key != "value" && !has_content(overlay, key)) {
            return key;
        }
    }
    return {};
}

}  // namespace tarn

namespace tarn::declaration {
namespace {

Span span_of(const Overlay& overlay, const std::string& key) {
    auto found = overlay.key_spans.find(key);
    return found == overlay.key_spans.end() ? overlay.where : found->second;
}

void check_regex(Reading& reading, const Overlay& overlay) {
    constexpr std::size_t kRegexLimit = 64 << 10;
    const Span where = span_of(overlay, "regex");
    if (overlay.regex.size() > kRegexLimit) {
        reading.broken_rule(where, "`regex` is longer than 64 KiB");
        return;
    }
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 regex(overlay.regex, options);
    if (!regex.ok()) {
        reading.broken_rule(where,
                            fmt::format("`regex` does not compile: {}", regex.error()),
                            "the syntax is that of RE2: no look-around, no back-references");
    }
}

void check_file(Reading& reading, const Overlay& overlay) {
    const Span where = span_of(overlay, "file");
    if (overlay.file.starts_with('/')) {
        reading.broken_rule(where, "`file` must be relative to the sources directory");
    }
    for (std::string_view part : split(overlay.file, '/')) {
        if (part == "..") {
            reading.broken_rule(where, "`file` must not leave the sources directory");
            break;
        }
    }
    const bool is_name =
        overlay.type == OverlayType::kFileAdd || overlay.type == OverlayType::kPatchAdd;
    const std::string_view fault = is_name ? std::string_view() : pattern_fault(overlay.file);
    if (!fault.empty()) {
        reading.broken_rule(where, fmt::format("`file` is not a valid pattern: {}", fault));
    }
}

bool is_archive_name(std::string_view name) {
    constexpr std::string_view kEndings[] = {
        ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst"};
    return name.find_first_of("/\\") == std::string_view::npos &&
           std::any_of(std::begin(kEndings), std::end(kEndings), [&](std::string_view ending) {
               return name.size() > ending.size() && name.ends_with(ending);
           });
}

void check_overlay(Reading& reading, const Value& table, Overlay& overlay) {
    using enum OverlayType;
    overlay.has_replacement = table.find("replacement") != nullptr;
    if (overlay.type == kUnknown) {
        return;  // reported already, and no rules to check
    }
    const OverlayRule& rule = rule_of(overlay.type);
    for (std::string_view key : rule.required) {
        const Entry* entry = table.find(key);
        if (!has_content(overlay, key)) {
            reading.broken_rule(entry == nullptr ? overlay.where : entry->value.span,
                                fmt::format("overlay {} needs `{}`", rule.name, key));
        }
    }
    const bool has_section_filter = overlay.type == kSpecPrependLines ||
                                    overlay.type == kSpecAppendLines ||
                                    overlay.type == kSpecSearchReplace;
    if (has_section_filter && !overlay.package.empty() && overlay.section.empty()) {
        reading.broken_rule(span_of(overlay, "package"),
                            fmt::format("overlay {} with `package` needs `section`", rule.name));
    }
    if (overlay.type == kSpecRemoveSubpackage && !overlay.section.empty()) {
        reading.broken_rule(span_of(overlay, "section"),
                            "overlay spec-remove-subpackage cannot have `section`",
                            "it removes every section of the package; for one section use "
                            "spec-remove-section");
    }
    // Keys a type does not read are passed over, whatever they hold.
    if (!overlay.regex.empty() &&
        (overlay.type == kSpecSearchReplace || overlay.type == kFileSearchReplace)) {
        check_regex(reading, overlay);
    }
    if (!overlay.file.empty() && overlay.type >= kPatchAdd) {
        check_file(reading, overlay);
    }
    const std::string& name = overlay.replacement;
    if (overlay.type == kFileRename &&
        (name.find('/') != std::string::npos || name == "." || name == "..")) {
        reading.broken_rule(span_of(overlay, "replacement"),
                            "`replacement` of file-rename must be a name without `/`");
    }
    if (!overlay.archive.empty() && overlay.type != kFileRemove &&
        overlay.type != kFileSearchReplace) {
        reading.broken_rule(span_of(overlay, "archive"),
                            fmt::format("overlay {} cannot work inside an archive", rule.name),
                            "file-remove and file-search-replace can");
    }
    if (!overlay.archive.empty() && !is_archive_name(overlay.archive)) {
        reading.broken_rule(span_of(overlay, "archive"),
                            "`archive` must be a plain file name ending in .tar, .tar.gz, .tgz, "
                            ".tar.xz, .txz, .tar.zst or .tzst");
    }
}

struct Link {
    std::string url;
    Span where{};
};

const TableKind<Link>& link_kind() {
    using K = Keys<Link>;
    static const TableKind<Link> kind = {
        "link",
        {{"url", K::text(&Link::url), Need::kRequired}},
        [](Reading& reading, const Value&, Link& link) {
            if (!link.url.empty() && !link.url.starts_with("http://") && !link.url.starts_with("https://")) {
                reading.broken_rule(link.where, "`url` must begin with http:// or https://");
            }
        }};
    return kind;
}

Keys<OverlayMetadata>::Read links(std::vector<std::string> OverlayMetadata::* member) {
    return {[member](Reading& reading, const Entry& entry, OverlayMetadata& out) {
        struct Links {
            std::vector<Link> links;
        } read;
        Keys<Links>::list(link_kind(), &Links::links)(reading, entry, read);
        for (Link& link : read.links) {
            (out.*member).push_back(std::move(link.url));
        }
    }, table_shape(ShapeKind::kTables, link_kind())};
}

void check_metadata(Reading& reading, const Value&, OverlayMetadata& metadata) {
    if (metadata.category != "upstream-backport") {
        return;
    }
    if (metadata.commits.empty()) {
        reading.broken_rule(metadata.where,
                            "category upstream-backport needs `commits`",
                            "write commits = [{ url = \"https://...\" }]");
    }
    if (!metadata.upstream_status.empty() && metadata.upstream_status != "upstreamed" &&
        metadata.upstream_status != "upstreamable") {
        reading.broken_rule(metadata.where,
                            "category upstream-backport needs `upstream-status` upstreamed or "
                            "upstreamable");
    }
}

std::vector<std::pair<std::string_view, OverlayType>> type_words() {
    std::vector<std::pair<std::string_view, OverlayType>> words;
    for (const OverlayRule& rule : overlay_rules()) {
        words.emplace_back(rule.name, rule.type);
    }
    return words;
}

Keys<Overlay>::Read type_reader() {
    auto word = Keys<Overlay>::word(&Overlay::type, type_words());
    Shape shape = word.shape;
    return {[word = std::move(word)](Reading& reading, const Entry& entry, Overlay& out) {
                word(reading, entry, out);
                if (out.type == OverlayType::kUnknown) {
                    out.unknown_type = entry.value.text;
                }
            },
            std::move(shape)};
}

std::vector<Field<Overlay>> overlay_fields() {
    using K = Keys<Overlay>;
    return {
        {"type", type_reader(), Need::kRequired},
        {"description", K::text(&Overlay::description)},
        {"tag", K::text(&Overlay::tag)},
        {"value", K::text(&Overlay::value)},
        {"section", K::text(&Overlay::section)},
        {"package", K::text(&Overlay::package)},
        {"regex", K::text(&Overlay::regex)},
        {"replacement", K::text(&Overlay::replacement)},
        {"lines", K::texts(&Overlay::lines)},
        {"file", K::text(&Overlay::file)},
        {"source", K::path(&Overlay::source)},
        {"archive", K::text(&Overlay::archive)},
    };
}

}  // namespace

const TableKind<OverlayMetadata>& overlay_metadata_kind() {
    using K = Keys<OverlayMetadata>;
    static const TableKind<OverlayMetadata> kind = {
        "metadata",
        {
            {"category",
             K::word_text(&OverlayMetadata::category,
                          {"upstream-backport",
                           "azl-pruning",
                           "azl-compatibility",
                           "azl-temp-workaround",
                           "azl-branding-policy",
                           "azl-disable-flaky-tests",
                           "azl-disable-unsupported-tests",
                           "azl-security-compliance",
                           "azl-release-management",
                           "azl-platform-adaptation",
                           "pruning",
                           "compatibility",
                           "temp-workaround",
                           "branding-policy",
                           "disable-flaky-tests",
                           "disable-unsupported-tests",
                           "security-compliance",
                           "release-management",
                           "platform-adaptation"}),
             Need::kRequired},
            {"upstream-status",
             K::word_text(
                 &OverlayMetadata::upstream_status,
                 {"upstreamed", "upstreamable", "needs-upstream-hook", "inapplicable", "unknown"}),
             Need::kRequired},
            {"commits", links(&OverlayMetadata::commits)},
            {"bugs", links(&OverlayMetadata::bugs)},
        },
        check_metadata};
    return kind;
}

const TableKind<Overlay>& overlay_kind() {
    static const TableKind<Overlay> kind = [] {
        TableKind<Overlay> made = {"overlay", overlay_fields(), check_overlay};
        made.fields.push_back(
            {"metadata", Keys<Overlay>::table(overlay_metadata_kind(), &Overlay::metadata)});
        return made;
    }();
    return kind;
}

const TableKind<OverlayDocument>& overlay_document_kind() {
    static const TableKind<Overlay> inner = {
        "overlay of an overlay file", overlay_fields(), check_overlay};
    using K = Keys<OverlayDocument>;
    static const TableKind<OverlayDocument> kind = {
        "overlay file",
        {
            {"metadata",
             K::table(overlay_metadata_kind(), &OverlayDocument::metadata),
             Need::kRequired},
            {"overlays", K::list(inner, &OverlayDocument::overlays), Need::kRequired},
        },
        [](Reading& reading, const Value& table, OverlayDocument& document) {
            const Entry* overlays = table.find("overlays");
            if (overlays != nullptr && document.overlays.empty()) {
                reading.broken_rule(overlays->value.span, "an overlay file needs an overlay");
            }
        }};
    return kind;
}

}  // namespace tarn::declaration
