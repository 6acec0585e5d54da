// rooms: render
// SPDX-License-Identifier: MIT
// A spec and one overlay, both from the input: lines of fields up to an empty one, then the spec.
// By lines and as rpm reads it; what comes out is a spec of whole lines. With the field "archive"
// the text is that of two members of an archive, and what comes out reads back to the same bytes.
#include "base/strings.hh"
#include "render/detail/prepare.hh"
#include "render/detail/strict.hh"

using namespace tarn;

namespace {

Overlay overlay_of(std::string_view head) {
    Overlay made;
    made.type = OverlayType::kSpecSearchReplace;
    for (std::string_view line : split_lines(head)) {
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::string_view key = line.substr(0, space);
        const std::string value(line.substr(std::min(space + 1, line.size())));
        if (key == "type") {
            made.type = static_cast<OverlayType>(parse_u64(value).value_or(0) % 18);
        } else if (key == "tag") {
            made.tag = value;
        } else if (key == "value") {
            made.value = value;
        } else if (key == "section") {
            made.section = value;
        } else if (key == "package") {
            made.package = value;
        } else if (key == "regex") {
            made.regex = value.substr(0, 200);
        } else if (key == "replacement") {
            made.replacement = replace_all(value, "\\n", "\n");
        } else if (key == "line") {
            made.lines.push_back(replace_all(value, "\\n", "\n"));
        } else if (key == "file") {
            made.file = value;
        } else if (key == "archive") {
            made.archive = value == "gz" ? "x.tar.gz" : "x.tar";
        }
    }
    made.source = "/none";
    return made;
}

void apply_inside(const Overlay& made, const std::string& text) {
    overlay::Archive archive;
    archive.compression = made.archive == "x.tar" ? Compression::kNone : Compression::kGzip;
    archive.members["x-1/a.conf"] = {EntryKind::kFile, 0644, text};
    archive.members["x-1/sub/b.patch"] = {EntryKind::kFile, 0755, text};
    archive.members["x-1/link"] = {EntryKind::kSymlink, 0777, "", "a.conf"};
    SourceSet sources;
    sources.add(made.archive, overlay::write_archive(archive).value(), 0);
    SourceFile entry;
    entry.filename = made.archive;
    entry.origin_type = "overlay";
    entry.replace_upstream = true;
    Component component;
    component.name = "x";
    component.overlays = {made};
    component.source_files = {entry};
    const RenderWording wording;
    const SourceMap map;
    RenderRequest request;
    request.component = &component;
    request.wording = &wording;
    request.map = &map;
    request.allow_no_hashes = true;
    const std::string name = "x.spec";
    std::vector<RenderStep::Change> changes;
    const auto done =
        overlay::apply_to_archive({sources, name, map}, request, made.archive, &changes);
    if (!done) {
        TARN_CHECK(!done.error().rendered.empty());
        return;
    }
    TARN_CHECK(!changes.empty());
    const std::string after = sources.read(made.archive).value();
    const auto back = overlay::read_archive(after, made.archive);
    TARN_CHECK(back.has_value());
    TARN_CHECK(back->members.contains("x-1/link"));
    TARN_CHECK(overlay::write_archive(*back).value() == after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t gap = std::min(text.find("\n\n"), text.size());
    const Overlay made = overlay_of(text.substr(0, gap));
    const std::string spec(text.substr(std::min(gap + 2, text.size())));
    if (!made.archive.empty()) {
        apply_inside(made, spec);
        return 0;
    }
    for (const bool precise : {false, true}) {
        SourceSet sources;
        sources.add("x.spec", spec, 0);
        sources.add("a.conf", spec, 0);
        sources.add("sub/b.patch", spec, 0);
        const SourceMap map;
        std::vector<std::string> warnings;
        const std::string name = "x.spec";
        const auto done = overlay::apply({sources, name, map, precise, &warnings}, made);
        if (!done) {
            TARN_CHECK(!done.error().rendered.empty());
            continue;
        }
        if (made.type <= OverlayType::kSpecRemoveSubpackage) {
            const std::string after = sources.read(name).value();
            TARN_CHECK(after.empty() || after.ends_with('\n'));
            const SpecDocument document = SpecDocument::parse(after);
            TARN_CHECK(document.print() == after);
        }
    }
    return 0;
}
