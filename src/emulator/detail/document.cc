// SPDX-License-Identifier: MIT
#include "emulator/detail/document.hh"

#include "base/base64.hh"
#include "base/strings.hh"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tarn::emulator {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(bool value) {
    return value ? "true" : "false";
}

std::string joined_tags(const Instance& instance) {
    std::string out;
    for (const auto& [name, value] : instance.tags) {
        out += (out.empty() ? "" : ";") + name + ":" + value;
    }
    return out;
}

Json profile(const Instance& instance, std::string_view version) {
    Json out{{"adminUsername", instance.admin_user}, {"computerName", instance.computer_name}};
    if (version >= "2020-10-01") {
        out["disablePasswordAuthentication"] = text_of(instance.disable_password_authentication);
    }
    return out;
}

Json public_keys(const Instance& instance) {
    Json out = Json::array();
    for (const std::string& key : instance.ssh_keys) {
        out.push_back(
            {{"keyData", key}, {"path", "/home/" + instance.admin_user + "/.ssh/authorized_keys"}});
    }
    return out;
}

Json storage() {
    return {{"dataDisks", Json::array()},
            {"imageReference",
             {{"id", ""}, {"offer", ""}, {"publisher", ""}, {"sku", ""}, {"version", ""}}},
            {"osDisk",
             {{"caching", "ReadWrite"},
              {"createOption", "FromImage"},
              {"diskSizeGB", "30"},
              {"name", "os"},
              {"osType", "Linux"},
              {"writeAcceleratorEnabled", "false"}}},
            {"resourceDisk", {{"size", "16384"}}}};
}

Json tags_list(const Instance& instance) {
    Json list = Json::array();
    for (const auto& [name, value] : instance.tags) {
        list.push_back({{"name", name}, {"value", value}});
    }
    return list;
}

Json security(const Instance& instance) {
    return {{"encryptionAtHost", "false"},
            {"secureBootEnabled", text_of(instance.secure_boot)},
            {"securityType", instance.secure_boot || instance.virtual_tpm ? "TrustedLaunch" : ""},
            {"virtualTpmEnabled", text_of(instance.virtual_tpm)}};
}

Json compute(const Instance& instance, std::string_view version) {
    Json out{{"azEnvironment", "AzurePublicCloud"}};
    if (version < "2018-10-01") {
        out = Json::object();
    }
    out["customData"] = "";
    out["location"] = instance.location;
    out["name"] = instance.name;
    out["offer"] = "";
    out["osType"] = "Linux";
    if (version >= "2020-07-15") {
        out["osProfile"] = profile(instance, version);
    }
    if (version >= "2023-11-15") {
        out["physicalZone"] =
            instance.zone.empty() ? "" : instance.location + "-az" + instance.zone;
    }
    out["placementGroupId"] = "";
    out["platformFaultDomain"] = instance.fault_domain;
    out["platformUpdateDomain"] = "0";
    if (version >= "2020-12-01") {
        out["priority"] = instance.priority;
        out["evictionPolicy"] = instance.priority == "Spot" ? "Deallocate" : "";
    }
    if (version >= "2018-04-02") {
        out["provider"] = "Microsoft.Compute";
        out["publicKeys"] = public_keys(instance);
    }
    out["publisher"] = "";
    out["resourceGroupName"] = "emulated";
    if (version >= "2019-03-11") {
        out["resourceId"] =
            "/subscriptions/8d10da13-8125-4ba9-a717-bf7490507b3d/resourceGroups/"
            "emulated/providers/Microsoft.Compute/virtualMachines/" +
            instance.name;
    }
    if (version >= "2020-06-01") {
        out["securityProfile"] = security(instance);
    }
    out["sku"] = "";
    if (version >= "2019-06-01") {
        out["storageProfile"] = storage();
    }
    out["subscriptionId"] = "8d10da13-8125-4ba9-a717-bf7490507b3d";
    out["tags"] = joined_tags(instance);
    if (version >= "2019-06-04") {
        out["tagsList"] = tags_list(instance);
    }
    if (version >= "2021-01-01") {
        out["userData"] = base64(instance.user_data);
    }
    out["version"] = "";
    out["vmId"] = instance.vm_id;
    out["vmScaleSetName"] = instance.scale_set;
    out["vmSize"] = instance.vm_size;
    out["zone"] = instance.zone;
    return out;
}

Json network(const Instance& instance, bool reorder) {
    Json interfaces = Json::array();
    for (const Nic& nic : instance.nics) {
        Json v4 = Json::array(
            {{{"privateIpAddress", nic.address}, {"publicIpAddress", nic.public_address}}});
        for (const std::string& more : nic.secondary) {
            v4.push_back({{"privateIpAddress", more}, {"publicIpAddress", ""}});
        }
        Json v6 = Json::array();
        for (const std::string& address : nic.ipv6) {
            v6.push_back({{"privateIpAddress", address}});
        }
        Json subnet =
            Json::array({{{"address", nic.subnet}, {"prefix", std::to_string(nic.prefix)}}});
        interfaces.push_back(
            {{"ipv4", {{"ipAddress", std::move(v4)}, {"subnet", std::move(subnet)}}},
             {"ipv6", {{"ipAddress", std::move(v6)}}},
             {"macAddress", nic.mac}});
    }
    if (reorder) {
        std::reverse(interfaces.begin(), interfaces.end());
    }
    Json out;
    out["interface"] = std::move(interfaces);
    return out;
}

const Json* walk(const Json& root, std::string_view path) {
    const Json* at = &root;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty()) {
            continue;
        }
        if (at->is_object()) {
            const auto found = at->find(std::string(part));
            if (found == at->end()) {
                return nullptr;
            }
            at = &*found;
        } else if (at->is_array()) {
            const auto index = parse_u64(part);
            if (!index || *index >= at->size()) {
                return nullptr;
            }
            at = &(*at)[*index];
        } else {
            return nullptr;
        }
    }
    return at;
}

// Names of what is inside, as a directory.
std::string listing(const Json& node) {
    std::string out;
    if (node.is_array()) {
        for (std::size_t i = 0; i < node.size(); ++i) {
            out += fmt::format("{}{}\n", i, node[i].is_structured() ? "/" : "");
        }
        return out;
    }
    for (const auto& [name, child] : node.items()) {
        out += name + (child.is_structured() ? "/\n" : "\n");
    }
    return out;
}

}  // namespace

const std::vector<std::string>& api_versions() {
    static const std::vector<std::string> all = {
        "2025-04-07", "2024-07-17", "2024-03-15", "2023-11-15", "2023-07-01", "2021-12-13",
        "2021-11-15", "2021-11-01", "2021-10-01", "2021-08-01", "2021-05-01", "2021-03-01",
        "2021-02-01", "2021-01-01", "2020-12-01", "2020-10-01", "2020-09-01", "2020-07-15",
        "2020-06-01", "2020-05-01", "2019-11-01", "2019-08-15", "2019-08-01", "2019-06-04",
        "2019-06-01", "2019-04-30", "2019-03-11", "2019-02-01", "2018-10-01", "2018-04-02",
        "2018-02-01", "2017-12-01", "2017-10-01", "2017-08-01", "2017-04-02", "2017-03-01"};
    return all;
}

Answer instance_document(const Instance& instance, const DocumentWish& wish) {
    Json root{{"compute", compute(instance, wish.version)}};
    if (wish.extended) {
        root["extended"]["compute"] = {{"hasCustomData", text_of(!instance.custom_data.empty())},
                                       {"ppsType", instance.pps_type}};
    }
    root["network"] = network(instance, wish.reorder_nics);
    for (const auto& [path, value] : wish.set) {
        if (const Json* node = walk(root, path)) {
            *const_cast<Json*>(node) = value;
        }
    }
    const Json* node = walk(root, wish.path);
    if (node == nullptr) {
        return Answer::json(404, R"({"error":"Not found"})");
    }
    if (wish.text) {
        return Answer::text(200, node->is_string() ? node->get<std::string>() : listing(*node));
    }
    if (!node->is_structured()) {
        return Answer::json(400, R"({"error":"Bad request. A leaf needs format=text"})");
    }
    return Answer::json(200, node->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace tarn::emulator
