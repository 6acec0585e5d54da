// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "kiwi/detail/reading.hh"

#include <sys/stat.h>

#include <algorithm>

namespace tarn::kiwi {
namespace {

constexpr int kMaxOverlayDepth = 64;
constexpr std::size_t kMaxOverlayFiles = 100'000;

bool lists(const std::string& words, const auto& test) {
    for (const std::string_view word : split(words, ',')) {
        if (test(std::string(trim(word)))) {
            return true;
        }
    }
    return false;
}

// Selected profiles and all they require; those imported by themselves when none is selected.
Result<std::set<std::string>> active_profiles(const Element& image,
                                              const std::string& path,
                                              const std::string& selected) {
    std::map<std::string, const Element*> known;
    std::vector<std::string> open;
    for (const Element& group : image.children) {
        for (const Element& profile : group.children) {
            if (group.name == "profiles" && profile.name == "profile") {
                known[profile.attribute("name")] = &profile;
                if (selected.empty() && profile.flag("import")) {
                    open.push_back(profile.attribute("name"));
                }
            }
        }
    }
    if (!selected.empty()) {
        open.push_back(selected);
    }
    std::set<std::string> active;
    while (!open.empty()) {
        const std::string name = open.back();
        open.pop_back();
        const auto found = known.find(name);
        if (found == known.end()) {
            std::vector<std::string> names;
            for (const auto& [each, unused] : known) {
                names.push_back(each);
            }
            Error problem =
                error(ErrorKind::kUsage, "{}: there is no profile `{}`", path, name);
            const std::string help = did_you_mean(name, names);
            problem.help.push_back(help.empty() ? "profiles are: " + join(names, ", ") : help);
            return fail(std::move(problem));
        }
        if (active.insert(name).second) {
            for (const Element& child : found->second->children) {
                if (child.name == "requires") {
                    open.push_back(child.attribute("profile"));
                }
            }
        }
    }
    return active;
}

void read_packages(Reading& reading, const Element& group) {
    reading.only(group, {"type", "patternType"});
    const std::string& type = group.attribute("type");
    const bool leave_out = type == "delete" || type == "uninstall";
    if (leave_out) {
        reading.note(group, "packages to delete are never installed");
    }
    reading.image.weak_dependencies |= group.attribute("patternType") == "plusRecommended";
    for (const Element& child : group.children) {
        if (!reading.applies(child)) {
            continue;
        }
        const std::string& name = child.attribute("name");
        if (child.name == "package") {
            reading.only(child, {"name", "bootinclude", "bootdelete"});
            auto& list = leave_out ? reading.image.exclude_packages : reading.image.packages;
            if (std::ranges::find(list, name) == list.end()) {
                list.push_back(name);
            }
        } else if (child.name == "ignore") {
            reading.image.exclude_packages.push_back(name);
        } else if (child.name == "namedCollection" || child.name == "product") {
            reading.refuse(child, fmt::format("<{}> `{}`: a group of the repository", child.name,
                                              name));
        } else if (child.name == "archive" || child.name == "file") {
            reading.refuse(child, fmt::format("<{}> `{}`: declare it in `files` of the image",
                                              child.name, name));
        } else {
            reading.unknown(group, child);
        }
    }
}

void read_user(Reading& reading, const Element& element) {
    reading.only(element,
                 {"name", "id", "home", "shell", "groups", "realname", "password", "pwdformat"});
    ImageUser user;
    user.name = element.attribute("name");
    user.home = element.attribute("home");
    user.shell = element.attribute("shell");
    user.comment = element.attribute("realname");
    if (const auto id = parse_u64(element.attribute("id"))) {
        user.uid = static_cast<std::int64_t>(*id);
    }
    const std::string& groups = element.attribute("groups");
    if (!groups.empty()) {
        for (const std::string_view group : split(groups, ',')) {
            const std::string name(trim(group.substr(0, group.find(':'))));
            (user.group.empty() ? user.group : user.groups.emplace_back()) = name;
        }
    }
    const std::string& password = element.attribute("password");
    const std::string& format = element.attribute("pwdformat");
    if (format == "plain") {
        reading.refuse(element, fmt::format("user `{}` has a password in plain text", user.name));
    } else if (password.starts_with('$')) {
        user.password_hash = password;
    }
    if (user.name == "root") {
        reading.note(element, "root stays locked: use a key or `sudo`");
        return;
    }
    reading.image.users.emplace(user.name, std::move(user));
}

void read_part(Reading& reading, const Element& part) {
    if (part.name == "description" || part.name == "profiles" || part.name == "preferences" ||
        !reading.applies(part)) {
        return;
    }
    if (part.name == "packages") {
        read_packages(reading, part);
    } else if (part.name == "users") {
        for (const Element& user : part.children) {
            if (reading.applies(user)) {
                read_user(reading, user);
            }
        }
    } else if (part.name == "repository") {
        reading.note(part, "packages come from the project's own repository, not from this one");
    } else if (part.name == "drivers" || part.name == "strip") {
        reading.note(part, fmt::format("<{}> has no meaning: the initrd has the modules the image "
                                       "names", part.name));
    } else {
        reading.refuse(part, fmt::format("<{}> is not supported", part.name));
    }
}

// root/ beside the description is copied over the image by kiwi, and so here.
Result<void> read_overlay(Reading& reading, const std::string& root, const std::string& below,
                          int depth) {
    const auto names = list_directory(join_path(root, below));
    if (!names || depth > kMaxOverlayDepth) {
        return {};
    }
    for (const std::string& name : *names) {
        const std::string inner = below.empty() ? name : below + "/" + name;
        const std::string path = join_path(root, inner);
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0) {
            return fail(sys_error("look at", path));
        }
        if (S_ISDIR(status.st_mode)) {
            TARN_TRY(read_overlay(reading, root, inner, depth + 1));
        } else if (S_ISREG(status.st_mode) && reading.image.files.size() < kMaxOverlayFiles) {
            ImageFile file;
            file.path = "/" + inner;
            file.source = path;
            file.mode = (status.st_mode & 0100) != 0 ? "0755" : "0644";
            reading.image.files.push_back(std::move(file));
        } else {
            reading.problems.push_back(
                fmt::format("{}: neither a file nor a directory: declare it as `files`", path));
        }
    }
    return {};
}

// Scripts run as root inside the image, with whatever network there is: that is what Tarn is not.
void read_scripts(Reading& reading) {
    static constexpr std::string_view kScripts[] = {
        "config.sh", "images.sh", "post_bootstrap.sh", "pre_disk_sync.sh", "disk.sh"};
    for (const std::string_view script : kScripts) {
        const std::string path = join_path(parent_path(reading.path), script);
        if (path_exists(path)) {
            reading.notes.push_back(fmt::format(
                "{}: not run; declare what it does (files, services, packages) in the image", path));
        }
    }
}

}  // namespace

void Reading::note(const Element& at, std::string text) {
    notes.push_back(fmt::format("{}:{}: {}", path, at.line, text));
}

void Reading::refuse(const Element& at, std::string text) {
    problems.push_back(fmt::format("{}:{}: {}", path, at.line, text));
}

bool Reading::applies(const Element& element) const {
    const std::string& wanted = element.attribute("profiles");
    if (!wanted.empty() &&
        !lists(wanted, [&](const std::string& name) { return profiles.contains(name); })) {
        return false;
    }
    const std::string& arch = element.attribute("arch");
    return arch.empty() ||
           lists(arch, [&](const std::string& name) { return name == selection.architecture; });
}

void Reading::only(const Element& element, std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : element.attributes) {
        if (key != "profiles" && key != "arch" && std::ranges::find(known, key) == known.end()) {
            refuse(element, fmt::format("<{}>: the attribute `{}` is not supported", element.name,
                                        key));
        }
    }
}

void Reading::unknown(const Element& parent, const Element& child) {
    refuse(child, fmt::format("<{}> in <{}> is not supported", child.name, parent.name));
}

Result<Converted> read_text(const std::string& path,
                            std::string_view xml,
                            const Selection& selection,
                            const Image& image) {
    const Element root = TARN_TRY(parse_xml(xml, path));
    if (root.name != "image") {
        return fail(ErrorKind::kCorrupt,
                    "{}:{}: not an image description: it begins with <{}>",
                    path,
                    root.line,
                    root.name);
    }
    Converted out;
    out.image = image;
    Reading reading{path, selection, out.image,
                    TARN_TRY(active_profiles(root, path, selection.profile))};
    read_preferences(reading, root);
    for (const Element& part : root.children) {
        read_part(reading, part);
    }
    TARN_TRY(read_overlay(reading, join_path(parent_path(path), "root"), "", 0));
    read_scripts(reading);
    if (!reading.problems.empty()) {
        Error problem = error(ErrorKind::kUsage,
                              "{} asks for what Tarn does not do",
                              path);
        problem.notes = std::move(reading.problems);
        return fail(std::move(problem));
    }
    out.notes = std::move(reading.notes);
    return out;
}

Result<Converted> read(const std::string& path, const Selection& selection, const Image& image) {
    return read_text(path, TARN_TRY(read_file(path, 4ULL << 20)), selection, image);
}

}  // namespace tarn::kiwi
