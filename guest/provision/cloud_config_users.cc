// SPDX-License-Identifier: MIT
#include "provision/cloud_config_users.hh"

#include "base/strings.hh"

#include "provision/keys.hh"
#include "provision/names.hh"
#include "provision/password.hh"
#include "provision/schema.hh"

#include <algorithm>

namespace tarn::guest {
namespace {

class Reader {
  public:
    Reader(const Node& root, CloudConfig& config, Problems& problems)
        : root_(root), out_(config), say_(problems) {}

    void read() {
        users();
        groups();
        if (const Node* keys = get(root_, "ssh_authorized_keys")) {
            out_.administrator_keys = read_keys(*keys);
        }
        if (const Node* node = get(root_, "disable_root")) {
            out_.disable_root = is_true(*node);
        }
        if (const Node* node = get(root_, "ssh_pwauth");
            node != nullptr && node->text != "unchanged") {
            out_.ssh_pwauth = is_true(*node);
        }
        if (const Node* node = get(root_, "password")) {
            out_.administrator_password = password(*node, true);
        }
        if (const Node* node = get(root_, "chpasswd")) {
            chpasswd(*node);
        }
    }

  private:
    static const Node* get(const Node& map, std::string_view key) {
        const Node* node = map.find(key);
        return node == nullptr || node->is_null() ? nullptr : node;
    }
    void problem(
        Problem::Weight weight, Mark mark, std::string text, std::string help, bool secret) {
        say_.push_back({weight, mark, 1, std::move(text), std::move(help), secret});
    }
    void refuse(const Node& node, std::string text, std::string help = {}, bool secret = false) {
        problem(Problem::Weight::kRefused, node.mark, std::move(text), std::move(help), secret);
        say_.back().width = static_cast<unsigned>(std::clamp<std::size_t>(node.text.size(), 1, 80));
    }

    Secret password(const Node& node, bool clear_text) {
        const std::string& text = node.text;
        if (text.empty() || is_password_hash(text)) {
            return Secret(text);
        }
        std::string why = clear_text ? why_no_password(text) : "this is no crypt(5) hash";
        if (text == "R" || text == "RANDOM") {
            problem(Problem::Weight::kHandOver,
                    node.mark,
                    "passwords are not made up natively",
                    {},
                    true);
        } else if (!why.empty()) {
            refuse(node, why, {}, true);
        }
        return Secret(text);
    }

    std::vector<std::string> read_keys(const Node& node) {
        std::vector<std::string> result;
        const auto one = [&](const Node& item) {
            auto key = parse_public_key(item.text);
            if (!key) {
                refuse(item, key.error().message);
            } else if (std::find(result.begin(), result.end(), *key) == result.end()) {
                result.push_back(std::move(*key));
            }
        };
        if (node.is_scalar()) {
            one(node);
        }
        for (const Node& item : node.items) {
            one(item);
        }
        return result;
    }

    std::string account_name(const Node& node) {
        if (const std::string why = why_no_account_name(node.text); !why.empty()) {
            refuse(node, why);
        }
        return node.text;
    }

    // "a, b" or a list.
    std::vector<std::string> names(const Node& node) {
        std::vector<std::string> result;
        const auto add = [&](const Node& item) {
            for (const std::string_view part : split(item.text, ',')) {
                if (trim(part).empty()) {
                    continue;
                }
                result.emplace_back(trim(part));
                if (const std::string why = why_no_account_name(result.back()); !why.empty()) {
                    refuse(item, why);
                }
            }
        };
        if (node.is_scalar()) {
            add(node);
        }
        for (const Node& item : node.items) {
            add(item);
        }
        return result;
    }

    void users() {
        if (const Node* user = get(root_, "user")) {
            Account account;
            if (user->is_scalar()) {
                account.name = account_name(*user);
            } else {
                read_account(*user, account);
            }
            out_.user = std::move(account);
        }
        const Node* list = get(root_, "users");
        if (list == nullptr) {
            return;
        }
        out_.users.clear();
        out_.has_users = true;
        if (list->is_scalar()) {
            for (const std::string& name : names(*list)) {
                add_user_name(name);
            }
        }
        for (const Node& item : list->items) {
            if (item.is_scalar()) {
                for (const std::string& name : names(item)) {
                    add_user_name(name);
                }
                continue;
            }
            Account account;
            read_account(item, account);
            if (account.name == "default") {
                account.name.clear();
                out_.user = std::move(account);
            } else if (account.name.empty()) {
                refuse(item, "this account has no `name`");
            } else {
                out_.users.push_back(std::move(account));
            }
        }
    }

    void add_user_name(const std::string& name) {
        if (name == "default") {
            out_.user = out_.user ? out_.user : Account();
            return;
        }
        Account account;
        account.name = name;
        out_.users.push_back(std::move(account));
    }

    void read_account(const Node& node, Account& account) {
        const auto text = [&](std::string_view key, std::string& value) {
            if (const Node* found = get(node, key)) {
                value = found->text;
                if (!is_one_line(value) || value.find(':') != std::string::npos) {
                    refuse(*found, fmt::format("`{}` has `:` or control characters", key));
                }
            }
        };
        const auto flag = [&](std::string_view key, bool& value, bool same) {
            if (const Node* found = get(node, key)) {
                value = is_true(*found) == same;
            }
        };
        if (const Node* name = get(node, "name")) {
            account.name = account_name(*name);
        }
        text("gecos", account.gecos);
        text("homedir", account.home);
        text("primary_group", account.primary_group);
        text("shell", account.shell);
        for (const char* key : {"homedir", "shell"}) {
            const Node* path = get(node, key);
            if (path != nullptr && !why_no_file_path(path->text).empty()) {
                refuse(*path, fmt::format("`{}`: {}", key, why_no_file_path(path->text)));
            }
        }
        if (const Node* groups_node = get(node, "groups")) {
            account.groups = names(*groups_node);
        }
        flag("system", account.system, true);
        flag("no_create_home", account.make_home, false);
        flag("no_user_group", account.own_group, false);
        flag("create_groups", account.make_groups, true);
        flag("lock_passwd", account.lock_password, true);
        passwords_of(node, account);
        numbers_of(node, account);
        if (const Node* sudo = get(node, "sudo")) {
            account.sudo = sudo_rules(*sudo);
        }
        if (const Node* keys = get(node, "ssh_authorized_keys")) {
            account.keys = read_keys(*keys);
        }
    }

    void passwords_of(const Node& node, Account& account) {
        if (const Node* hash = get(node, "passwd")) {
            account.first_password = password(*hash, false);
        }
        if (const Node* hash = get(node, "hashed_passwd")) {
            account.password = password(*hash, false);
        }
        if (const Node* clear = get(node, "plain_text_passwd")) {
            account.password = password(*clear, true);
        }
    }

    void numbers_of(const Node& node, Account& account) {
        if (const Node* uid = get(node, "uid")) {
            const auto value =
                parse_u64(uid->kind == Node::Kind::kInt ? std::to_string(uid->integer) : uid->text);
            if (!value || *value == 0 || *value >= 4294967294U) {
                refuse(*uid, "`uid` must be a number from 1");
            } else {
                account.uid = static_cast<std::uint32_t>(*value);
            }
        }
        if (const Node* date = get(node, "expiredate")) {
            account.expires = day_of(date->text);
            if (!account.expires) {
                refuse(*date, "`expiredate` must be a date", "for example `\"2027-01-31\"`");
            }
        }
        if (const Node* inactive = get(node, "inactive")) {
            account.inactive = parse_u64(inactive->text);
            if (!account.inactive) {
                refuse(*inactive, "`inactive` must be a number of days");
            }
        }
    }

    std::vector<std::string> sudo_rules(const Node& node) {
        std::vector<std::string> rules;
        const auto add = [&](const Node& item) {
            if (const std::string why = why_no_sudo_rule(item.text); !why.empty()) {
                refuse(item, why);
            }
            rules.push_back(item.text);
        };
        if (node.kind == Node::Kind::kBool && node.boolean) {
            refuse(node, "`sudo` must be rules or false", "for example `ALL=(ALL) NOPASSWD:ALL`");
        } else if (node.kind == Node::Kind::kText && to_lower(node.text) != "false") {
            add(node);
        }
        for (const Node& item : node.items) {
            add(item);
        }
        return rules;
    }

    void groups() {
        const Node* node = get(root_, "groups");
        if (node == nullptr) {
            return;
        }
        out_.groups.clear();
        const auto mapping = [&](const Node& map) {
            for (std::size_t i = 0; i < map.members.size(); ++i) {
                const auto& [name, members] = map.members[i];
                Node name_node;
                name_node.text = name;
                name_node.mark = map.member_marks[i];
                out_.groups.push_back({account_name(name_node), names(members)});
            }
        };
        if (node->is_scalar()) {
            for (const std::string& name : names(*node)) {
                out_.groups.push_back({name, {}});
            }
        } else if (node->kind == Node::Kind::kMap) {
            mapping(*node);
        }
        for (const Node& item : node->items) {
            if (item.kind == Node::Kind::kMap) {
                mapping(item);
            } else {
                out_.groups.push_back({account_name(item), {}});
            }
        }
    }

    void chpasswd(const Node& node) {
        if (const Node* expire = get(node, "expire")) {
            out_.expire_passwords = is_true(*expire);
        }
        out_.passwords.clear();
        if (const Node* list = get(node, "list")) {
            if (list->is_scalar()) {
                for (const std::string_view line : split_lines(list->text)) {
                    password_line(*list, line);
                }
            }
            for (const Node& item : list->items) {
                password_line(item, item.text);
            }
        }
        const Node* list = get(node, "users");
        for (const Node& item : list == nullptr ? std::vector<Node>() : list->items) {
            const Node* name = get(item, "name");
            const Node* type = get(item, "type");
            const Node* text = get(item, "password");
            if (name == nullptr || text == nullptr || text->text.empty()) {
                refuse(item, "a password needs a `name` and a `password`", {}, true);
                continue;
            }
            const bool clear = type != nullptr && type->text == "text";
            out_.passwords.push_back({account_name(*name), password(*text, clear)});
        }
    }

    void password_line(const Node& node, std::string_view line) {
        line = trim(line);
        if (line.empty()) {
            return;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon + 1 == line.size()) {
            refuse(node, "`chpasswd.list` has lines `NAME:PASSWORD`", {}, true);
            return;
        }
        Node name;
        name.text = line.substr(0, colon);
        name.mark = node.mark;
        Node text;
        text.text = line.substr(colon + 1);
        text.mark = node.mark;
        out_.passwords.push_back({account_name(name), password(text, true)});
    }

    const Node& root_;
    CloudConfig& out_;
    Problems& say_;
};

}  // namespace

std::string why_no_sudo_rule(std::string_view rule) {
    const std::string_view text = trim(rule);
    if (text.empty()) {
        return "a sudo rule is empty";
    }
    if (text.size() > 1024 || !is_one_line(rule)) {
        return "a sudo rule is longer than a line, or has control characters";
    }
    if (text.ends_with('\\')) {
        return "a sudo rule ends with `\\`, which would take in the next line";
    }
    if (text.find('=') == std::string_view::npos) {
        return "a sudo rule reads HOST=(USER) COMMANDS, for example `ALL=(ALL) NOPASSWD:ALL`";
    }
    return {};
}

void read_users(const Node& root, CloudConfig& config, Problems& problems) {
    Reader(root, config, problems).read();
}

}  // namespace tarn::guest
