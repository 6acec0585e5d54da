// SPDX-License-Identifier: MIT
// Tarn's own tables for imported packages.
#include "project/detail/dump_fill.hh"

namespace tarn::declaration {
namespace {

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

Node import_policy_node(Filler fill, const ImportPolicy& policy) {
    fill.text("release-suffix", policy.release_suffix);
    fill.texts("architectures", policy.architectures);
    fill.texts("exclude-paths", policy.exclude_paths);
    fill.texts("keep-paths", policy.keep_paths);
    fill.tables("never-import", reason_nodes("package", policy.never_import, policy.where));
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
    fill.tables("drop-requires", reason_nodes("name", rule.drop_requires, rule.where));
    add_rule_files(fill, rule);
    fill.tables("scripts", script_nodes(rule.scripts));
    return std::move(fill).take();
}

}  // namespace tarn::declaration
