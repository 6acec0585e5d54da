// SPDX-License-Identifier: MIT
#include "image/detail/declared.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>
#include <set>

namespace tarn::image {
namespace {

constexpr std::string_view kUnitDirectories[] = {"usr/lib/systemd/system/", "etc/systemd/system/"};

// "sshd@tty.service" is an instance of "sshd@.service".
std::string template_of(const std::string& unit) {
    const std::size_t at = unit.find('@');
    const std::size_t dot = unit.rfind('.');
    return at == std::string::npos || dot == std::string::npos || dot < at
               ? unit
               : unit.substr(0, at + 1) + unit.substr(dot);
}

std::string with_suffix(const std::string& unit) {
    static constexpr std::string_view kSuffixes[] = {".service", ".socket", ".timer",  ".path",
                                                     ".target",  ".mount",  ".swap",   ".slice",
                                                     ".scope",   ".device", ".automount"};
    return std::ranges::any_of(kSuffixes, [&](auto suffix) { return unit.ends_with(suffix); })
               ? unit
               : unit + ".service";
}

std::vector<std::string> unit_names(const Tree& tree) {
    std::vector<std::string> names;
    for (const std::string_view directory : kUnitDirectories) {
        for (const TreeEntry* entry : tree.below(directory.substr(0, directory.size() - 1))) {
            const std::string name = entry->path.substr(std::min(directory.size(), entry->path.size()));
            if (!name.empty() && entry->kind != EntryKind::kDirectory && name.find('/') == std::string::npos) {
                names.push_back(name);
            }
        }
    }
    std::ranges::sort(names);
    return names;
}

// Everything of the declaration that the packages do not have, for one Error.
class Missing {
  public:
    explicit Missing(const Image& image) : image_(image) {}
    void add(std::string what, std::string help) {
        if (!help.empty()) {
            what += "; " + help;
        }
        notes_.push_back(std::move(what));
    }
    Result<void> result() {
        if (notes_.empty()) {
            return {};
        }
        Error problem = error(
            ErrorKind::kUsage, "the image `{}` names what its packages do not have", image_.name);
        problem.notes = std::move(notes_);
        return fail(std::move(problem));
    }

  private:
    const Image& image_;
    std::vector<std::string> notes_;
};

Result<void> add_services(const Image& image, const Tree& tree, Overlay& overlay, Missing& missing) {
    const std::vector<std::string> known = unit_names(tree);
    const auto check = [&](const std::string& unit, std::string_view key) {
        if (!std::ranges::binary_search(known, unit) &&
            !std::ranges::binary_search(known, template_of(unit))) {
            missing.add(fmt::format("`services.{}`: no package has the unit `{}`", key, unit),
                        did_you_mean(unit, known));
        }
    };
    std::string preset;
    for (const auto& [key, units] : {std::pair("enable", &image.services.enable),
                                     std::pair("disable", &image.services.disable)}) {
        for (const std::string& name : *units) {
            const std::string unit = with_suffix(name);
            check(unit, key);
            preset += fmt::format("{} {}\n", key, unit);
        }
    }
    for (const std::string& name : image.services.mask) {
        // A mask may stand for a unit that some package brings later.
        overlay.symlink("etc/systemd/system/" + with_suffix(name), "/dev/null");
    }
    return preset.empty() ? Result<void>()
                          : overlay.file("etc/systemd/system-preset/00-image.preset", preset);
}

Result<void> add_modules(const Image& image, Overlay& overlay) {
    std::string load;
    for (const std::string& name : image.kernel_modules.load) {
        load += name + "\n";
    }
    std::string block;
    for (const std::string& name : image.kernel_modules.block) {
        // `blacklist` alone stops aliases, not a modprobe by name.
        block += fmt::format("blacklist {0}\ninstall {0} /bin/false\n", name);
    }
    if (!load.empty()) {
        TARN_TRY(overlay.file("etc/modules-load.d/image.conf", load));
    }
    return block.empty() ? Result<void>() : overlay.file("etc/modprobe.d/image.conf", block);
}

Result<void> add_locale(const Image& image, const Tree& tree, Overlay& overlay, Missing& missing) {
    const ImageLocale& locale = image.locale;
    if (!locale.lang.empty()) {
        TARN_TRY(overlay.file("etc/locale.conf", "LANG=" + locale.lang + "\n"));
    }
    if (!locale.keymap.empty()) {
        TARN_TRY(overlay.file("etc/vconsole.conf", "KEYMAP=" + locale.keymap + "\n"));
    }
    if (!locale.timezone.empty()) {
        const auto zone = safe_relative_path(locale.timezone, Absolute::kRefuse);
        const std::string path = "usr/share/zoneinfo/" + zone.value_or(std::string("?"));
        if (!zone || tree.find(path) == nullptr) {
            missing.add(
                fmt::format("`locale.timezone`: no package has the zone `{}`", locale.timezone),
                "zones are like `Europe/Berlin`; they come with `tzdata`");
        }
        overlay.symlink("etc/localtime", "../" + path);
    }
    return {};
}

// The names and numbers of one table of accounts.
struct Table {
    std::set<std::string, std::less<>> names;
    std::set<std::uint64_t> numbers;

    explicit Table(std::string_view file) {
        for (const std::string_view line : split_lines(file)) {
            const auto fields = split(line, ':');
            if (fields.size() > 2) {
                names.emplace(fields[0]);
                if (const auto number = parse_u64(fields[2])) {
                    numbers.insert(*number);
                }
            }
        }
    }
    std::uint64_t next_free() const {
        std::uint64_t number = 1000;
        while (numbers.contains(number)) {
            ++number;
        }
        return number;
    }
};

// `name` becomes the last of the group's members.
void join_group(std::string& group, std::string_view wanted, const std::string& name) {
    std::string out;
    for (const std::string_view line : split_lines(group)) {
        const auto fields = split(line, ':');
        out += line;
        if (fields.size() == 4 && fields[0] == wanted) {
            out += (fields[3].empty() ? "" : ",") + name;
        }
        out += '\n';
    }
    group = std::move(out);
}

class Users {
  public:
    Users(AccountFiles& files, const Tree& tree, Missing& missing)
        : passwd_(files.passwd), group_(files.group), files_(files), tree_(tree), missing_(missing) {}

    void add(const ImageUser& user, std::int64_t day) {
        if (passwd_.names.contains(user.name)) {
            missing_.add(fmt::format("`users.{}`: a package declares this account already",
                                     user.name),
                         "");
            return;
        }
        const std::uint64_t uid =
            user.uid ? static_cast<std::uint64_t>(*user.uid) : passwd_.next_free();
        if (!passwd_.numbers.insert(uid).second) {
            missing_.add(fmt::format("`users.{}`: uid {} is taken", user.name, uid), "");
            return;
        }
        passwd_.names.insert(user.name);
        const std::string shell = user.shell.empty() ? "/bin/bash" : user.shell;
        check_shell(user, shell);
        files_.passwd += fmt::format("{}:x:{}:{}:{}:{}:{}\n",
                                     user.name,
                                     uid,
                                     primary_group(user, uid),
                                     user.comment,
                                     home_of(user),
                                     shell);
        files_.shadow += fmt::format("{}:{}:{}::::::\n",
                                     user.name,
                                     user.password_hash.empty() ? "!*" : user.password_hash,
                                     day);
        for (const std::string& name : user.groups) {
            check_group(user, name);
            join_group(files_.group, name, user.name);
            join_group(files_.gshadow, name, user.name);
        }
    }

    static std::string home_of(const ImageUser& user) {
        return user.home.empty() ? "/home/" + user.name : user.home;
    }

  private:
    void check_shell(const ImageUser& user, const std::string& shell) {
        if (resolve_links(tree_, shell) == nullptr) {
            missing_.add(fmt::format("`users.{}`: no package has the shell {}", user.name, shell), "");
        }
    }
    void check_group(const ImageUser& user, const std::string& name) {
        if (!group_.names.contains(name)) {
            missing_.add(fmt::format("`users.{}`: there is no group `{}`", user.name, name),
                         did_you_mean(name, {group_.names.begin(), group_.names.end()}));
        }
    }
    std::uint64_t primary_group(const ImageUser& user, std::uint64_t uid) {
        const std::string& name = user.group.empty() ? user.name : user.group;
        if (user.group.empty() && !group_.names.contains(name)) {
            const std::uint64_t gid = group_.numbers.contains(uid) ? group_.next_free() : uid;
            group_.numbers.insert(gid);
            group_.names.insert(name);
            files_.group += fmt::format("{}:x:{}:\n", name, gid);
            files_.gshadow += fmt::format("{}:!*::\n", name);
        }
        check_group(user, name);
        for (const std::string_view line : split_lines(files_.group)) {
            const auto fields = split(line, ':');
            if (fields.size() == 4 && fields[0] == name) {
                return parse_u64(fields[2]).value_or(uid);
            }
        }
        return uid;
    }

    Table passwd_, group_;
    AccountFiles& files_;
    const Tree& tree_;
    Missing& missing_;
};

void copy_skeleton(const Tree& tree, const std::string& home, const ImageUser& user,
                   Overlay& overlay) {
    constexpr std::string_view kSkeleton = "etc/skel";
    for (const TreeEntry* entry : tree.below(kSkeleton)) {
        if (entry->path.size() <= kSkeleton.size()) {
            continue;
        }
        TreeEntry copy = *entry;
        copy.path = home + copy.path.substr(kSkeleton.size());
        copy.user = user.name;
        copy.group = user.group.empty() ? user.name : user.group;
        copy.hardlink.clear();
        overlay.add(std::move(copy));
    }
}

}  // namespace

Result<void> add_declared_settings(const Image& image, const Tree& tree, Overlay& overlay) {
    Missing missing(image);
    TARN_TRY(add_services(image, tree, overlay, missing));
    std::string sysctl;
    for (const auto& [name, value] : image.sysctl) {
        sysctl += fmt::format("{} = {}\n", name, value);
    }
    if (!sysctl.empty()) {
        TARN_TRY(overlay.file("etc/sysctl.d/90-image.conf", sysctl));
    }
    TARN_TRY(add_modules(image, overlay));
    TARN_TRY(add_locale(image, tree, overlay, missing));
    return missing.result();
}

Result<AccountFiles> add_declared_users(const Image& image,
                                        const Tree& tree,
                                        AccountFiles files,
                                        std::int64_t day) {
    Missing missing(image);
    {
        Users users(files, tree, missing);
        // Declared numbers first, so that a chosen one never takes them.
        for (const bool numbered : {true, false}) {
            for (const auto& [name, user] : image.users) {
                if (user.uid.has_value() == numbered) {
                    users.add(user, day);
                }
            }
        }
    }
    TARN_TRY(missing.result());
    return files;
}

Result<void> add_homes(const Store& store, const Image& image, const Tree& tree, Overlay& overlay) {
    for (const auto& [name, user] : image.users) {
        const auto home = safe_relative_path(Users::home_of(user), Absolute::kStrip);
        if (!home || home->empty()) {
            return fail(ErrorKind::kUsage, "`users.{}`: `home` is no place for a home", name);
        }
        const auto owned = [&](std::string path, EntryKind kind, std::uint32_t mode) {
            TreeEntry entry;
            entry.path = std::move(path);
            entry.kind = kind;
            entry.mode = mode;
            entry.user = name;
            entry.group = user.group.empty() ? name : user.group;
            entry.mtime = overlay.time();
            return entry;
        };
        overlay.add(owned(*home, EntryKind::kDirectory, 0700));
        copy_skeleton(tree, *home, user, overlay);
        if (!user.ssh_keys.empty()) {
            overlay.add(owned(*home + "/.ssh", EntryKind::kDirectory, 0700));
            TreeEntry keys = owned(*home + "/.ssh/authorized_keys", EntryKind::kFile, 0600);
            keys.content = TARN_TRY(store.put(join(user.ssh_keys, "\n") + "\n"));
            overlay.add(std::move(keys));
        }
    }
    return {};
}

}  // namespace tarn::image
