// SPDX-License-Identifier: MIT
#include "project/detail/dump_fill.hh"

namespace tarn::declaration {

Places::Places(const Project& project, std::vector<std::vector<std::string>> layers)
    : project_(&project) {
    for (const auto& layer : layers) {
        std::string prefix;
        for (const std::string& part : layer) {
            prefix += part + Project::kOriginSeparator;
        }
        prefixes_.push_back(std::move(prefix));
    }
}

Places Places::of_component(const Project& project, const Component& component) {
    std::vector<std::vector<std::string>> layers;
    if (const DistroVersion* version = project.version(project.default_distro)) {
        layers.push_back({"distros",
                          project.default_distro.name,
                          "versions",
                          version->name,
                          "default-component-config"});
    }
    layers.push_back({"default-component-config"});
    for (const std::string& group : component.groups) {
        layers.push_back({"component-groups", group, "default-component-config"});
    }
    layers.push_back({"components", component.name});
    return Places(project, std::move(layers));
}

Places Places::below(std::string_view key) const {
    Places inner = *this;
    for (std::string& prefix : inner.prefixes_) {
        prefix += key;
        prefix += Project::kOriginSeparator;
    }
    return inner;
}

const std::vector<Span>* Places::find(const std::string& prefix, std::string_view key) const {
    const auto found = project_->origins.find(prefix + std::string(key));
    return found == project_->origins.end() ? nullptr : &found->second;
}

Span Places::value(std::string_view key) const {
    for (auto prefix = prefixes_.rbegin(); prefix != prefixes_.rend(); ++prefix) {
        const std::vector<Span>* places = find(*prefix, key);
        if (places != nullptr && !places->empty()) {
            return places->front();
        }
    }
    return {};
}

Span Places::element(std::string_view key, std::size_t index) const {
    for (const std::string& prefix : prefixes_) {
        const std::vector<Span>* places = find(prefix, key);
        if (places == nullptr) {
            continue;
        }
        if (index < places->size()) {
            return (*places)[index];
        }
        index -= places->size();
    }
    return {};
}

void Filler::text(std::string_view key, const std::string& value) {
    if (!value.empty()) {
        node_.add(std::string(key), Node::of_text(value, places_.value(key)));
    }
}

void Filler::flag(std::string_view key, bool value) {
    if (value) {
        node_.add(std::string(key), Node::of_flag(true, places_.value(key)));
    }
}

void Filler::flag(std::string_view key, const std::optional<bool>& value) {
    if (value) {
        node_.add(std::string(key), Node::of_flag(*value, places_.value(key)));
    }
}

void Filler::integer(std::string_view key, std::int64_t value) {
    if (value != 0) {
        node_.add(std::string(key), Node::of_integer(value, places_.value(key)));
    }
}

void Filler::texts(std::string_view key, const std::vector<std::string>& values) {
    std::vector<Node> items;
    for (std::size_t index = 0; index < values.size(); ++index) {
        items.push_back(Node::of_text(values[index], places_.element(key, index)));
    }
    node_.list_if(std::string(key), std::move(items));
}

void Filler::text_map(std::string_view key, const std::map<std::string, std::string>& values) {
    const Places places = places_.below(key);
    Node map;
    for (const auto& [name, value] : values) {
        map.add(name, Node::of_text(value, places.value(name)));
    }
    node_.table_if(std::string(key), std::move(map));
}

std::vector<Node> reason_nodes(std::string_view key,
                               const std::vector<NameReason>& items,
                               Span where) {
    std::vector<Node> nodes;
    for (const NameReason& item : items) {
        Node node;
        node.text_if(std::string(key), item.name, where);
        node.text_if("reason", item.reason, where);
        nodes.push_back(std::move(node));
    }
    return nodes;
}

}  // namespace tarn::declaration
