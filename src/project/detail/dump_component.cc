// SPDX-License-Identifier: MIT
#include "project/detail/dump_fill.hh"

namespace tarn::declaration {
namespace {

Node links_node(const std::vector<std::string>& urls, Span where) {
    Node list;
    list.kind = Node::Kind::kList;
    for (const std::string& url : urls) {
        Node link;
        link.text_if("url", url, where);
        list.items.push_back(std::move(link));
    }
    return list;
}

Node overlay_node(const Overlay& overlay) {
    Node node;
    const auto place = [&](const std::string& key) {
        const auto found = overlay.key_spans.find(key);
        return found == overlay.key_spans.end() ? overlay.where : found->second;
    };
    const auto text = [&](const std::string& key, const std::string& value) {
        node.text_if(key, value, place(key));
    };
    node.add("type",
             Node::of_text(std::string(overlay_type_text(overlay)), place("type")));
    text("description", overlay.description);
    text("tag", overlay.tag);
    text("value", overlay.value);
    text("section", overlay.section);
    text("package", overlay.package);
    text("regex", overlay.regex);
    if (overlay.has_replacement) {
        node.add("replacement", Node::of_text(overlay.replacement, place("replacement")));
    }
    std::vector<Node> lines;
    for (const std::string& line : overlay.lines) {
        lines.push_back(Node::of_text(line, place("lines")));
    }
    node.list_if("lines", std::move(lines));
    text("file", overlay.file);
    text("source", overlay.source);
    text("archive", overlay.archive);
    node.table_if("metadata", metadata_node(overlay.metadata));
    return node;
}

Node source_file_node(const SourceFile& file) {
    Node node;
    node.text_if("filename", file.filename, file.where);
    node.text_if("hash", file.hash, file.where);
    node.text_if("hash-type", file.hash_type, file.where);
    if (file.replace_upstream) {
        node.add("replace-upstream", Node::of_flag(true, file.where));
    }
    node.text_if("replace-reason", file.replace_reason, file.where);
    Node origin;
    origin.text_if("type", file.origin_type, file.where);
    origin.text_if("uri", file.uri, file.where);
    origin.text_if("script", file.script, file.where);
    origin.text_if("package", file.package, file.where);
    origin.text_if("member", file.member, file.where);
    const auto texts = [&](const std::vector<std::string>& values) {
        std::vector<Node> nodes;
        for (const std::string& value : values) {
            nodes.push_back(Node::of_text(value, file.where));
        }
        return nodes;
    };
    origin.list_if("mock-packages", texts(file.mock_packages));
    origin.list_if("inputs", texts(file.inputs));
    Node distro;
    distro.text_if("name", file.distro.name, file.distro.name_where);
    distro.text_if("version", file.distro.version, file.distro.version_where);
    origin.table_if("distro", std::move(distro));
    node.table_if("origin", std::move(origin));
    return node;
}

Node build_node(Filler fill, const BuildConfig& build) {
    fill.texts("with", build.with);
    fill.texts("without", build.without);
    fill.texts("undefines", build.undefines);
    fill.flag("emit-upstream-provenance", build.emit_upstream_provenance);
    fill.text_map("defines", build.defines);
    Filler check = fill.below("check");
    check.flag("skip", build.check_skip);
    check.text("skip_reason", build.check_skip_reason);
    fill.table("check", std::move(check).take());
    Filler failure = fill.below("failure");
    failure.flag("expected", build.failure_expected);
    failure.text("expected-reason", build.failure_reason);
    fill.table("failure", std::move(failure).take());
    fill.texts("cross-architectures", build.cross_architectures);
    Filler hints = fill.below("hints");
    hints.flag("expensive", build.expensive);
    fill.table("hints", std::move(hints).take());
    return std::move(fill).take();
}

Node spec_node(Filler fill, const Component& component) {
    if (component.has_spec_type) {
        fill.text("type", component.spec_type == SpecType::kLocal ? "local" : "upstream");
    }
    fill.text("path", component.spec_path);
    fill.text("upstream-name", component.upstream_name);
    fill.text("upstream-commit", component.upstream_commit);
    fill.table("upstream-distro",
               distro_reference_node(fill.below("upstream-distro"), component.upstream));
    return std::move(fill).take();
}

}  // namespace

Node distro_reference_node(Filler fill, const DistroReference& reference) {
    fill.text("name", reference.name);
    fill.text("version", reference.version);
    fill.text("snapshot", reference.snapshot);
    return std::move(fill).take();
}

Node metadata_node(const OverlayMetadata& metadata) {
    Node node;
    node.text_if("category", metadata.category, metadata.where);
    node.text_if("upstream-status", metadata.upstream_status, metadata.where);
    if (!metadata.commits.empty()) {
        node.add("commits", links_node(metadata.commits, metadata.where));
    }
    if (!metadata.bugs.empty()) {
        node.add("bugs", links_node(metadata.bugs, metadata.where));
    }
    return node;
}

Node publish_node(Filler fill, const Publish& publish) {
    const bool older = publish.rpm_channel == publish.older_channel;
    if (older && !publish.rpm_channel.empty()) {
        Node node = Node::of_text(publish.rpm_channel, fill.places().value("channel"));
        Node table;
        table.add("rpm-channel", std::move(node));
        table.text_if("srpm-channel", publish.srpm_channel, fill.places().value("srpm-channel"));
        table.text_if("debuginfo-channel",
                      publish.debuginfo_channel,
                      fill.places().value("debuginfo-channel"));
        return table;
    }
    fill.text("rpm-channel", publish.rpm_channel);
    fill.text("srpm-channel", publish.srpm_channel);
    fill.text("debuginfo-channel", publish.debuginfo_channel);
    return std::move(fill).take();
}

Node component_node(const Project& project, const Component& component) {
    Filler fill(Places::of_component(project, component));
    fill.text("description", component.description);
    fill.table("spec", spec_node(fill.below("spec"), component));
    Filler release = fill.below("release");
    release.text("calculation", component.release_calculation);
    fill.table("release", std::move(release).take());
    fill.table("build", build_node(fill.below("build"), component.build));
    Filler render = fill.below("render");
    render.flag("skip-file-filter", component.skip_file_filter);
    render.text("overlay-view", component.precise_overlays ? "precise" : "");
    fill.table("render", std::move(render).take());
    fill.table("publish", publish_node(fill.below("publish"), component.publish));
    Filler packages = fill.below("packages");
    Node of_packages;
    for (const auto& [name, publish] : component.packages) {
        Node package;
        package.table_if("publish",
                         publish_node(packages.below(name).below("publish"), publish));
        of_packages.add(name, std::move(package));
    }
    fill.table("packages", std::move(of_packages));
    std::vector<Node> files, overlays;
    for (const SourceFile& file : component.source_files) {
        files.push_back(source_file_node(file));
    }
    for (const Overlay& overlay : component.overlays) {
        overlays.push_back(overlay_node(overlay));
    }
    fill.tables("source-files", std::move(files));
    fill.tables("overlays", std::move(overlays));
    return std::move(fill).take();
}

}  // namespace tarn::declaration
