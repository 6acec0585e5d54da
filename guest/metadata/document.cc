// SPDX-License-Identifier: MIT
#include "metadata/document.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.hh"
#include "base/strings.hh"
#include "varlink/json.hh"

namespace tarn::guest {

struct Document::Tree {
    nlohmann::json json;
};

namespace {

// May hold secrets of whoever made the machine.
constexpr std::array<const char*, 2> kPrivate{"userData", "customData"};

void redact(nlohmann::json& json) {
    for (auto compute = json.begin(); compute != json.end(); ++compute) {
        if (to_lower(compute.key()) != "compute" || !compute->is_object()) {
            continue;
        }
        for (auto member = compute->begin(); member != compute->end(); ++member) {
            for (const char* name : kPrivate) {
                if (to_lower(member.key()) == to_lower(name)) {
                    *member = "";
                }
            }
        }
    }
}

const nlohmann::json* child(const nlohmann::json& json, std::string_view part) {
    if (json.is_array()) {
        const auto index = parse_u64(part);
        return index && *index < json.size() ? &json[static_cast<std::size_t>(*index)] : nullptr;
    }
    if (!json.is_object()) {
        return nullptr;
    }
    const auto exact = json.find(std::string(part));
    if (exact != json.end()) {
        return &*exact;
    }
    const std::string lower = to_lower(part);
    for (auto member = json.begin(); member != json.end(); ++member) {
        if (to_lower(member.key()) == lower) {
            return &*member;
        }
    }
    return nullptr;
}

}  // namespace

Result<Document> Document::parse(std::string_view text) {
    auto json = parse_json(text);
    if (!json || !json->is_object()) {
        return fail(ErrorKind::kCorrupt, "the metadata service's document is no JSON object");
    }
    auto seen = *json;
    redact(seen);
    Document document;
    document.all_ = std::make_shared<const Tree>(Tree{std::move(*json)});
    document.public_ = std::make_shared<const Tree>(Tree{std::move(seen)});
    return document;
}

std::optional<Found> Document::find(std::string_view path, Sight sight) const {
    const nlohmann::json* at = &(sight == Sight::kAll ? all_ : public_)->json;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty()) {
            continue;
        }
        at = child(*at, part);
        if (at == nullptr) {
            return std::nullopt;
        }
    }
    if (at->is_string()) {
        return Found{at->get<std::string>(), true};
    }
    return Found{dump_json(*at), !at->is_structured()};
}

std::string Document::text(std::string_view path) const {
    const auto found = find(path, Sight::kAll);
    return found && found->leaf ? found->data : std::string();
}

namespace {

struct WellKnown {
    std::string_view name, path;
};
constexpr std::array<WellKnown, 7> kWellKnown{{
    {"hostname", "compute/osProfile/computerName"},
    {"region", "compute/location"},
    {"zone", "compute/zone"},
    {"ipv4_public", "network/interface/0/ipv4/ipAddress/0/publicIpAddress"},
    {"ipv6_public", "network/interface/0/ipv6/ipAddress/0/publicIpAddress"},
    {"ssh_key", "compute/publicKeys/0/keyData"},
    {"userdata", "compute/userData"},
}};

}  // namespace

bool is_well_known(std::string_view name) {
    return std::ranges::any_of(kWellKnown, [&](const WellKnown& one) { return one.name == name; });
}

std::optional<std::string> well_known(const Document& document,
                                      std::string_view name,
                                      Sight sight) {
    for (const WellKnown& one : kWellKnown) {
        if (one.name != name) {
            continue;
        }
        auto found = document.find(one.path, sight);
        if (!found || !found->leaf || found->data.empty()) {
            return std::nullopt;
        }
        return name == "userdata" ? from_base64(found->data) : std::move(found->data);
    }
    return std::nullopt;
}

namespace {

std::string swapped(std::string_view uuid) {
    std::string out(uuid);
    const auto swap_group = [&](std::size_t begin, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) {
            const std::size_t from = begin + 2 * (bytes - 1 - i);
            out[begin + 2 * i] = uuid[from];
            out[begin + 2 * i + 1] = uuid[from + 1];
        }
    };
    swap_group(0, 4);
    swap_group(9, 2);
    swap_group(14, 2);
    return out;
}

}  // namespace

bool same_vm_id(std::string_view a, std::string_view b) {
    const std::string one = to_lower(trim(a)), other = to_lower(trim(b));
    if (one.size() != 36 || other.size() != 36) {
        return false;
    }
    return one == other || swapped(one) == other;
}

}  // namespace tarn::guest
