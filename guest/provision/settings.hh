// SPDX-License-Identifier: MIT
// What a source (Azure's media and metadata, a NoCloud seed) says this machine shall be. A source
// makes it; `apply` makes the machine so; neither knows the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imds/imds.hh"

namespace tarn::guest {

// Text that is never logged and is wiped when it goes.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&&) noexcept = default;
    Secret& operator=(const Secret&) = default;
    Secret& operator=(Secret&&) noexcept = default;
    ~Secret() { explicit_bzero(text_.data(), text_.size()); }
    bool empty() const { return text_.empty(); }
    const std::string& reveal() const { return text_; }

  private:
    std::string text_;
};

struct Settings {
    std::string source;       // "azure", "nocloud", "none"
    std::string instance_id;  // UUID in lower case, or NoCloud's instance-id
    std::string hostname;     // empty: leave it
    std::string user;         // administrator to make; empty: none
    Secret password;          // clear text, or a crypt(5) string that begins with '$'
    bool disable_password_authentication = true;
    std::vector<std::string> ssh_keys;  // one OpenSSH line each, validated, without CR
    // Payloads, decoded. The first that is not empty is the machine's configuration.
    std::string custom_data, user_data;
    std::string vendor_data;
    std::vector<Nic> nics;
    std::string network_config;  // NoCloud's network-config, as it is
    // For {{ ds.meta_data.* }} and {{ v1.* }}.
    std::map<std::string, std::string> metadata;
    std::vector<std::string> warnings;  // keys that were no keys, ...
};

}  // namespace tarn::guest
