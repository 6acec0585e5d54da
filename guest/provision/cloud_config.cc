// SPDX-License-Identifier: MIT
#include "provision/cloud_config.hh"

#include "base/base64.hh"
#include "base/strings.hh"

#include "provision/cloud_config_users.hh"
#include "provision/names.hh"
#include "provision/payload.hh"
#include "provision/schema.hh"

#include <algorithm>

namespace tarn::guest {
namespace {

constexpr std::size_t kFileLimit = 8u << 20;

std::vector<std::string> texts(const Node* node) {
    std::vector<std::string> result;
    if (node == nullptr || node->is_null()) {
        return result;
    }
    if (node->is_scalar()) {
        result.push_back(node->text);
    }
    for (const Node& item : node->items) {
        result.push_back(item.text);
    }
    return result;
}

// A number of bytes: 1048576, "512M", "2G".
std::optional<std::uint64_t> size_of(std::string_view text) {
    const std::string upper = replace_all(std::string(trim(text)), "B", "");
    std::string_view digits = upper;
    unsigned shift = 0;
    if (!digits.empty() && std::string_view("KMGT").find(digits.back()) != std::string_view::npos) {
        shift = static_cast<unsigned>(10 * (std::string_view("KMGT").find(digits.back()) + 1));
        digits.remove_suffix(1);
    }
    const auto value = parse_u64(digits);
    if (!value || (shift > 0 && *value >> (63 - shift) != 0)) {
        return std::nullopt;
    }
    return *value << shift;
}

class Reader {
  public:
    Reader(const Node& root, CloudConfig& config, Problems& problems)
        : root_(root), out_(config), say_(problems) {}

    void read() {
        read_users(root_, out_, say_);
        names();
        files();
        commands();
        packages();
        time_and_keys();
        disks();
        services();
        power();
    }

  private:
    const Node* get(std::string_view key) const {
        const Node* node = root_.find(key);
        return node == nullptr || node->is_null() ? nullptr : node;
    }
    void flag(std::string_view key, bool& value) const {
        if (const Node* node = get(key)) {
            value = is_true(*node);
        }
    }
    // One line of text that ends up in a configuration file.
    void line(std::string_view key, std::string& value) {
        if (const Node* node = get(key)) {
            value = node->text;
            if (!is_one_line(value)) {
                refuse(*node, fmt::format("`{}` has control characters", key));
            }
        }
    }
    void refuse(const Node& node, std::string text, std::string help = {}, bool secret = false) {
        say_.push_back({Problem::Weight::kRefused,
                        node.mark,
                        static_cast<unsigned>(std::clamp<std::size_t>(node.text.size(), 1, 80)),
                        std::move(text),
                        std::move(help),
                        secret});
    }

    void names() {
        line("hostname", out_.hostname);
        line("fqdn", out_.fqdn);
        for (const char* key : {"hostname", "fqdn"}) {
            const Node* node = get(key);
            const std::string why = node == nullptr ? "" : why_no_hostname(node->text);
            if (!why.empty()) {
                refuse(*node, fmt::format("`{}`: {}", key, why));
            }
        }
        flag("prefer_fqdn_over_hostname", out_.prefer_fqdn);
        flag("preserve_hostname", out_.preserve_hostname);
        flag("create_hostname_file", out_.write_hostname_file);
        if (const Node* node = get("manage_etc_hosts")) {
            out_.manage_hosts =
                is_true(*node) || node->text == "localhost" || node->text == "template";
        }
    }

    void files() {
        const Node* list = get("write_files");
        if (list == nullptr) {
            return;
        }
        out_.files.clear();
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            file(list->items[i], fmt::format("write_files[{}]", i));
        }
    }

    void file(const Node& node, const std::string& where) {
        const Node* path = node.find("path");
        if (path == nullptr || path->is_null()) {
            refuse(node, fmt::format("`{}` has no `path`", where));
            return;
        }
        FileToWrite file;
        file.path = path->text;
        file.mark = path->mark;
        std::string why = why_no_file_path(file.path);
        why = why.empty() ? why_not_written(file.path) : why;
        if (!why.empty()) {
            refuse(*path, fmt::format("`{}.path`: {}", where, why));
        }
        file_content(node, where, file);
        if (const Node* mode = node.find("permissions"); mode != nullptr && !mode->is_null()) {
            const auto value = mode->kind == Node::Kind::kInt
                                   ? std::optional(static_cast<std::uint64_t>(mode->integer))
                                   : parse_u64(replace_all(mode->text, "0o", ""), 8);
            if (!value || *value > 07777) {
                refuse(*mode,
                       fmt::format("`{}.permissions` must be octal digits", where),
                       "for example `permissions: \"0640\"`");
            } else {
                file.mode = static_cast<unsigned>(*value);
            }
        }
        if (const Node* owner = node.find("owner"); owner != nullptr && !owner->is_null()) {
            file.owner = trim(owner->text);
            if (!is_one_line(file.owner) || file.owner.size() > 80) {
                refuse(*owner, fmt::format("`{}.owner` is no `USER:GROUP`", where));
            }
        }
        const Node* append = node.find("append");
        const Node* defer = node.find("defer");
        file.append = append != nullptr && is_true(*append);
        file.defer = defer != nullptr && is_true(*defer);
        out_.files.push_back(std::move(file));
    }

    void file_content(const Node& node, const std::string& where, FileToWrite& file) {
        const Node* content = node.find("content");
        const Node* encoding = node.find("encoding");
        file.bytes = content == nullptr ? std::string() : content->text;
        const std::string name = encoding == nullptr ? std::string() : encoding->text;
        const bool gzip = name.starts_with("gz");
        const bool base64_coded = contains(name, "b64") || contains(name, "base64") || gzip;
        if (base64_coded && content != nullptr) {
            std::string compact;
            std::copy_if(
                file.bytes.begin(), file.bytes.end(), std::back_inserter(compact), [](char c) {
                    return c != '\n' && c != ' ' && c != '\r' && c != '\t';
                });
            auto bytes = from_base64(compact);
            if (!bytes) {
                refuse(*content, fmt::format("`{}.content` is no base64", where), {}, true);
                return;
            }
            file.bytes = std::move(*bytes);
        }
        if (gzip && content != nullptr) {
            auto bytes = gunzip(where, file.bytes, kFileLimit);
            if (!bytes) {
                refuse(*content, bytes.error().message, {}, true);
                return;
            }
            file.bytes = std::move(*bytes);
        }
    }

    void commands() {
        if (const Node* node = get("bootcmd")) {
            out_.bootcmd = shell_script(*node);
        }
        if (const Node* node = get("runcmd")) {
            out_.runcmd = shell_script(*node);
        }
        if (const Node* node = get("final_message")) {
            out_.final_message = node->text;
        }
    }

    void packages() {
        if (const Node* list = get("packages")) {
            out_.packages.clear();
            for (const Node& item : list->items) {
                const std::string name = join(texts(&item), "-");
                const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
                    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
                });
                if (name.empty() || name[0] == '-' || !plain || item.items.size() > 2) {
                    refuse(
                        item, "this is no name of a package", "write `NAME` or `[NAME, VERSION]`");
                }
                out_.packages.push_back(name);
            }
        }
        flag("package_update", out_.package_update);
        flag("package_upgrade", out_.package_upgrade);
        flag("package_reboot_if_required", out_.reboot_if_required);
        if (const Node* map = get("yum_repos")) {
            out_.repositories.clear();
            for (const auto& [id, node] : map->members) {
                repository(id, node);
            }
        }
    }

    void repository(const std::string& id, const Node& node) {
        Repository result;
        result.id = id;
        const bool plain = !id.empty() && id[0] != '.' && id.size() <= 100 &&
                           std::all_of(id.begin(), id.end(), [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                      (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                                      c == ':';
                           });
        if (!plain) {
            refuse(node, "the id of a repository is of letters, digits, `-`, `_`, `.` and `:`");
        }
        bool address = false;
        for (const auto& [key, value] : node.members) {
            if (key == "failovermethod" || value.is_null()) {
                continue;
            }
            address = address || key == "baseurl" || key == "metalink" || key == "mirrorlist";
            if (!is_one_line(value.text)) {
                refuse(value, fmt::format("`yum_repos.{}.{}` is not one line", id, key));
            }
            const bool boolean = value.kind == Node::Kind::kBool;
            result.options.emplace_back(key, boolean ? (value.boolean ? "1" : "0") : value.text);
        }
        if (!address) {
            refuse(node, fmt::format("`yum_repos.{}` has no `baseurl`", id));
        }
        out_.repositories.push_back(std::move(result));
    }

    void time_and_keys() {
        line("timezone", out_.timezone);
        if (const std::string why = why_no_timezone(out_.timezone);
            get("timezone") != nullptr && !why.empty()) {
            refuse(*get("timezone"), "`timezone`: " + why, "for example `Europe/Berlin`");
        }
        const Node* locale = get("locale");
        if (locale != nullptr && locale->kind == Node::Kind::kText) {
            line("locale", out_.locale);
            const bool plain = std::all_of(out_.locale.begin(), out_.locale.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '@' || c == '-';
            });
            if (!plain || out_.locale.empty()) {
                refuse(*locale, "`locale` is no name of a locale", "for example `de_DE.UTF-8`");
            }
        }
        flag("ssh_deletekeys", out_.delete_host_keys);
        if (get("ssh_genkeytypes") != nullptr) {
            out_.host_key_types = texts(get("ssh_genkeytypes"));
        }
        if (const Node* keys = get("ssh_keys")) {
            out_.host_keys.clear();
            for (const auto& [name, value] : keys->members) {
                if (name.ends_with("_private") && !contains(value.text, "PRIVATE KEY-----")) {
                    refuse(value, fmt::format("`ssh_keys.{}` is no private key", name), {}, true);
                }
                out_.host_keys.emplace_back(name, Secret(value.text));
            }
        }
    }

    void disks() {
        const auto defaults = texts(get("mount_default_fields"));
        if (const Node* list = get("mounts")) {
            out_.mounts.clear();
            for (const Node& item : list->items) {
                MountLine mount{texts(&item)};
                const bool plain = std::all_of(
                    mount.fields.begin(), mount.fields.end(), [](const std::string& field) {
                        return is_one_line(field) && field.size() < 4096;
                    });
                if (mount.fields.empty() || mount.fields.size() > 6 || !plain) {
                    refuse(item, "a mount is a list of 1 to 6 fields of /etc/fstab");
                }
                for (std::size_t i = mount.fields.size(); i > 1 && i < defaults.size() && i < 6;
                     ++i) {
                    mount.fields.push_back(defaults[i]);
                }
                out_.mounts.push_back(std::move(mount));
            }
        }
        if (const Node* swap = get("swap")) {
            read_swap(*swap);
        }
    }

    void read_swap(const Node& swap) {
        const Node* name = swap.find("filename");
        const Node* size = swap.find("size");
        const Node* most = swap.find("maxsize");
        out_.swap_file = name == nullptr ? "/swapfile" : name->text;
        const std::string why = why_no_file_path(out_.swap_file);
        if (!why.empty() || !why_not_written(out_.swap_file).empty() ||
            contains(out_.swap_file, " ")) {
            refuse(name == nullptr ? swap : *name, "`swap.filename` is no path of a file");
        }
        const auto bytes = size == nullptr ? std::nullopt : size_of(size->text);
        const auto limit = most == nullptr ? bytes : size_of(most->text);
        if (!bytes || !limit) {
            refuse(size == nullptr ? swap : *size,
                   "`swap.size` must be a number of bytes, or one with K, M or G",
                   "`auto` is not taken natively");
            return;
        }
        out_.swap_size = std::min(*bytes, *limit);
    }

    void services() {
        if (const Node* ntp = get("ntp")) {
            const Node* enabled = ntp->find("enabled");
            out_.has_ntp = enabled == nullptr || is_true(*enabled);
            out_.ntp_servers = texts(ntp->find("servers"));
            out_.ntp_pools = texts(ntp->find("pools"));
            for (const auto* names : {&out_.ntp_servers, &out_.ntp_pools}) {
                for (const std::string& name : *names) {
                    if (name.empty() || !is_one_line(name) || contains(name, " ")) {
                        refuse(*ntp, "a time server is a name or an address");
                    }
                }
            }
        }
        for (const char* key : {"ca_certs", "ca-certs"}) {
            const Node* certificates = get(key);
            if (certificates == nullptr) {
                continue;
            }
            out_.ca_certificates = texts(certificates->find("trusted"));
            for (const std::string& each : out_.ca_certificates) {
                if (!contains(each, "-----BEGIN CERTIFICATE-----") ||
                    !contains(each, "-----END CERTIFICATE-----") || contains(each, "PRIVATE KEY")) {
                    refuse(*certificates, fmt::format("`{}.trusted` holds no certificate", key));
                }
            }
        }
    }

    void power() {
        const Node* node = get("power_state");
        if (node == nullptr) {
            return;
        }
        const auto text = [&](std::string_view key) {
            const Node* value = node->find(key);
            return value == nullptr ? std::string() : value->text;
        };
        out_.power_mode = text("mode");
        out_.power_message = text("message");
        std::string delay = text("delay");
        delay = delay.starts_with('+') ? delay.substr(1) : delay;
        const auto minutes = parse_u64(delay);
        if (out_.power_mode.empty() || (!minutes && !delay.empty() && delay != "now") ||
            (minutes && *minutes > 100'000) || !is_one_line(out_.power_message)) {
            refuse(*node, "`power_state` takes a `mode`, and a `delay` of `now` or minutes");
        }
        out_.power_delay = minutes ? fmt::format("+{}", *minutes) : "now";
        const Node* condition = node->find("condition");
        if (condition != nullptr && (condition->kind == Node::Kind::kBool)) {
            out_.power_condition = condition->boolean;
        } else if (condition != nullptr && !condition->is_null()) {
            Node list;
            list.kind = Node::Kind::kList;
            list.items.push_back(*condition);
            out_.power_command = shell_script(list);
        }
    }

    const Node& root_;
    CloudConfig& out_;
    Problems& say_;
};

std::string shell_word(std::string_view word) {
    return "'" + replace_all(std::string(word), "'", "'\\''") + "'";
}

}  // namespace

std::string shell_script(const Node& commands) {
    std::string text = "#!/bin/sh\n";
    for (const Node& command : commands.items) {
        if (command.kind == Node::Kind::kList) {
            std::vector<std::string> words;
            for (const Node& word : command.items) {
                words.push_back(shell_word(word.text));
            }
            text += join(words, " ") + "\n";
        } else {
            text += command.text + "\n";
        }
    }
    return text;
}

Result<void> read_cloud_config(std::string_view document,
                               std::string_view text,
                               CloudConfig& config,
                               Problems& problems) {
    const Node root = TARN_TRY(parse_yaml(document, text, problems));
    check_document(root, kCloudConfigKeys, problems);
    if (problems.empty() && root.kind == Node::Kind::kMap) {
        Reader(root, config, problems).read();
    }
    return {};
}

}  // namespace tarn::guest
