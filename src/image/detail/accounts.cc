// SPDX-License-Identifier: MIT
#include "image/detail/accounts.hh"

#include "base/strings.hh"

namespace tarn::image {
namespace {

using Fields = std::vector<std::string>;

Result<std::vector<Fields>> parse_table(std::string_view text,
                                        std::size_t columns,
                                        std::string_view name) {
    std::vector<Fields> out;
    for (const std::string_view line : split_lines(text)) {
        if (line.empty()) {
            continue;
        }
        const auto parts = split(line, ':');
        if (parts.size() != columns || parts[0].empty()) {
            return fail(
                ErrorKind::kCorrupt, "/etc/{}: not an entry: {}", name, line.substr(0, 200));
        }
        out.emplace_back(parts.begin(), parts.end());
    }
    return out;
}

std::string print_table(const std::vector<Fields>& table) {
    std::string out;
    for (const Fields& fields : table) {
        out += join(fields, ":") + "\n";
    }
    return out;
}

// A second table with a locked entry for every name of the first, in its order. An entry that is
// there already keeps everything but the password.
std::vector<Fields> shadow_of(const std::vector<Fields>& names,
                              const std::vector<Fields>& old,
                              const Fields& fresh) {
    std::map<std::string, Fields> known;
    for (const Fields& fields : old) {
        known.emplace(fields[0], fields);
    }
    std::vector<Fields> out;
    for (const Fields& fields : names) {
        const auto have = known.find(fields[0]);
        Fields entry = have == known.end() ? fresh : have->second;
        entry[0] = fields[0];
        entry[1] = "!*";
        out.push_back(std::move(entry));
    }
    return out;
}

Result<std::uint32_t> parse_id(const std::string& text,
                               std::string_view file,
                               const std::string& name) {
    const auto value = parse_u64(text);
    if (!value || *value >= 0xffffffffu) {
        return fail(
            ErrorKind::kCorrupt, "/etc/{}: `{}` has no usable number: {}", file, name, text);
    }
    return static_cast<std::uint32_t>(*value);
}

}  // namespace

AccountFiles initial_accounts(std::string_view passwd, std::string_view group) {
    AccountFiles out;
    out.passwd = passwd.empty() ? "root:x:0:0:root:/root:/bin/bash\n" : passwd;
    out.group = group.empty() ? "root:x:0:\n" : group;
    return out;
}

Result<AccountFiles> lock_accounts(AccountFiles files, std::int64_t day) {
    auto passwd = TARN_TRY(parse_table(files.passwd, 7, "passwd"));
    auto group = TARN_TRY(parse_table(files.group, 4, "group"));
    const auto shadow = TARN_TRY(parse_table(files.shadow, 9, "shadow"));
    const auto gshadow = TARN_TRY(parse_table(files.gshadow, 4, "gshadow"));
    for (Fields& fields : passwd) {
        fields[1] = "x";
    }
    for (Fields& fields : group) {
        fields[1] = "x";
    }
    AccountFiles out;
    out.passwd = print_table(passwd);
    out.group = print_table(group);
    out.shadow = print_table(
        shadow_of(passwd, shadow, {"", "!*", fmt::format("{}", day), "", "", "", "", "", ""}));
    out.gshadow = print_table(shadow_of(group, gshadow, {"", "!*", "", ""}));
    return out;
}

Result<AccountIds> parse_ids(const AccountFiles& files) {
    AccountIds out;
    for (const Fields& fields : TARN_TRY(parse_table(files.passwd, 7, "passwd"))) {
        out.users.emplace(fields[0], TARN_TRY(parse_id(fields[2], "passwd", fields[0])));
    }
    for (const Fields& fields : TARN_TRY(parse_table(files.group, 4, "group"))) {
        out.groups.emplace(fields[0], TARN_TRY(parse_id(fields[2], "group", fields[0])));
    }
    return out;
}

Result<Tree> resolve_owners(const Tree& tree,
                            const AccountIds& ids,
                            const std::function<std::string(const TreeEntry&)>& owner_of) {
    std::vector<TreeEntry> entries = tree.entries();
    std::map<std::string, std::string> unknown;  // what -> the first file that asks
    for (TreeEntry& entry : entries) {
        const auto resolve =
            [&](std::string& name, std::uint32_t& id, const auto& table, std::string_view what) {
                if (name.empty()) {
                    return;
                }
                if (const auto found = table.find(name); found != table.end()) {
                    id = found->second;
                } else {
                    unknown.try_emplace(fmt::format("{} `{}`", what, name),
                                        fmt::format("/{} ({})", entry.path, owner_of(entry)));
                }
                name.clear();
            };
        resolve(entry.user, entry.uid, ids.users, "user");
        resolve(entry.group, entry.gid, ids.groups, "group");
    }
    if (!unknown.empty()) {
        Error problem =
            error(ErrorKind::kFailed, "files of the image belong to accounts it does not have");
        for (const auto& [what, where] : unknown) {
            problem.notes.push_back(fmt::format("{}: {}", what, where));
        }
        problem.help.push_back(
            "declare the account in a sysusers.d file of a package of the image");
        return fail(std::move(problem));
    }
    return Tree::make(std::move(entries));
}

}  // namespace tarn::image
