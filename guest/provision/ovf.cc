// SPDX-License-Identifier: MIT
#include "provision/ovf.hh"

#include "base/base64.hh"
#include "base/strings.hh"

#include "provision/xml.hh"

namespace tarn::guest {

namespace {

constexpr const char* kWhat = "ovf-env.xml";
constexpr std::size_t kCustomData = 64u << 10;
constexpr std::size_t kPassword = 72;

Failure wrong(const XmlNode& node, std::string_view expected) {
    return fail(ErrorKind::kCorrupt, "{}:{}:{}: {}", kWhat, node.line, node.column, expected);
}

Result<std::optional<bool>> flag_of(const XmlNode& parent, std::string_view name) {
    const XmlNode* node = parent.child(name);
    const std::string text = node == nullptr ? std::string() : to_lower(trim(node->text));
    if (text.empty()) {
        return std::optional<bool>();
    }
    if (text == "true" || text == "1") {
        return std::optional<bool>(true);
    }
    if (text == "false" || text == "0") {
        return std::optional<bool>(false);
    }
    return wrong(*node, fmt::format("<{}> is true or false, not `{}`", name, text));
}

// White space in it is of the document's layout.
Result<std::string> base64_of(const XmlNode& node) {
    std::string packed;
    for (const std::string_view word : split_words(node.text)) {
        packed += word;
    }
    auto bytes = from_base64(packed);
    if (!bytes) {
        return wrong(node, "<CustomData> is not base64");
    }
    if (bytes->size() > kCustomData) {
        return wrong(node, "<CustomData> is larger than 64 KiB");
    }
    return std::move(*bytes);
}

void keys_of(const XmlNode& set, OvfEnvironment& out) {
    const XmlNode* ssh = set.child("ssh");
    const XmlNode* list = ssh == nullptr ? nullptr : ssh->child("publickeys");
    if (list == nullptr) {
        return;
    }
    for (const XmlNode& key : list->children) {
        if (key.name != "publickey") {
            continue;
        }
        if (const std::string_view value = key.text_of("value"); !value.empty()) {
            out.keys.emplace_back(value);
        } else if (const std::string_view print = key.text_of("fingerprint"); !print.empty()) {
            out.fingerprints.emplace_back(print);
        }
    }
}

Result<void> platform_settings(const XmlNode& root, OvfEnvironment& out) {
    const XmlNode* section = root.child("platformsettingssection");
    const XmlNode* settings = section == nullptr ? nullptr : section->child("platformsettings");
    if (settings == nullptr) {
        return {};
    }
    out.preprovisioned = TARN_TRY(flag_of(*settings, "preprovisionedvm")).value_or(false);
    out.preprovisioned_type = settings->text_of("preprovisionedvmtype");
    out.guest_proxy_agent =
        TARN_TRY(flag_of(*settings, "provisionguestproxyagent")).value_or(false);
    return {};
}

}  // namespace

Result<OvfEnvironment> parse_ovf(std::string_view xml) {
    const XmlNode root = TARN_TRY(parse_xml(kWhat, xml));
    if (root.name != "environment") {
        return wrong(root, "the document is not an <Environment>");
    }
    const XmlNode* section = root.child("provisioningsection");
    if (section == nullptr) {
        return wrong(root, "there is no <ProvisioningSection>");
    }
    const XmlNode* set = section->child("linuxprovisioningconfigurationset");
    if (set == nullptr) {
        return wrong(*section, "there is no <LinuxProvisioningConfigurationSet>");
    }
    OvfEnvironment out;
    out.hostname = set->text_of("hostname");
    if (out.hostname.empty()) {
        return wrong(*set, "there is no <HostName>");
    }
    out.user = set->text_of("username");
    if (const XmlNode* password = set->child("userpassword")) {
        out.password = Secret(password->text);
        if (password->text.size() > kPassword && !password->text.starts_with('$')) {
            return wrong(*password, "<UserPassword> is longer than 72 bytes");
        }
        if (password->text.find_first_of("\n\r") != std::string::npos) {
            return wrong(*password, "<UserPassword> is more than one line");
        }
    }
    out.disable_password_authentication =
        TARN_TRY(flag_of(*set, "disablesshpasswordauthentication"));
    keys_of(*set, out);
    const XmlNode* data = set->child("customdata");
    if (data != nullptr && trim(data->text) != kRedacted) {
        out.custom_data = TARN_TRY(base64_of(*data));
    }
    TARN_TRY(platform_settings(root, out));
    return out;
}

namespace {

// The content of every element whose name ends in this one.
Result<std::string> without(std::string_view name, std::string_view xml) {
    std::string out;
    const std::string lower = to_lower(xml);
    std::size_t done = 0;
    for (;;) {
        const std::size_t begin = lower.find(name, done);
        if (begin == std::string::npos) {
            return out + std::string(xml.substr(done));
        }
        const std::size_t open = lower.find('>', begin);
        if (open == std::string::npos) {
            break;
        }
        if (lower[open - 1] == '/') {
            out += xml.substr(done, open + 1 - done);
            done = open + 1;
            continue;
        }
        const std::size_t close = lower.find(name, open);
        const std::size_t end = close == std::string::npos ? close : lower.rfind("</", close);
        const std::size_t after = close == std::string::npos ? close : lower.find('>', close);
        if (end == std::string::npos || end <= open || after == std::string::npos) {
            break;
        }
        const bool empty = trim(xml.substr(open + 1, end - open - 1)).empty();
        out += std::string(xml.substr(done, open + 1 - done)) + (empty ? "" : kRedacted);
        out += xml.substr(end, after + 1 - end);
        done = after + 1;
    }
    return fail(ErrorKind::kCorrupt, "{}: where <{}> ends cannot be told", kWhat, name);
}

}  // namespace

Result<std::string> redact_ovf(std::string_view xml) {
    const std::string open = TARN_TRY(without("userpassword", xml));
    return without("customdata", open);
}

}  // namespace tarn::guest
