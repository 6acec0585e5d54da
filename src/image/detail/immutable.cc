// SPDX-License-Identifier: MIT
#include "image/detail/immutable.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "image/detail/overlay.hh"

#include <algorithm>
#include <set>

namespace tarn::image {
namespace {

constexpr std::size_t kMaxLabel = 36;
constexpr std::uint64_t kVarMinimum = 256 * kMiB;
constexpr std::string_view kFactory = "usr/share/factory/";
constexpr std::string_view kVarLines = "usr/lib/tmpfiles.d/zz-tarn-var.conf";
constexpr std::string_view kUpdateKeyring = "usr/lib/systemd/import-pubring.pgp";
// The list of what is installed goes with the root it tells of.
constexpr std::string_view kRpmdb = "var/lib/rpm";
constexpr std::string_view kRpmdbKept = "usr/lib/sysimage/rpm";
constexpr std::string_view kVeritySuffix = "_verity";

bool version_text(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '~' || c == '^';
    });
}

// As systemd-repart names types.
std::string repart_type(PartitionRole role) {
    return role == PartitionRole::kGeneric ? "linux-generic" : std::string(role_name(role));
}

std::string repart_fixed(PartitionRole role, std::uint64_t size, std::string_view label) {
    std::string out = fmt::format("[Partition]\nType={}\n", repart_type(role));
    if (!label.empty()) {
        out += fmt::format("Label={}\n", label);
    }
    return out + fmt::format("SizeMinBytes={}\nSizeMaxBytes={}\n", size, size);
}

std::string repart_growing(PartitionRole role,
                           std::uint64_t minimum,
                           std::string_view label,
                           std::string_view filesystem) {
    std::string out = fmt::format(
        "[Partition]\nType={}\nLabel={}\nSizeMinBytes={}\n", repart_type(role), label, minimum);
    if (!filesystem.empty()) {
        out += fmt::format("Format={}\nGrowFileSystem=yes\n", filesystem);
    }
    return out;
}

std::string transfer(const SystemVersion& system,
                     const std::string& url,
                     std::string_view source,
                     std::string_view target) {
    return fmt::format(
        "# Written when the image `{}` was composed.\n"
        "[Transfer]\n"
        "ProtectVersion=%A\n"
        "\n[Source]\n"
        "Type=url-file\n"
        "Path={}\n"
        "MatchPattern={}\n"
        "\n[Target]\n"
        "InstancesMax=2\n"
        "{}",
        system.id,
        url,
        source,
        target);
}

std::string partition_target(std::string_view type, std::string_view pattern) {
    return fmt::format(
        "Type=partition\n"
        "Path=auto\n"
        "MatchPattern={}\n"
        "MatchPartitionType={}\n"
        "ReadOnly=1\n",
        pattern,
        type);
}

// A word of a tmpfiles.d line: quotes, blanks and specifiers made harmless.
std::string tmpfiles_word(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || contains("/._-+:@,=~", {&c, 1});
        if (c == '%') {
            out += "%%";
        } else if (plain) {
            out.push_back(c);
        } else {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

// Paths that packages' own lines make; lines with specifiers name none of a tree.
Result<std::set<std::string>> paths_of_tmpfiles(const Store& store, const Tree& tree) {
    std::set<std::string> out;
    for (const char* directory : {"usr/lib/tmpfiles.d", "etc/tmpfiles.d"}) {
        for (const TreeEntry* entry : tree.below(directory)) {
            if (entry->kind != EntryKind::kFile || !entry->path.ends_with(".conf")) {
                continue;
            }
            const std::string text = TARN_TRY(store.read(entry->content));
            for (const std::string_view line : split_lines(text)) {
                const auto words = split_words(line);
                if (words.size() < 2 || words[0].starts_with("#") ||
                    !words[1].starts_with("/var/")) {
                    continue;
                }
                // Only types that make something of that name.
                if (contains("fFdDvqQLCpbc", words[0].substr(0, 1))) {
                    out.insert(std::string(words[1].substr(1)));
                }
            }
        }
    }
    return out;
}

std::string tmpfiles_line(const TreeEntry& entry) {
    const std::string path = tmpfiles_word("/" + entry.path);
    switch (entry.kind) {
        case EntryKind::kDirectory:
            return fmt::format("d {} {:04o} {} {} -\n", path, entry.mode, entry.uid, entry.gid);
        case EntryKind::kSymlink:
            return fmt::format("L {} - - - - {}\n", path, tmpfiles_word(entry.target));
        case EntryKind::kFile:
            return fmt::format("C {} {:04o} {} {} - {}\n",
                               path,
                               entry.mode,
                               entry.uid,
                               entry.gid,
                               tmpfiles_word("/" + std::string(kFactory) + entry.path));
        default:
            return {};  // devices and pipes in /var are made by who uses them
    }
}

std::string os_release_of(std::string_view text, const SystemVersion& system) {
    std::string out;
    for (const std::string_view line : split_lines(text)) {
        if (!line.starts_with("IMAGE_ID=") && !line.starts_with("IMAGE_VERSION=")) {
            out.append(line).append("\n");
        }
    }
    return out + fmt::format("IMAGE_ID={}\nIMAGE_VERSION={}\n", system.id, system.version);
}

bool below_var(const TreeEntry& entry) {
    return entry.path.starts_with("var/");
}

// The rpmdb's entries at their place below /usr; true when there were any.
bool move_rpmdb(const Tree& tree, Overlay& overlay) {
    const auto entries = tree.below(kRpmdb);
    for (const TreeEntry* entry : entries) {
        TreeEntry moved = *entry;
        moved.path = std::string(kRpmdbKept) + entry->path.substr(kRpmdb.size());
        overlay.add(std::move(moved));
    }
    return !entries.empty();
}

}  // namespace

Result<SystemVersion> system_version(const Image& image, std::string_view distro_version) {
    SystemVersion out{image.name,
                      image.version.empty() ? std::string(distro_version) : image.version};
    if (!version_text(out.version)) {
        return fail(error(ErrorKind::kUsage,
                          "the image `{}` has the version `{}`, which no update can name",
                          image.name,
                          out.version)
                        .advise("versions are letters, digits, `.`, `-`, `~` and `^`"));
    }
    if (!version_text(out.id)) {
        return fail(ErrorKind::kUsage,
                    "the name of the image `{}` cannot be part of a boot entry's",
                    image.name);
    }
    const std::size_t length = out.entry().size() + kVeritySuffix.size();
    if (length > kMaxLabel) {
        return fail(error(ErrorKind::kUsage,
                          "the partition label `{}{}` has {} characters; a label holds {}",
                          out.entry(),
                          kVeritySuffix,
                          length,
                          kMaxLabel)
                        .advise("shorten the image's name or its `version`"));
    }
    return out;
}

TextFiles repart_definitions(const Layout& layout) {
    TextFiles out;
    const auto add = [&](std::string_view name, std::string text) {
        out.emplace_back(fmt::format("usr/lib/repart.d/{:02}-{}.conf", 10 * (out.size() + 1), name),
                         "# Written when the image was composed.\n" + std::move(text));
    };
    bool second = false;
    bool var = false;
    for (const PlannedPartition& partition : layout.partitions) {
        second = second || partition.empty_slot;
        var = var || partition.role == PartitionRole::kVar;
        const std::string_view name = role_name(partition.role);
        if ((partition.gpt.attributes & kAttributeGrow) != 0) {
            add(name,
                repart_growing(partition.role,
                               partition.gpt.size,
                               partition.gpt.label,
                               partition.filesystem));
        } else {
            add(name,
                repart_fixed(partition.role,
                             partition.gpt.size,
                             partition.empty_slot ? kEmptySlot : ""));
        }
    }
    for (const PartitionRole role : {PartitionRole::kRoot, PartitionRole::kRootVerity}) {
        if (const PlannedPartition* first = layout.find(role); first != nullptr && !second) {
            add(fmt::format("{}-next", role_name(role)),
                repart_fixed(role, first->gpt.size, kEmptySlot));
        }
    }
    if (!var) {
        add("var", repart_growing(PartitionRole::kVar, kVarMinimum, "var", "ext4"));
    }
    return out;
}

TextFiles sysupdate_transfers(const SystemVersion& system, const std::string& url) {
    const std::string id = system.id + "_@v";
    return {
        {"usr/lib/sysupdate.d/10-root-verity.transfer",
         transfer(system,
                  url,
                  id + "_@u.verity.zst",
                  partition_target("root-verity", id + std::string(kVeritySuffix)))},
        {"usr/lib/sysupdate.d/20-root.transfer",
         transfer(system, url, id + "_@u.root.zst", partition_target("root", id))},
        // No Mode=0444: on FAT that makes a file read-only, and the loader counts tries by renaming it.
        {"usr/lib/sysupdate.d/30-uki.transfer",
         transfer(system,
                  url,
                  id + ".efi",
                  fmt::format("Type=regular-file\n"
                              "Path=/EFI/Linux\n"
                              "PathRelativeTo=boot\n"
                              "MatchPattern={0}+@l-@d.efi {0}+@l.efi {0}.efi\n"
                              "TriesLeft=3\n"
                              "TriesDone=0\n",
                              id))},
    };
}

std::string UpdateNames::root(const SystemVersion& system, const Guid& uuid) {
    return fmt::format("{}_{}.root.zst", system.entry(), uuid.to_string());
}

std::string UpdateNames::hash_tree(const SystemVersion& system, const Guid& uuid) {
    return fmt::format("{}_{}.verity.zst", system.entry(), uuid.to_string());
}

std::string UpdateNames::uki(const SystemVersion& system) {
    return system.entry() + ".efi";
}

Result<Tree> make_immutable(const Store& store,
                            const Tree& tree,
                            const SystemVersion& system,
                            const TextFiles& files,
                            std::string_view keyring,
                            std::int64_t time) {
    const std::set<std::string> made_elsewhere = TARN_TRY(paths_of_tmpfiles(store, tree));
    Overlay overlay(store, time);
    std::string lines = "# What the image has in /var, for a machine whose /var is new.\n";
    if (move_rpmdb(tree, overlay)) {
        lines += fmt::format("L+ /{} - - - - ../../{}\n", kRpmdb, kRpmdbKept);
    }
    for (const TreeEntry* entry : tree.below("var")) {
        if (!below_var(*entry) || made_elsewhere.contains(entry->path) ||
            entry->path == kRpmdb || entry->path.starts_with(std::string(kRpmdb) + "/")) {
            continue;
        }
        lines += tmpfiles_line(*entry);
        if (entry->kind == EntryKind::kFile) {
            TreeEntry kept = *entry;
            kept.path = std::string(kFactory) + entry->path;
            kept.hardlink.clear();
            overlay.add(std::move(kept));
        }
    }
    TARN_TRY(overlay.file(kVarLines, lines));
    for (const auto& [path, content] : files) {
        TARN_TRY(overlay.file(path, content));
    }
    // Mounted by the initrd, so that no line of an fstab lets it grow into its partition.
    TARN_TRY(overlay.file("usr/lib/systemd/system/local-fs.target.d/50-tarn-var.conf",
                          "[Unit]\nWants=systemd-growfs@var.service\n"));
    if (!keyring.empty()) {
        TARN_TRY(overlay.file(kUpdateKeyring, keyring));
    }
    const std::string release = TARN_TRY(read_tree_file(store, tree, "usr/lib/os-release"));
    TARN_TRY(overlay.file("usr/lib/os-release", os_release_of(release, system)));
    return overlay.over(tree.filter([](const TreeEntry& entry) { return !below_var(entry); }));
}

Result<std::string> dearmor(std::string_view armored) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    unsigned have = 0;
    bool inside = false;
    bool body = false;
    for (const std::string_view raw : split_lines(armored)) {
        const std::string_view line = trim(raw);
        if (line.starts_with("-----BEGIN ")) {
            inside = true;
        } else if (line.starts_with("-----END ") || (body && line.starts_with("="))) {
            return out;
        } else if (inside && line.empty()) {
            body = true;  // behind the armor's headers
        } else if (body) {
            for (const char c : line) {
                const std::size_t value = kAlphabet.find(c);
                if (c != '=' && value == std::string_view::npos) {
                    return fail(ErrorKind::kCorrupt, "an OpenPGP armor holds a byte of no use");
                }
                if (c != '=') {
                    bits = (bits << 6) | static_cast<std::uint32_t>(value);
                    have += 6;
                }
                if (have >= 8) {
                    have -= 8;
                    out.push_back(static_cast<char>((bits >> have) & 0xff));
                }
            }
        }
    }
    return fail(ErrorKind::kCorrupt, "an OpenPGP armor has no end");
}

}  // namespace tarn::image
