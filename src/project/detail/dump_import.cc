// SPDX-License-Identifier: MIT
// Images and Tarn's own tables for imported packages.
#include "project/detail/dump_fill.hh"

namespace tarn::declaration {
namespace {

Node reasons_item(std::string_view key, const NameReason& item, Span where) {
    Node node;
    node.text_if(std::string(key), item.name, where);
    node.text_if("reason", item.reason, where);
    return node;
}

std::vector<Node> reasons(std::string_view key, const std::vector<NameReason>& items, Span where) {
    std::vector<Node> nodes;
    for (const NameReason& item : items) {
        nodes.push_back(reasons_item(key, item, where));
    }
    return nodes;
}

Node file_node(const ImageFile& file) {
    Node node;
    node.text_if("path", file.path, file.where);
    node.text_if("content", file.content, file.where);
    node.text_if("source", file.source, file.where);
    node.text_if("mode", file.mode, file.where);
    node.text_if("user", file.user, file.where);
    node.text_if("group", file.group, file.where);
    return node;
}

void add_kiwi(Filler& fill, const Image& image) {
    Filler definition = fill.below("definition");
    definition.text("type", image.definition_type);
    definition.text("path", image.definition_path);
    definition.text("profile", image.definition_profile);
    fill.table("definition", std::move(definition).take());
    Filler capabilities = fill.below("capabilities");
    capabilities.flag("machine-bootable", image.capabilities.machine_bootable);
    capabilities.flag("container", image.capabilities.container);
    capabilities.flag("systemd", image.capabilities.systemd);
    capabilities.flag("runtime-package-management",
                      image.capabilities.runtime_package_management);
    fill.table("capabilities", std::move(capabilities).take());
    Filler publish = fill.below("publish");
    publish.texts("channels", image.publish_channels);
    fill.table("publish", std::move(publish).take());
    if (image.test_suites.empty()) {
        fill.texts("tests", image.tests);
        return;
    }
    std::vector<Node> suites;
    for (const std::string& name : image.test_suites) {
        Node suite;
        suite.text_if("name", name, image.where);
        suites.push_back(std::move(suite));
    }
    Node tests;
    tests.list_if("test-suites", std::move(suites));
    fill.table("tests", std::move(tests));
}

std::vector<Node> script_nodes(const std::vector<ScriptCover>& scripts) {
    std::vector<Node> nodes;
    for (const ScriptCover& cover : scripts) {
        Node node;
        node.text_if("script", cover.script, cover.where);
        node.text_if("covered-by", cover.covered_by, cover.where);
        node.text_if("reason", cover.reason, cover.where);
        node.text_if("reviewed", cover.reviewed, cover.where);
        nodes.push_back(std::move(node));
    }
    return nodes;
}

void add_rule_files(Filler& fill, const ImportRule& rule) {
    std::vector<Node> links, attributes, files;
    for (const ImportLink& link : rule.links) {
        Node node;
        node.text_if("path", link.path, rule.where);
        node.text_if("target", link.target, rule.where);
        node.text_if("reason", link.reason, rule.where);
        links.push_back(std::move(node));
    }
    for (const ImportAttribute& attribute : rule.attributes) {
        Node node;
        node.text_if("path", attribute.path, rule.where);
        node.text_if("mode", attribute.mode, rule.where);
        node.text_if("user", attribute.user, rule.where);
        node.text_if("group", attribute.group, rule.where);
        node.text_if("capabilities", attribute.capabilities, rule.where);
        node.text_if("reason", attribute.reason, rule.where);
        attributes.push_back(std::move(node));
    }
    for (const ImportFile& file : rule.files) {
        Node node;
        node.text_if("path", file.path, rule.where);
        node.text_if("content", file.content, rule.where);
        node.text_if("source", file.source, rule.where);
        node.text_if("mode", file.mode, rule.where);
        if (file.config) {
            node.add("config", Node::of_flag(true, rule.where));
        }
        node.text_if("reason", file.reason, rule.where);
        files.push_back(std::move(node));
    }
    fill.tables("links", std::move(links));
    fill.tables("attributes", std::move(attributes));
    fill.tables("files", std::move(files));
}

}  // namespace

Node image_node(Filler fill, const Image& image) {
    fill.text("description", image.description);
    fill.texts("packages", image.packages);
    fill.texts("package-groups", image.package_groups);
    fill.texts("exclude-packages", image.exclude_packages);
    fill.flag("weak-dependencies", image.weak_dependencies);
    fill.texts("kernel-command-line", image.kernel_command_line);
    fill.text("filesystem", image.filesystem);
    fill.integer("size", static_cast<std::int64_t>(image.size_bytes));
    fill.integer("esp-size", static_cast<std::int64_t>(image.esp_bytes));
    fill.texts("formats", image.formats);
    fill.texts("initrd-modules", image.initrd_modules);
    fill.text("hostname", image.hostname);
    fill.text("boot-install", image.boot_install);
    fill.text_map("version-floors", image.version_floors);
    add_kiwi(fill, image);
    std::vector<Node> files;
    for (const ImageFile& file : image.files) {
        files.push_back(file_node(file));
    }
    fill.tables("files", std::move(files));
    fill.tables("verify-exceptions", reasons("path", image.verify_exceptions, image.where));
    return std::move(fill).take();
}

Node import_policy_node(Filler fill, const ImportPolicy& policy) {
    fill.text("release-suffix", policy.release_suffix);
    fill.texts("exclude-paths", policy.exclude_paths);
    fill.texts("keep-paths", policy.keep_paths);
    fill.tables("never-import", reasons("package", policy.never_import, policy.where));
    std::vector<Node> virtuals, snippets;
    for (const auto& [name, package] : policy.virtual_packages) {
        Node node;
        node.text_if("name", name, policy.where);
        node.text_if("package", package, policy.where);
        virtuals.push_back(std::move(node));
    }
    for (const SnippetCover& cover : policy.script_snippets) {
        Node node;
        node.text_if("generator", cover.generator, policy.where);
        node.text_if("covered-by", cover.covered_by, policy.where);
        node.text_if("reason", cover.reason, policy.where);
        snippets.push_back(std::move(node));
    }
    fill.tables("virtual", std::move(virtuals));
    fill.tables("script-snippets", std::move(snippets));
    return std::move(fill).take();
}

Node import_rule_node(Filler fill, const ImportRule& rule) {
    fill.text("name", rule.name);
    fill.texts("add-requires", rule.add_requires);
    fill.texts("add-provides", rule.add_provides);
    fill.texts("add-conflicts", rule.add_conflicts);
    fill.texts("add-obsoletes", rule.add_obsoletes);
    fill.texts("exclude-paths", rule.exclude_paths);
    fill.texts("keep-paths", rule.keep_paths);
    fill.tables("drop-requires", reasons("name", rule.drop_requires, rule.where));
    add_rule_files(fill, rule);
    fill.tables("scripts", script_nodes(rule.scripts));
    return std::move(fill).take();
}

}  // namespace tarn::declaration
