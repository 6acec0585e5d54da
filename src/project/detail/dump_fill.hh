// SPDX-License-Identifier: MIT
// Fills Nodes from the model and finds out where each value was written.
#pragma once

#include "project/detail/dump_node.hh"
#include "project/model.hh"

namespace tarn::declaration {

// Places in Project::origins: below some tables, of which later ones are laid over earlier ones.
class Places {
  public:
    Places(const Project& project, std::vector<std::vector<std::string>> layers);
    static Places of_component(const Project& project, const Component& component);

    Places below(std::string_view key) const;
    Span value(std::string_view key) const;
    // Element `index` of an array to which every layer adds.
    Span element(std::string_view key, std::size_t index) const;

  private:
    const std::vector<Span>* find(const std::string& prefix, std::string_view key) const;

    const Project* project_;
    std::vector<std::string> prefixes_;  // lowest layer first
};

// One table being filled; empty values are left out.
class Filler {
  public:
    explicit Filler(Places places) : places_(std::move(places)) {}

    void text(std::string_view key, const std::string& value);
    void flag(std::string_view key, bool value);
    void flag(std::string_view key, const std::optional<bool>& value);
    void integer(std::string_view key, std::int64_t value);
    void texts(std::string_view key, const std::vector<std::string>& values);
    void text_map(std::string_view key, const std::map<std::string, std::string>& values);
    void table(std::string_view key, Node value) {
        node_.table_if(std::string(key), std::move(value));
    }
    void tables(std::string_view key, std::vector<Node> values) {
        node_.list_if(std::string(key), std::move(values));
    }
    Filler below(std::string_view key) const { return Filler(places_.below(key)); }
    Node take() && { return std::move(node_); }
    const Places& places() const { return places_; }

  private:
    Places places_;
    Node node_{};
};

Node publish_node(Filler fill, const Publish& publish);
Node distro_reference_node(Filler fill, const DistroReference& reference);
Node metadata_node(const OverlayMetadata& metadata);
Node component_node(const Project& project, const Component& component);
// {<key> = name, reason = …} for each.
std::vector<Node> reason_nodes(std::string_view key,
                               const std::vector<NameReason>& items,
                               Span where);
Node image_node(Filler fill, const Image& image);
Node import_policy_node(Filler fill, const ImportPolicy& policy);
Node import_rule_node(Filler fill, const ImportRule& rule);

}  // namespace tarn::declaration
