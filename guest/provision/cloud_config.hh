// SPDX-License-Identifier: MIT
// #cloud-config as values. What is not in here is handed over to cloud-init as a whole.
#pragma once

#include "provision/accounts.hh"
#include "provision/yaml.hh"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::guest {

struct FileToWrite {
    std::string path, bytes, owner;  // owner: "USER:GROUP"
    unsigned mode = 0644;
    bool append = false, defer = false;
    Mark mark;
};

struct MountLine {
    std::vector<std::string> fields;  // 1 to 6; one field takes an earlier line away
};

struct Repository {
    std::string id;
    std::vector<std::pair<std::string, std::string>> options;
};

struct CloudConfig {
    std::vector<Account> users;   // without the administrator
    bool has_users = false;       // `users` is there
    std::optional<Account> user;  // what `user` changes of the administrator; name empty: as it is
    std::vector<GroupWish> groups;
    std::vector<std::string> administrator_keys;
    std::optional<bool> disable_root, ssh_pwauth;
    Secret administrator_password;
    std::vector<PasswordChange> passwords;
    bool expire_passwords = true;
    std::string hostname, fqdn;
    bool prefer_fqdn = true, preserve_hostname = false, write_hostname_file = true;
    bool manage_hosts = false;
    std::vector<FileToWrite> files;
    std::string bootcmd, runcmd;        // shell scripts; empty: none
    std::vector<std::string> packages;  // as dnf takes them
    bool package_update = false, package_upgrade = false, reboot_if_required = false;
    std::string timezone, locale;
    bool delete_host_keys = true;
    std::vector<std::string> host_key_types;                // empty: the default
    std::vector<std::pair<std::string, Secret>> host_keys;  // "ed25519_private", text
    std::optional<std::string> final_message;
    std::vector<MountLine> mounts;
    std::string swap_file;
    std::uint64_t swap_size = 0;
    bool has_ntp = false;
    std::vector<std::string> ntp_servers, ntp_pools;
    std::vector<std::string> ca_certificates;
    std::vector<Repository> repositories;
    std::string power_mode, power_delay, power_message;  // mode empty: nothing
    std::optional<bool> power_condition;
    std::string power_command;  // a shell script whose exit code 0 says yes
};

// Reads one document over what earlier ones said: a key replaces the whole value of that key. All
// problems are collected; with any of them the value is of no use. kUsage when it is no YAML.
Result<void> read_cloud_config(std::string_view document,
                               std::string_view text,
                               CloudConfig& config,
                               Problems& problems);

// cloud-init's way from a list of commands to a script: a list is quoted word by word, text is
// taken as it is. All share one shell, and go on after a failure.
std::string shell_script(const Node& commands);

}  // namespace tarn::guest
