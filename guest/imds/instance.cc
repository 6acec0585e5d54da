// SPDX-License-Identifier: MIT
#include "base/base64.hh"
#include "base/strings.hh"

#include "imds/imds.hh"
#include <nlohmann/json.hpp>

namespace tarn::guest {

namespace {

using nlohmann::json;

constexpr std::size_t kBytes = 4u << 20;
constexpr unsigned kDepth = 32;
constexpr std::size_t kNics = 64;
constexpr std::size_t kAddresses = 512;
constexpr std::size_t kKeys = 256;

// Depth of brackets outside strings: refused before anything recursive sees the text.
bool too_deep(std::string_view text) {
    unsigned depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > kDepth) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return false;
}

Failure wrong(const std::string& path, std::string_view expected) {
    return fail(ErrorKind::kCorrupt, "instance metadata: `{}` is not {}", path, expected);
}

// A member, or nullptr when it is not there or null.
const json* member(const json& object, const char* name) {
    const auto at = object.find(name);
    return at == object.end() || at->is_null() ? nullptr : &*at;
}

// An object that may be missing: an empty one then.
Result<const json*> object_at(const json& parent, const std::string& path, const char* name) {
    static const json none = json::object();
    const json* value = member(parent, name);
    if (value == nullptr) {
        return &none;
    }
    if (!value->is_object()) {
        return wrong(path, "an object");
    }
    return value;
}
Result<const json*> array_at(const json& parent,
                             const std::string& path,
                             const char* name,
                             std::size_t limit) {
    static const json none = json::array();
    const json* value = member(parent, name);
    if (value == nullptr) {
        return &none;
    }
    if (!value->is_array()) {
        return wrong(path, "a list");
    }
    if (value->size() > limit) {
        return fail(
            ErrorKind::kCorrupt, "instance metadata: `{}` has more than {} members", path, limit);
    }
    return value;
}

// Every primitive is a string by the service's rules; a number or true is understood all the same.
Result<void> text_at(const json& parent,
                     const std::string& prefix,
                     const char* name,
                     std::string& out) {
    const json* value = member(parent, name);
    if (value == nullptr) {
        return {};
    }
    if (value->is_string()) {
        out = value->get_ref<const std::string&>();
    } else if (value->is_boolean() || value->is_number_integer()) {
        out = value->dump();
    } else {
        return wrong(prefix + "." + name, "a string");
    }
    return {};
}

// "true" and "false" in any case; anything else of a member that is there is an error.
Result<void> flag_at(const json& parent, const std::string& prefix, const char* name, bool& out) {
    std::string text;
    TARN_TRY(text_at(parent, prefix, name, text));
    text = to_lower(text);
    if (text == "true" || text == "false") {
        out = text == "true";
    } else if (!text.empty()) {
        return wrong(prefix + "." + name, "\"true\" or \"false\"");
    }
    return {};
}

// "000D3A112233", also with separators.
Result<std::string> mac_of(const std::string& text, const std::string& path) {
    std::string digits;
    for (const char c : to_lower(text)) {
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
            digits += c;
        } else if (c != ':' && c != '-') {
            return wrong(path, "a MAC address");
        }
    }
    if (digits.size() != 12) {
        return wrong(path, "a MAC address");
    }
    std::string mac;
    for (std::size_t i = 0; i < 12; i += 2) {
        mac += (i == 0 ? "" : ":") + digits.substr(i, 2);
    }
    return mac;
}

bool address_like(std::string_view text, bool six) {
    return !text.empty() && text.size() <= 45 &&
           text.find_first_not_of(six ? "0123456789abcdefABCDEF:." : "0123456789.") ==
               std::string_view::npos &&
           contains(text, six ? ":" : ".");
}

Result<void> addresses_of(const json& nic,
                          const std::string& nic_path,
                          bool six,
                          std::vector<IpAddress>& out) {
    const char* const name = six ? "ipv6" : "ipv4";
    const std::string path = nic_path + "." + name;
    const json& family = *TARN_TRY(object_at(nic, path, name));
    unsigned prefix = six ? 128 : 24;
    const json& subnets = *TARN_TRY(array_at(family, path + ".subnet", "subnet", kAddresses));
    if (!subnets.empty()) {
        const std::string first = path + ".subnet[0]";
        if (!subnets[0].is_object()) {
            return wrong(first, "an object");
        }
        std::string text;
        TARN_TRY(text_at(subnets[0], first, "prefix", text));
        const auto value = parse_u64(text);
        if (!text.empty() && (!value || *value > (six ? 128u : 32u))) {
            return wrong(first + ".prefix", "the length of a prefix");
        }
        prefix = value ? static_cast<unsigned>(*value) : prefix;
    }
    const json& list = *TARN_TRY(array_at(family, path + ".ipAddress", "ipAddress", kAddresses));
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string at = fmt::format("{}.ipAddress[{}]", path, i);
        if (!list[i].is_object()) {
            return wrong(at, "an object");
        }
        IpAddress address{{}, prefix};
        TARN_TRY(text_at(list[i], at, "privateIpAddress", address.address));
        if (address.address.empty()) {
            continue;
        }
        if (!address_like(address.address, six)) {
            return wrong(at + ".privateIpAddress", "an address");
        }
        out.push_back(std::move(address));
    }
    return {};
}

Result<void> network_of(const json& root, InstanceDocument& out) {
    const json& network = *TARN_TRY(object_at(root, "network", "network"));
    const json& list = *TARN_TRY(array_at(network, "network.interface", "interface", kNics));
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string path = fmt::format("network.interface[{}]", i);
        if (!list[i].is_object()) {
            return wrong(path, "an object");
        }
        std::string mac;
        TARN_TRY(text_at(list[i], path, "macAddress", mac));
        Nic nic;
        nic.mac = TARN_TRY(mac_of(mac, path + ".macAddress"));
        TARN_TRY(addresses_of(list[i], path, false, nic.ipv4));
        TARN_TRY(addresses_of(list[i], path, true, nic.ipv6));
        out.nics.push_back(std::move(nic));
    }
    return {};
}

Result<void> keys_and_tags(const json& compute, InstanceDocument& out) {
    const json& keys = *TARN_TRY(array_at(compute, "compute.publicKeys", "publicKeys", kKeys));
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string path = fmt::format("compute.publicKeys[{}]", i);
        if (!keys[i].is_object()) {
            return wrong(path, "an object");
        }
        std::string data;
        TARN_TRY(text_at(keys[i], path, "keyData", data));
        if (!data.empty()) {
            out.public_keys.push_back(std::move(data));
        }
    }
    const json& tags = *TARN_TRY(array_at(compute, "compute.tagsList", "tagsList", kKeys));
    for (std::size_t i = 0; i < tags.size(); ++i) {
        const std::string path = fmt::format("compute.tagsList[{}]", i);
        if (!tags[i].is_object()) {
            return wrong(path, "an object");
        }
        std::string name;
        std::string value;
        TARN_TRY(text_at(tags[i], path, "name", name));
        TARN_TRY(text_at(tags[i], path, "value", value));
        out.tags[name] = value;
    }
    return {};
}

Result<void> compute_of(const json& compute, InstanceDocument& out) {
    const std::pair<const char*, std::string*> texts[] = {
        {"vmId", &out.vm_id},
        {"name", &out.name},
        {"location", &out.location},
        {"azEnvironment", &out.environment},
        {"vmSize", &out.vm_size},
        {"vmScaleSetName", &out.scale_set},
        {"zone", &out.zone},
        {"platformFaultDomain", &out.fault_domain},
        {"priority", &out.priority},
        {"userData", &out.user_data},
    };
    for (const auto& [name, place] : texts) {
        TARN_TRY(text_at(compute, "compute", name, *place));
    }
    out.vm_id = to_lower(out.vm_id);
    auto user_data = from_base64(trim(out.user_data));
    if (!user_data) {
        return wrong("compute.userData", "base64");
    }
    out.user_data = std::move(*user_data);
    const json& profile = *TARN_TRY(object_at(compute, "compute.osProfile", "osProfile"));
    TARN_TRY(text_at(profile, "compute.osProfile", "adminUsername", out.admin_user));
    TARN_TRY(text_at(profile, "compute.osProfile", "computerName", out.computer_name));
    TARN_TRY(flag_at(profile,
                     "compute.osProfile",
                     "disablePasswordAuthentication",
                     out.disable_password_authentication));
    const std::string security_path = "compute.securityProfile";
    const json& security = *TARN_TRY(object_at(compute, security_path, "securityProfile"));
    TARN_TRY(text_at(security, security_path, "secureBootEnabled", out.secure_boot_enabled));
    TARN_TRY(text_at(security, security_path, "virtualTpmEnabled", out.virtual_tpm_enabled));
    return keys_and_tags(compute, out);
}

Result<InstanceDocument> document_of(const json& root) {
    if (!root.is_object()) {
        return fail(ErrorKind::kCorrupt, "instance metadata: not a JSON object");
    }
    InstanceDocument out;
    const json& compute = *TARN_TRY(object_at(root, "compute", "compute"));
    TARN_TRY(compute_of(compute, out));
    const json& extended = *TARN_TRY(object_at(root, "extended", "extended"));
    const json& more = *TARN_TRY(object_at(extended, "extended.compute", "compute"));
    TARN_TRY(flag_at(more, "extended.compute", "hasCustomData", out.has_custom_data));
    TARN_TRY(text_at(more, "extended.compute", "ppsType", out.pps_type));
    TARN_TRY(network_of(root, out));
    return out;
}

}  // namespace

Result<InstanceDocument> parse_instance(std::string_view text) {
    if (text.size() > kBytes) {
        return fail(ErrorKind::kCorrupt, "instance metadata: larger than 4 MiB");
    }
    if (too_deep(text)) {
        return fail(ErrorKind::kCorrupt, "instance metadata: nested deeper than {}", kDepth);
    }
    try {
        return document_of(json::parse(text));
    } catch (const json::parse_error& problem) {
        return fail(ErrorKind::kCorrupt, "instance metadata: no JSON at byte {}", problem.byte);
    } catch (const std::exception& problem) {
        return fail(ErrorKind::kCorrupt, "instance metadata: {}", problem.what());
    }
}

}  // namespace tarn::guest
