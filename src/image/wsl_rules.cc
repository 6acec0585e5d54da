// SPDX-License-Identifier: MIT
#include "image/wsl_rules.hh"

#include "base/compress.hh"
#include "base/fs.hh"
#include "base/strings.hh"
#include "oci/tar.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace tarn {
namespace {

constexpr std::uint64_t kMaxIcon = 10'000'000;
constexpr std::uint64_t kMaxTar = 3ULL << 30;
constexpr int kMaxLinks = 16;
constexpr const char* kUnits[] = {"systemd-resolved.service",
                                  "systemd-networkd.service",
                                  "NetworkManager.service",
                                  "systemd-tmpfiles-setup.service",
                                  "systemd-tmpfiles-clean.service",
                                  "systemd-tmpfiles-clean.timer",
                                  "systemd-tmpfiles-setup-dev-early.service",
                                  "systemd-tmpfiles-setup-dev.service",
                                  "tmp.mount"};

using Ini = std::map<std::string, std::string>;  // "oobe.defaultuid" -> value; keys in lower case

Ini parse_ini(std::string_view text) {
    Ini out;
    std::string section;
    for (const std::string_view raw : split_lines(text)) {
        const std::string_view line = trim(raw);
        const std::size_t equals = line.find('=');
        if (line.starts_with('[') && line.ends_with(']')) {
            section = to_lower(line.substr(1, line.size() - 2));
        } else if (!line.starts_with('#') && equals != std::string_view::npos) {
            std::string_view value = trim(line.substr(equals + 1));
            if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
                value = value.substr(1, value.size() - 2);
            }
            out[section + "." + to_lower(trim(line.substr(0, equals)))] = value;
        }
    }
    return out;
}

class Archive {
  public:
    static Result<Archive> read(std::string_view tar, const std::string& name) {
        Archive out;
        oci::TarReader reader(tar, name);
        oci::TarMember member;
        while (TARN_TRY(reader.next(member))) {
            const auto path = safe_relative_path(member.path, Absolute::kStrip);
            if (!path) {
                out.outside.push_back(member.path);
                continue;
            }
            out.names = out.names || !member.user.empty() || !member.group.empty();
            out.members[*path] = member;
        }
        return out;
    }
    const oci::TarMember* find(std::string_view path) const {
        const auto found = members.find(std::string(path));
        return found == members.end() ? nullptr : &found->second;
    }
    // The file a path of the running system leads to.
    const oci::TarMember* follow(const std::string& path) const {
        std::string at = path.starts_with('/') ? path.substr(1) : path;
        for (int hops = 0; hops < kMaxLinks; ++hops) {
            const oci::TarMember* node = nullptr;
            std::size_t end = 0;
            while (end != std::string::npos) {
                end = at.find('/', end + 1);
                node = find(at.substr(0, end));
                if (node != nullptr && node->type == '2') {
                    break;
                }
            }
            if (node == nullptr || node->type != '2') {
                return node != nullptr && node->type == '1' ? find(node->link) : node;
            }
            const std::string base = "/" + parent_path(at.substr(0, end));
            const std::string rest = end == std::string::npos ? "" : at.substr(end);
            at = (absolute_path(node->link, base) + rest).substr(1);
        }
        return nullptr;
    }
    Ini ini(const char* path) const {
        const oci::TarMember* file = find(path);
        return file == nullptr ? Ini() : parse_ini(file->content);
    }
    std::string text(const char* path) const {
        const oci::TarMember* file = find(path);
        return file == nullptr ? std::string() : std::string(file->content);
    }

    std::map<std::string, oci::TarMember> members;
    std::vector<std::string> outside;
    bool names = false;
};

using Found = std::vector<std::string>;

std::string value_of(const Ini& ini, const char* key) {
    const auto found = ini.find(key);
    return found == ini.end() ? std::string() : found->second;
}

void check_root(const Archive& archive, Found& out) {
    if (archive.find("etc") == nullptr && archive.find("etc/passwd") == nullptr) {
        out.push_back("there is no /etc at the top of the archive");
    }
    for (const std::string& name : archive.outside) {
        out.push_back(fmt::format("a member leads out of the root: {}", name));
    }
}

void check_conf_files(const Archive& archive, Found& out) {
    for (const char* path : {"etc/wsl-distribution.conf", "etc/wsl.conf"}) {
        const oci::TarMember* file = archive.find(path);
        if (file == nullptr || file->type != '0') {
            out.push_back(fmt::format("/{} is missing", path));
        } else if (file->uid != 0 || file->gid != 0 || file->mode != 0644) {
            out.push_back(fmt::format("/{} belongs to {}:{} and has mode {:04o}",
                                      path,
                                      file->uid,
                                      file->gid,
                                      file->mode));
        }
    }
}

void check_oobe(const Archive& archive, Found& out) {
    const std::string command = value_of(archive.ini("etc/wsl-distribution.conf"), "oobe.command");
    if (command.empty()) {
        return;
    }
    const std::string program = command.substr(0, command.find(' '));
    const oci::TarMember* file = archive.follow(program);
    if (file == nullptr || file->type != '0') {
        out.push_back(fmt::format("oobe.command is {}, which is not in the archive", program));
    } else if ((file->mode & 0111u) == 0) {
        out.push_back(fmt::format("{} is not executable", program));
    } else if (file->content.starts_with("#!")) {
        const std::string_view line = file->content.substr(2, file->content.find('\n') - 2);
        const auto words = split_words(line);
        if (words.empty() || archive.follow(std::string(words[0])) == nullptr) {
            out.push_back(fmt::format("{} is run by {}, which is missing", program, trim(line)));
        }
    }
}

void check_uid(const Archive& archive, Found& out) {
    const Ini ini = archive.ini("etc/wsl-distribution.conf");
    if (!value_of(ini, "oobe.command").empty() && value_of(ini, "oobe.defaultuid") != "1000") {
        out.push_back(fmt::format("oobe.defaultUid is `{}`", value_of(ini, "oobe.defaultuid")));
    }
}

void check_name(const Archive& archive, Found& out) {
    const std::string name = value_of(archive.ini("etc/wsl-distribution.conf"), "oobe.defaultname");
    if (name.empty()) {
        out.push_back("oobe.defaultName is not set");
    } else if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789._-") != std::string::npos) {
        out.push_back(fmt::format("oobe.defaultName is `{}`", name));
    }
}

void check_icon_set(const Archive& archive, Found& out) {
    if (value_of(archive.ini("etc/wsl-distribution.conf"), "shortcut.icon").empty()) {
        out.push_back("shortcut.icon is not set");
    }
}

void check_icon(const Archive& archive, Found& out) {
    const std::string icon = value_of(archive.ini("etc/wsl-distribution.conf"), "shortcut.icon");
    const oci::TarMember* file = icon.empty() ? nullptr : archive.follow(icon);
    if (icon.empty()) {
        return;
    }
    if (file == nullptr || file->type != '0') {
        out.push_back(fmt::format("shortcut.icon is {}, which is not in the archive", icon));
    } else if (!icon.ends_with(".ico") ||
               !file->content.starts_with(std::string_view("\0\0\1\0", 4))) {
        out.push_back(fmt::format("{} is not of the .ico format", icon));
    } else if (file->content.size() > kMaxIcon) {
        out.push_back(fmt::format("{} has {} bytes", icon, file->content.size()));
    }
}

void check_profile(const Archive& archive, Found& out) {
    const std::string path =
        value_of(archive.ini("etc/wsl-distribution.conf"), "windowsterminal.profiletemplate");
    if (path.empty()) {
        return;
    }
    const oci::TarMember* file = archive.follow(path);
    if (file == nullptr || file->type != '0') {
        out.push_back(fmt::format("profileTemplate is {}, which is not in the archive", path));
        return;
    }
    const auto json = nlohmann::json::parse(file->content, nullptr, false);
    if (!json.is_object() || !json.contains("profiles") || !json["profiles"].is_array()) {
        out.push_back(fmt::format("{} is no JSON object with a list of profiles", path));
    }
}

void check_systemd_value(const Archive& archive, Found& out) {
    const Ini ini = archive.ini("etc/wsl.conf");
    const auto value = ini.find("boot.systemd");
    if (value == ini.end()) {
        out.push_back("boot.systemd is not set");
    } else if (value->second != "true" && value->second != "false") {
        out.push_back(fmt::format("boot.systemd is `{}`", value->second));
    } else if (value->second == "true" && archive.follow("/usr/lib/systemd/systemd") == nullptr) {
        out.push_back("boot.systemd is true, and there is no systemd in the archive");
    }
}

void check_resolv(const Archive& archive, Found& out) {
    if (archive.find("etc/resolv.conf") != nullptr) {
        out.push_back("/etc/resolv.conf is in the archive");
    }
}

void check_root_user(const Archive& archive, Found& out) {
    const std::string passwd = archive.text("etc/passwd");
    for (const std::string_view line : split_lines(passwd)) {
        const auto fields = split(line, ':');
        if (fields.size() > 2 && fields[0] == "root") {
            if (fields[2] != "0") {
                out.push_back(fmt::format("the uid of root is {}", fields[2]));
            }
            return;
        }
    }
    out.push_back("/etc/passwd has no root");
}

void check_shadow(const Archive& archive, Found& out) {
    for (const char* path : {"etc/shadow", "etc/shadow-", "etc/passwd"}) {
        const std::string text = archive.text(path);
        for (const std::string_view line : split_lines(text)) {
            const auto fields = split(line, ':');
            const std::string_view secret = fields.size() > 1 ? fields[1] : std::string_view("*");
            const bool locked = secret.starts_with('!') || secret.starts_with('*');
            if (!locked && !(path == std::string_view("etc/passwd") && secret == "x")) {
                out.push_back(
                    fmt::format("/{}: `{}` has {}",
                                path,
                                fields[0],
                                secret.empty() ? "an empty password" : "a password hash"));
            }
        }
    }
}

void check_kernel(const Archive& archive, Found& out) {
    for (const auto& [path, member] : archive.members) {
        const std::string name = file_name(path);
        const bool boot = path.starts_with("boot/") &&
                          (name.starts_with("vmlinuz") || name.starts_with("vmlinux") ||
                           name.starts_with("initr") || name.ends_with(".efi"));
        const bool modules =
            (path.starts_with("usr/lib/modules/") || path.starts_with("lib/modules/")) &&
            (name.starts_with("vmlinuz") || name.starts_with("initr"));
        if (member.type == '0' && (boot || modules)) {
            out.push_back(fmt::format("/{} is in the archive", path));
        }
    }
}

// Wanted by a target, whoever brought the link, and not masked.
void check_units(const Archive& archive, Found& out) {
    if (value_of(archive.ini("etc/wsl.conf"), "boot.systemd") != "true") {
        return;
    }
    for (const char* kind : {"system", "user"}) {
        for (const char* unit : kUnits) {
            const std::string own = fmt::format("etc/systemd/{}/{}", kind, unit);
            const oci::TarMember* mask = archive.find(own);
            if (mask != nullptr && mask->type == '2' && mask->link == "/dev/null") {
                continue;
            }
            for (const char* base : {"etc", "usr/lib"}) {
                const std::string area = fmt::format("{}/systemd/{}/", base, kind);
                for (auto at = archive.members.lower_bound(area);
                     at != archive.members.end() && at->first.starts_with(area);
                     ++at) {
                    const bool wanted = at->first.find(".wants/") != std::string::npos ||
                                        at->first.find(".requires/") != std::string::npos;
                    if (wanted && file_name(at->first) == unit) {
                        out.push_back(
                            fmt::format("{} ({} unit) is started by /{}", unit, kind, at->first));
                    }
                }
            }
        }
    }
}

void check_numeric(const Archive& archive, Found& out) {
    if (archive.names) {
        out.push_back("members carry names of users or groups");
    }
}

void check_locale(const Archive& archive, Found& out) {
    if (archive.find("etc/locale.conf") != nullptr &&
        archive.find("etc/default/locale") == nullptr) {
        out.push_back("/etc/locale.conf alone is not looked at");
    }
}

struct Check {
    WslRule rule;
    void (*run)(const Archive&, Found&);  // nullptr: about the file, not the archive
};

constexpr std::string_view kTarFile = "Create the tar file";
constexpr std::string_view kConfiguration = "Configuration file recommendations";
constexpr std::string_view kDistribution = "Add the WSL distribution configuration file";

const std::vector<Check>& checks() {
    constexpr WslLevel must = WslLevel::kMust, should = WslLevel::kShould;
    static const std::vector<Check> all = {
        {{"WSL-EXTENSION", must, "the file ends in .wsl", "Create a .wsl file extension"}, nullptr},
        {{"WSL-COMPRESSION", must, "the tar is compressed by gzip", kTarFile}, nullptr},
        {{"WSL-ROOT", must, "the root of the tar is the root of the file system", kTarFile},
         check_root},
        {{"WSL-OWNERS", should, "owners are numbers", kTarFile}, check_numeric},
        {{"WSL-CONF",
          must,
          "/etc/wsl.conf and /etc/wsl-distribution.conf are there, root:root, 0644",
          kConfiguration},
         check_conf_files},
        {{"WSL-OOBE-COMMAND", must, "the command of the first start can be run", kDistribution},
         check_oobe},
        {{"WSL-OOBE-UID",
          must,
          "oobe.defaultUid is 1000 when the command makes the user",
          kConfiguration},
         check_uid},
        {{"WSL-NAME",
          must,
          "oobe.defaultName is set, as opening the file asks for it",
          "Create a .wsl file extension"},
         check_name},
        {{"WSL-ICON", should, "shortcut.icon is set", kConfiguration}, check_icon_set},
        {{"WSL-ICON-FORMAT", must, "the icon is an .ico of at most 10 MB", kDistribution},
         check_icon},
        {{"WSL-TERMINAL",
          must,
          "the template of the terminal's profile is JSON",
          "Generate a Windows Terminal profile"},
         check_profile},
        {{"WSL-SYSTEMD",
          must,
          "boot.systemd says true or false",
          "Add a WSL configuration for local settings on a per-distribution basis"},
         check_systemd_value},
        {{"WSL-RESOLV", must, "there is no /etc/resolv.conf", kConfiguration}, check_resolv},
        {{"WSL-ROOT-USER", must, "/etc/passwd has a root with uid 0", kConfiguration},
         check_root_user},
        {{"WSL-SHADOW", must, "there are no password hashes", kConfiguration}, check_shadow},
        {{"WSL-KERNEL", must, "there is no kernel and no initramfs", kConfiguration}, check_kernel},
        {{"WSL-UNITS",
          must,
          "units that WSL cannot have are disabled or masked",
          "Systemd recommendations"},
         check_units},
        {{"WSL-LOCALE",
          should,
          "the locale is in /etc/default/locale, which WSL reads",
          "github.com/microsoft/WSL/issues/13207"},
         check_locale},
    };
    return all;
}

const WslRule* rule(std::string_view id) {
    const auto found = std::ranges::find(wsl_rules(), id, &WslRule::id);
    return found == wsl_rules().end() ? nullptr : &*found;
}

}  // namespace

const std::vector<WslRule>& wsl_rules() {
    static const std::vector<WslRule> rules = [] {
        std::vector<WslRule> out;
        for (const Check& check : checks()) {
            out.push_back(check.rule);
        }
        return out;
    }();
    return rules;
}

std::string WslFinding::to_string() const {
    return fmt::format("{}: {} ({}; {})", rule->id, what, rule->text, rule->section);
}

Result<std::vector<WslFinding>> check_wsl_tar(std::string_view tar, const std::string& name) {
    const Archive archive = TARN_TRY(Archive::read(tar, name));
    std::vector<WslFinding> out;
    for (std::size_t i = 0; i < checks().size(); ++i) {
        Found found;
        if (checks()[i].run != nullptr) {
            checks()[i].run(archive, found);
        }
        for (std::string& what : found) {
            out.push_back({&wsl_rules()[i], std::move(what)});
        }
    }
    return out;
}

Result<std::vector<WslFinding>> check_wsl_file(const std::string& path) {
    std::vector<WslFinding> out;
    if (!path.ends_with(".wsl")) {
        out.push_back({rule("WSL-EXTENSION"), file_name(path)});
    }
    const MemoryMap map = TARN_TRY(MemoryMap::open(path));
    const Compression kind = detect_compression(map.bytes());
    if (kind != Compression::kGzip) {
        out.push_back({rule("WSL-COMPRESSION"), "it is not gzip that it begins with"});
    }
    auto tar = decompress(map.bytes(), kind, kMaxTar);
    if (!tar) {
        return fail(std::move(tar.error()).context(path));
    }
    for (WslFinding& finding : TARN_TRY(check_wsl_tar(*tar, path))) {
        out.push_back(std::move(finding));
    }
    return out;
}

}  // namespace tarn
