// SPDX-License-Identifier: MIT
// All declarations of all files, before inheritance and cross checks.
#pragma once

#include "project/detail/reader.hh"

namespace tarn::declaration {

struct SaidFalse {
    std::string key;
    Span where{};
    bool (*is_set)(const Component&) = nullptr;
};

// A component or what components inherit. Empty means "not given", as in the format.
struct ComponentConfig : Component {
    std::vector<SaidFalse> said_false{};
    std::optional<SpecType> type_given{};
    std::optional<bool> precise_given{};
    // Patterns and their places; [] switches inherited ones off.
    std::optional<std::vector<std::pair<std::string, Span>>> overlay_files{};
    Span spec_where{}, build_where{};
    std::string directory{};  // of the file that defines it
};

struct VersionConfig : DistroVersion {
    ComponentConfig defaults{};
};

struct DistroConfig : Distro {
    std::map<std::string, VersionConfig> version_configs{};
};

struct GroupConfig : ComponentGroup {
    std::vector<std::string> listed{};
    std::vector<std::string> spec_patterns{}, excluded_paths{};  // absolute
    ComponentConfig defaults{};
};

struct ImageConfig : Image {
    std::optional<bool> weak_given{};
    Span base_where{};
};

struct Collected {
    Project project{};  // all that needs no further work
    std::map<std::string, DistroConfig> distros{};
    std::map<std::string, ComponentConfig> components{};
    std::map<std::string, GroupConfig> groups{};
    std::map<std::string, ImageConfig> images{}, image_parts{};
    ComponentConfig defaults{};
    std::vector<std::pair<std::string, Span>> includes{};  // of the file just read
};

// One kind of file: what may stand at its top.
const TableKind<Collected>& file_kind();

const TableKind<DistroReference>& distro_reference_kind();  // registers nothing
const TableKind<DistroConfig>& distro_kind();
const TableKind<ComponentConfig>& component_kind();
const TableKind<ComponentConfig>& component_defaults_kind();  // may have a snapshot
const TableKind<GroupConfig>& group_kind();
const TableKind<PackageGroup>& package_group_kind();
const TableKind<Publish>& publish_kind();
const TableKind<Overlay>& overlay_kind();
const TableKind<OverlayMetadata>& overlay_metadata_kind();
const TableKind<SourceFile>& source_file_kind();
const TableKind<ImageConfig>& image_kind();
const TableKind<ImageConfig>& image_part_kind();  // an image without base and parts
const TableKind<TestSuite>& test_suite_kind();
const TableKind<Resources>& resources_kind();
const TableKind<ImportGroup>& import_group_kind();
const TableKind<ImportPolicy>& import_policy_kind();
const TableKind<ImportRule>& import_rule_kind();
const TableKind<Signing>& signing_kind();
const TableKind<SecureBoot>& secure_boot_kind();
const TableKind<RenderWording>& render_wording_kind();

// A reference whose distro and version have to be defined; checked at the end of the load.
template <class T>
typename Keys<T>::Read checked_distro(DistroReference T::* member) {
    return {[member](Reading& reading, const Entry& entry, T& out) {
        Keys<T>::table(distro_reference_kind(), member)(reading, entry, out);
        reading.distro_references.push_back(out.*member);
    }, table_shape(ShapeKind::kTable, distro_reference_kind())};
}

// The document of an overlay file.
struct OverlayDocument {
    OverlayMetadata metadata{};
    std::vector<Overlay> overlays{};
};
const TableKind<OverlayDocument>& overlay_document_kind();

// Lays `from` over `into` as components inherit: strings override when not empty, booleans only
// become true, maps merge, lists append, overlay-files replaces.
void inherit(ComponentConfig& into, const ComponentConfig& from);
// Lays an image, or a part of one, over what it starts from.
void inherit(ImageConfig& into, const ImageConfig& from);

}  // namespace tarn::declaration
