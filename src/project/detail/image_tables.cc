// SPDX-License-Identifier: MIT
#include "project/detail/image_tables.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::declaration {
namespace {

constexpr std::int64_t kHighestUid = 4294967294;  // -1 is "no user"

// What useradd allows by default, and no longer than utmp can keep.
bool is_account_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    return !name.empty() && name.size() <= 32 && letter(name.front()) &&
           std::ranges::all_of(name, [&](char c) {
               return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
           });
}

void broken_at(Reading& reading, const Value& table, std::string_view key, std::string message) {
    const Entry* entry = table.find(key);
    reading.broken_rule(entry != nullptr ? entry->value.span : table.span, std::move(message));
}

void check_user(Reading& reading, const Value& table, ImageUser& user) {
    if (!is_account_name(user.name)) {
        reading.broken_rule(user.where,
                            fmt::format("`{}` is no name of a user", user.name),
                            "at most 32 of a-z, 0-9, _, - and ., beginning with a letter or _");
    }
    if (user.uid && (*user.uid < 0 || *user.uid > kHighestUid)) {
        broken_at(reading, table, "uid", fmt::format("`uid` must be 0 to {}", kHighestUid));
    }
    // One line of /etc/passwd has seven fields.
    for (const auto& [key, text] : {std::pair("comment", &user.comment),
                                    std::pair("password-hash", &user.password_hash)}) {
        if (text->find_first_of(":\n") != std::string::npos) {
            broken_at(reading, table, key, fmt::format("`{}` may have no `:` and one line", key));
        }
    }
    if (!user.password_hash.empty() && !user.password_hash.starts_with('$')) {
        broken_at(reading, table, "password-hash", "`password-hash` must be a crypt(5) hash, `$…`");
    }
}

void check_sysctl_name(Reading& reading, const Entry& entry) {
    for (const Entry& item : entry.value.entries) {
        if (item.key.find_first_of(" \t\n=#") != std::string::npos) {
            reading.broken_rule(item.key_span, fmt::format("`{}` names no setting", item.key));
        }
    }
}

void read_uid(Reading& reading, const Entry& entry, ImageUser& out) {
    if (expect_kind(reading, entry.key, entry.value, ValueKind::kInteger)) {
        out.uid = entry.value.integer;
    }
}

}  // namespace

Reader<Image> sysctl_reader() {
    return {[](Reading& reading, const Entry& entry, Image& out) {
                Keys<Image>::text_map (&Image::sysctl)(reading, entry, out);
                check_sysctl_name(reading, entry);
            },
            Shape{ShapeKind::kTextMap}};
}

const TableKind<ImageUser>& image_user_kind() {
    using K = Keys<ImageUser>;
    static const TableKind<ImageUser> kind = {
        "user",
        {
            {"uid", {read_uid, Shape{ShapeKind::kInteger}}},
            {"group", K::text(&ImageUser::group)},
            {"groups", K::texts(&ImageUser::groups)},
            {"comment", K::text(&ImageUser::comment)},
            {"home", root_path(&ImageUser::home)},
            {"shell", root_path(&ImageUser::shell)},
            {"password-hash", K::text(&ImageUser::password_hash)},
            {"ssh-keys", K::texts(&ImageUser::ssh_keys)},
        },
        check_user};
    return kind;
}

const TableKind<ImageServices>& image_services_kind() {
    using K = Keys<ImageServices>;
    static const TableKind<ImageServices> kind = {
        "services",
        {
            {"enable", K::texts(&ImageServices::enable)},
            {"disable", K::texts(&ImageServices::disable)},
            {"mask", K::texts(&ImageServices::mask)},
        }};
    return kind;
}

const TableKind<ImageModules>& image_modules_kind() {
    using K = Keys<ImageModules>;
    static const TableKind<ImageModules> kind = {
        "kernel modules",
        {
            {"load", K::texts(&ImageModules::load)},
            {"block", K::texts(&ImageModules::block)},
        }};
    return kind;
}

const TableKind<ImageLocale>& image_locale_kind() {
    using K = Keys<ImageLocale>;
    static const TableKind<ImageLocale> kind = {
        "locale",
        {
            {"lang", K::text(&ImageLocale::lang)},
            {"keymap", K::text(&ImageLocale::keymap)},
            {"timezone", K::text(&ImageLocale::timezone)},
        }};
    return kind;
}

const TableKind<ImageAssertions>& image_assertions_kind() {
    using K = Keys<ImageAssertions>;
    static const std::vector<std::string> kWithout = {
        "kernel", "package-manager", "perl", "python", "setuid", "shell", "systemd"};
    const auto read_without = [](Reading& reading, const Entry& entry, ImageAssertions& out) {
        each_string(reading, entry, [&](const Value& value) {
            if (std::ranges::find(kWithout, value.text) != kWithout.end()) {
                out.without.emplace_back(value.text);
                return;
            }
            Entry element;
            element.key = entry.key;
            element.value = value;
            report_unknown_word(reading, element, kWithout);
        });
    };
    static const TableKind<ImageAssertions> kind = {
        "assert",
        {
            {"without", {read_without, Shape{ShapeKind::kTexts, kWithout}}},
            {"no-packages", K::texts(&ImageAssertions::packages)},
            {"no-files", K::texts(&ImageAssertions::files)},
            {"max-content", K::size(&ImageAssertions::max_content)},
            {"max-artifact", K::size(&ImageAssertions::max_artifact)},
            {"max-packages", K::integer(&ImageAssertions::max_packages, 1)},
        }};
    return kind;
}

const TableKind<ImagePartition>& image_partition_kind() {
    using K = Keys<ImagePartition>;
    static const TableKind<ImagePartition> kind = {
        "partition",
        {
            {"type",
             K::word_text(&ImagePartition::type,
                          {"esp", "xbootldr", "root", "root-verity", "root-verity-sig", "usr", "var",
                           "home", "srv", "swap", "generic"}),
             Need::kRequired},
            {"label", K::text(&ImagePartition::label)},
            {"filesystem", K::word_text(&ImagePartition::filesystem, {"vfat", "ext4", "erofs"})},
            {"size", K::size(&ImagePartition::size)},
            {"min-size", K::size(&ImagePartition::min_size)},
            {"grow", K::flag(&ImagePartition::grow)},
        }};
    return kind;
}

const TableKind<ImageContainer>& image_container_kind() {
    using K = Keys<ImageContainer>;
    static const TableKind<ImageContainer> kind = {
        "container",
        {
            {"entrypoint", K::texts(&ImageContainer::entrypoint)},
            {"command", K::texts(&ImageContainer::command)},
            {"ports", K::texts(&ImageContainer::ports)},
            {"volumes", K::texts(&ImageContainer::volumes)},
            {"environment", K::text_map(&ImageContainer::environment)},
            {"labels", K::text_map(&ImageContainer::labels)},
            {"annotations", K::text_map(&ImageContainer::annotations)},
            {"user", K::text(&ImageContainer::user)},
            {"working-dir", root_path(&ImageContainer::working_dir)},
            {"stop-signal", K::text(&ImageContainer::stop_signal)},
            {"compression", K::word_text(&ImageContainer::compression, {"zstd", "gzip", "none"})},
            {"max-layers", K::integer(&ImageContainer::max_layers, 1)},
        }};
    return kind;
}

const TableKind<ImageWsl>& image_wsl_kind() {
    using K = Keys<ImageWsl>;
    static const TableKind<ImageWsl> kind = {
        "wsl",
        {
            {"name", K::text(&ImageWsl::name)},
            {"friendly-name", K::text(&ImageWsl::friendly_name)},
            {"icon", root_path(&ImageWsl::icon)},
            {"terminal-profile", root_path(&ImageWsl::terminal_profile)},
            {"oobe-command", root_path(&ImageWsl::oobe_command)},
            {"default-uid", K::integer(&ImageWsl::default_uid, 1)},
            {"base-url", K::text(&ImageWsl::base_url)},
        }};
    return kind;
}

const TableKind<ImageSelinux>& image_selinux_kind() {
    using K = Keys<ImageSelinux>;
    static const TableKind<ImageSelinux> kind = {
        "selinux",
        {
            {"mode", K::word_text(&ImageSelinux::mode, {"enforcing", "permissive", "disabled"})},
            {"policy", K::text(&ImageSelinux::policy)},
        }};
    return kind;
}

}  // namespace tarn::declaration
