// SPDX-License-Identifier: MIT
#include "provision/nocloud.hh"

#include "base/strings.hh"

#include "provision/keys.hh"
#include "provision/names.hh"
#include "provision/text.hh"
#include "provision/yaml.hh"
#include <poll.h>

namespace tarn::guest {

namespace {

constexpr const char* kWhat = "meta-data";

Failure wrong(const Node& node, std::string_view expected) {
    return fail(
        ErrorKind::kUsage, "{}:{}:{}: {}", kWhat, node.mark.line, node.mark.column, expected);
}

Result<void> text_of(const Node& map, const char* key, std::string& out) {
    const Node* node = map.find(key);
    if (node == nullptr || node->is_null()) {
        return {};
    }
    if (!node->is_scalar()) {
        return wrong(*node, fmt::format("`{}` is a text", key));
    }
    out = node->text;
    return {};
}

void add_key(std::string_view line, Settings& out) {
    auto key = parse_public_key(line);
    if (key) {
        out.ssh_keys.push_back(std::move(*key));
    } else {
        out.warnings.push_back("a public key of meta-data is left out: " + key.error().message);
    }
}

// A list of keys, a map of names to keys, or one text with a key a line.
Result<void> keys_of(const Node& map, Settings& out) {
    const Node* keys = map.find("public-keys");
    keys = keys == nullptr ? map.find("public_keys") : keys;
    if (keys == nullptr || keys->is_null()) {
        return {};
    }
    std::vector<const Node*> texts;
    if (keys->is_scalar()) {
        texts.push_back(keys);
    }
    for (const Node& item : keys->items) {
        texts.push_back(&item);
    }
    for (const auto& [name, value] : keys->members) {
        texts.push_back(&value);
        for (const Node& item : value.items) {
            texts.push_back(&item);
        }
    }
    for (const Node* node : texts) {
        if (node->kind == Node::Kind::kList) {
            continue;
        }
        if (!node->is_scalar()) {
            return wrong(*node, "a public key is a text");
        }
        for (const std::string_view line : split_lines(node->text)) {
            if (!trim(line).empty()) {
                add_key(line, out);
            }
        }
    }
    return {};
}

}  // namespace

Result<Settings> nocloud_settings(const NoCloudSeed& seed,
                                  const std::map<std::string, std::string>& overrides) {
    Settings out;
    out.source = "nocloud";
    Problems problems;
    const Node map = TARN_TRY(parse_yaml(kWhat, seed.metadata, problems));
    if (!problems.empty()) {
        return fail(problems_error(kWhat, seed.metadata, problems));
    }
    if (map.kind != Node::Kind::kMap && !map.is_null()) {
        return wrong(map, "a map is expected: `instance-id: NAME`");
    }
    TARN_TRY(text_of(map, "instance-id", out.instance_id));
    TARN_TRY(text_of(map, "hostname", out.hostname));
    TARN_TRY(text_of(map, "local-hostname", out.hostname));
    TARN_TRY(keys_of(map, out));
    for (const auto& [key, value] : map.members) {
        if (value.is_scalar()) {
            out.metadata[key] = value.text;
        }
    }
    for (const auto& [key, value] : overrides) {
        out.metadata[key] = value;
        if (key == "instance-id") {
            out.instance_id = value;
        } else if (key == "local-hostname") {
            out.hostname = value;
        }
    }
    if (out.instance_id.empty()) {
        return fail(
            error(ErrorKind::kUsage, "{}: {} says no instance-id", seed.where, kWhat)
                .advise("add a line `instance-id: NAME`; another name is another instance"));
    }
    if (out.instance_id.size() > 1024 || !is_one_line(out.instance_id)) {
        return fail(ErrorKind::kUsage, "{}: the instance-id is no line of text", seed.where);
    }
    if (!out.hostname.empty()) {
        if (const std::string why = why_no_hostname(out.hostname); !why.empty()) {
            return fail(ErrorKind::kUsage, "{}: local-hostname: {}", seed.where, why);
        }
    }
    out.metadata["instance_id"] = out.metadata["instance-id"] = out.instance_id;
    out.metadata["local_hostname"] = out.metadata["local-hostname"] = out.hostname;
    out.user_data = seed.user_data;
    out.vendor_data = seed.vendor_data;
    out.network_config = seed.network_config;
    return out;
}

Result<NoCloudSeed> fetch_nocloud_seed(const std::string& url, const RetryPolicy& policy) {
    if (!url.starts_with("http://")) {
        return fail(ErrorKind::kUsage,
                    "NoCloud: `{}`: only http:// to a numeric address is fetched",
                    one_line(url));
    }
    const std::string rest = url.substr(7);
    const std::size_t slash = rest.find('/');
    const Endpoint server = TARN_TRY(Endpoint::parse(rest.substr(0, slash)));
    const std::string path = slash == std::string::npos ? "/" : rest.substr(slash);
    NoCloudSeed seed;
    seed.where = one_line(url);
    const std::pair<const char*, std::string*> files[] = {{"meta-data", &seed.metadata},
                                                          {"user-data", &seed.user_data},
                                                          {"vendor-data", &seed.vendor_data},
                                                          {"network-config", &seed.network_config}};
    const auto end = std::chrono::steady_clock::now() + policy.total;
    for (const auto& [name, place] : files) {
        HttpRequest request;
        request.server = server;
        request.target = path + name;
        request.connect_timeout = request.total_timeout = policy.later_tries;
        for (;;) {
            auto response = http_request(request);
            if (response && response->status == 200) {
                *place = std::move(response->body);
                break;
            }
            const bool first = place == &seed.metadata;
            if (response && response->status == 404 && !first) {
                break;
            }
            const bool again = response ? judge(response->status) == Verdict::kAgain
                                        : response.error().kind == ErrorKind::kNetwork;
            if (!again || std::chrono::steady_clock::now() >= end) {
                return fail(
                    ErrorKind::kNetwork,
                    "{}{}: {}",
                    seed.where,
                    name,
                    response ? fmt::format("http {}", response->status) : response.error().message);
            }
            ::poll(nullptr, 0, static_cast<int>(policy.first_pause.count()));
        }
    }
    return seed;
}

}  // namespace tarn::guest
