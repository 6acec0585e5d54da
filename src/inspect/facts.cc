// SPDX-License-Identifier: MIT
#include "inspect/facts.hh"

#include "base/hash.hh"
#include "base/strings.hh"
#include "inspect/detail/facts.hh"
#include "inspect/detail/region.hh"
#include "rpm/capabilities.hh"

#include <algorithm>

namespace tarn::inspect {
namespace {

Facts privileges_of(const Tree& tree) {
    Facts out;
    for (const TreeEntry& entry : tree.entries()) {
        if (entry.kind != EntryKind::kFile) {
            continue;
        }
        std::vector<std::string> words;
        if ((entry.mode & 06000U) != 0) {
            words.push_back(fmt::format("{}{} {:04o} {}:{}",
                                        (entry.mode & 04000U) != 0 ? "setuid" : "",
                                        (entry.mode & 06000U) == 06000U ? ", setgid"
                                        : (entry.mode & 02000U) != 0    ? "setgid"
                                                                        : "",
                                        entry.mode,
                                        entry.uid,
                                        entry.gid));
        }
        if (const auto found = entry.xattrs.find(std::string(rpm::kCapabilityAttribute));
            found != entry.xattrs.end()) {
            words.push_back("capabilities " + capability_text(found->second));
        }
        if (!words.empty()) {
            out["/" + entry.path] = join(words, "; ");
        }
    }
    return out;
}

// Where rpm looks by itself, then anywhere.
const TreeEntry* find_rpmdb(const Tree& tree) {
    for (const char* path : {"usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"}) {
        const TreeEntry* entry = resolve(tree, path);
        if (entry != nullptr && entry->kind == EntryKind::kFile) {
            return entry;
        }
    }
    const auto found = std::ranges::find_if(tree.entries(), [](const TreeEntry& entry) {
        return entry.path.ends_with("/rpmdb.sqlite") && entry.kind == EntryKind::kFile;
    });
    return found == tree.entries().end() ? nullptr : &*found;
}

Result<void> read_packages(const Store& store, System& out) {
    const TreeEntry* entry = find_rpmdb(out.artifact.tree);
    if (entry == nullptr) {
        return {};
    }
    out.rpmdb = entry->path;
    const std::string bytes = TARN_TRY(store.read(entry->content));
    out.packages = TARN_TRY(rpm::read_rpmdb(bytes, "/" + entry->path));
    for (const rpm::InstalledPackage& package : out.packages) {
        const rpm::Nevra& nevra = package.info.meta.nevra;
        std::string& text = out.package_versions[nevra.name + "." + nevra.arch];
        text += (text.empty() ? "" : ", ") + nevra.evr.to_string();
    }
    return {};
}

// "KEY=value" lines of a kernel's configuration; "# KEY is not set" is "n".
Facts parse_kernel_config(std::string_view text) {
    Facts out;
    for (std::string_view line : split_lines(text)) {
        if (line.starts_with("# CONFIG_") && line.ends_with(" is not set")) {
            line.remove_prefix(2);
            out[std::string(line.substr(0, line.find(' ')))] = "n";
        } else if (line.starts_with("CONFIG_")) {
            const std::size_t equal = line.find('=');
            if (equal != std::string_view::npos) {
                out[std::string(line.substr(0, equal))] = line.substr(equal + 1);
            }
        }
    }
    return out;
}

void read_kernels(const Store& store, System& out) {
    const Tree& tree = out.artifact.tree;
    for (const TreeEntry& entry : tree.entries()) {
        constexpr std::string_view kModules = "usr/lib/modules/";
        if (!entry.path.starts_with(kModules)) {
            continue;
        }
        const std::string version = entry.path.substr(
            kModules.size(), entry.path.find('/', kModules.size()) - kModules.size());
        out.kernels.try_emplace(version, "no configuration");
    }
    for (auto& [version, text] : out.kernels) {
        for (const std::string& path :
             {"usr/lib/modules/" + version + "/config", "boot/config-" + version}) {
            if (const auto config = read(store, tree, path)) {
                text = "/" + path;
                out.kernel_config = parse_kernel_config(*config);
                break;
            }
        }
    }
}

Facts parse_command_line(std::string_view text) {
    Facts out;
    for (const std::string_view word : split_words(text)) {
        const std::size_t equal = word.find('=');
        std::string& value = out[std::string(word.substr(0, equal))];
        if (equal != std::string_view::npos) {
            value += (value.empty() ? "" : " ") + std::string(word.substr(equal + 1));
        }
    }
    return out;
}

// Fields of an account file that say something, by name.
Facts parse_accounts(std::string_view text, std::size_t fields) {
    Facts out;
    for (const std::string_view line : split_lines(text)) {
        const auto parts = split(line, ':');
        if (parts.size() < fields || parts[0].empty() || line.starts_with('#')) {
            continue;
        }
        out[std::string(parts[0])] =
            fields == 7        ? fmt::format("{}:{} {} {}", parts[2], parts[3], parts[5], parts[6])
            : parts[3].empty() ? std::string(parts[2])
                               : fmt::format("{} ({})", parts[2], parts[3]);
    }
    return out;
}

}  // namespace

std::string capability_text(std::string_view attribute) {
    return rpm::capabilities_to_text(attribute).value_or("0x" + to_hex(attribute));
}

Result<System> examine(const Store& store, Artifact artifact) {
    System out;
    out.artifact = std::move(artifact);
    const Tree& tree = out.artifact.tree;
    TARN_TRY(read_packages(store, out));
    read_kernels(store, out);
    out.units = read_units(tree);
    out.sysctl = read_sysctl(store, tree);
    out.ports = read_ports(store, tree, out.units);
    out.users = parse_accounts(read(store, tree, "etc/passwd").value_or(""), 7);
    out.groups = parse_accounts(read(store, tree, "etc/group").value_or(""), 4);
    out.privileges = privileges_of(tree);
    if (!out.artifact.ukis.empty()) {
        out.command_line = parse_command_line(out.artifact.ukis.front().command_line);
    }
    return out;
}

}  // namespace tarn::inspect
