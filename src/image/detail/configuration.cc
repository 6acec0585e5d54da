// SPDX-License-Identifier: MIT
#include "image/detail/configuration.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "image/detail/selinux.hh"

#include <algorithm>
#include <set>

namespace tarn::image {
namespace {

struct Directory {
    const char* path;
    std::uint32_t mode;
};
// Where init mounts things, and what must be there before tmpfiles runs.
constexpr Directory kDirectories[] = {{"boot", 0755},
                                      {"dev", 0755},
                                      {"efi", 0700},
                                      {"etc", 0755},
                                      {"home", 0755},
                                      {"mnt", 0755},
                                      {"opt", 0755},
                                      {"proc", 0555},
                                      {"root", 0700},
                                      {"run", 0755},
                                      {"srv", 0755},
                                      {"sys", 0555},
                                      {"tmp", 01777},
                                      {"usr", 0755},
                                      {"var", 0755},
                                      {"var/lib", 0755},
                                      {"var/log", 0755},
                                      {"var/tmp", 01777}};

void add_frame(const Tree& tree, Overlay& overlay) {
    for (const Directory& directory : kDirectories) {
        if (tree.find(directory.path) == nullptr) {
            overlay.directory(directory.path, directory.mode);
        }
    }
    for (const char* name : {"bin", "sbin", "lib", "lib64"}) {
        const std::string target = std::string("usr/") + name;
        if (tree.find(name) == nullptr && !tree.below(target).empty()) {
            overlay.symlink(name, target);
        }
    }
}

std::string fstab(const Image& image, const BootFacts& facts) {
    if (facts.verified) {
        // Partitions have other numbers in every version: systemd finds the ESP by the loader's word.
        return fmt::format("# Written when the image `{}` was composed. The initrd mounts / and /var.\n",
                           image.name);
    }
    const bool writable = facts.filesystem == "ext4";
    return fmt::format(
        "# Written when the image `{}` was composed.\n"
        "PARTUUID={} / {} {} 0 {}\n"
        "PARTUUID={} /efi vfat umask=0077,nodev,nosuid,noexec,noauto,x-systemd.automount,"
        "x-systemd.idle-timeout=2min 0 0\n"
        "tmpfs /dev/shm tmpfs nosuid,nodev,noexec 0 0\n",
        image.name,
        facts.root_partition.to_string(),
        facts.filesystem,
        writable ? "defaults" : "ro",
        writable ? 1 : 0,
        facts.esp_partition.to_string());
}

Result<void> add_declared_file(const Image& image,
                               const ImageFile& file,
                               const Store& store,
                               std::int64_t time,
                               Overlay& overlay) {
    const auto path = safe_relative_path(file.path, Absolute::kStrip);
    if (!path || path->empty()) {
        return fail(ErrorKind::kUsage,
                    "the image `{}` adds a file with the path `{}`",
                    image.name,
                    file.path);
    }
    const auto mode =
        file.mode.empty() ? std::optional<std::uint64_t>(0644) : parse_u64(file.mode, 8);
    if (!mode || *mode > 07777) {
        return fail(error(ErrorKind::kUsage,
                          "the image `{}`: /{} has the mode `{}`",
                          image.name,
                          *path,
                          file.mode)
                        .advise("modes are octal, like \"0644\""));
    }
    TreeEntry entry;
    entry.path = *path;
    entry.mode = static_cast<std::uint32_t>(*mode);
    entry.user = file.user == "root" ? "" : file.user;
    entry.group = file.group == "root" ? "" : file.group;
    entry.mtime = time;
    entry.content = file.source.empty() ? TARN_TRY(store.put(file.content))
                                        : TARN_TRY(store.put_file(file.source));
    overlay.add(std::move(entry));
    return {};
}

std::string strip_comment(std::string_view line) {
    return std::string(trim(line.substr(0, line.find('#'))));
}

}  // namespace

Result<void> add_machine_configuration(const Image& image,
                                       const BootFacts& facts,
                                       Overlay& overlay) {
    TARN_TRY(overlay.file("etc/fstab", fstab(image, facts)));
    // The first boot makes one. "uninitialized" is a first boot also to units with
    // ConditionFirstBoot (host keys).
    TARN_TRY(overlay.file(
        "etc/machine-id", image.machine_id == "empty" ? "" : "uninitialized\n", 0444));
    return overlay.file("etc/hostname",
                        (image.hostname.empty() ? image.name : image.hostname) + "\n");
}

Result<void> add_configuration(const Store& store,
                               const Image& image,
                               const Tree& tree,
                               Overlay& overlay) {
    add_frame(tree, overlay);
    const auto missing = [&](const char* path) { return tree.find(path) == nullptr; };
    if (missing("etc/hosts")) {
        TARN_TRY(overlay.file("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"));
    }
    if (missing("etc/mtab")) {
        overlay.symlink("etc/mtab", "../proc/self/mounts");
    }
    if (missing("etc/resolv.conf") && !missing("usr/lib/systemd/systemd-resolved")) {
        overlay.symlink("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    }
    if (missing("etc/localtime") && !missing("usr/share/zoneinfo/UTC")) {
        overlay.symlink("etc/localtime", "../usr/share/zoneinfo/UTC");
    }
    TARN_TRY(add_selinux_configuration(image, tree, overlay));
    for (const ImageFile& file : image.files) {
        TARN_TRY(add_declared_file(image, file, store, overlay.time(), overlay));
    }
    return {};
}

Result<Kernel> find_kernel(const Tree& tree) {
    constexpr std::string_view kModules = "usr/lib/modules/";
    std::set<std::string> versions;
    for (const TreeEntry* entry : tree.below("usr/lib/modules")) {
        if (entry->path.size() <= kModules.size()) {
            continue;
        }
        const std::string_view rest = std::string_view(entry->path).substr(kModules.size());
        const std::size_t slash = rest.find('/');
        if (slash != std::string_view::npos && (rest.substr(slash + 1) == "vmlinuz" ||
                                                rest.substr(slash + 1).starts_with("kernel/"))) {
            versions.emplace(rest.substr(0, slash));
        }
    }
    if (versions.empty()) {
        return fail(error(ErrorKind::kNotFound, "the image has no kernel")
                        .advise("add `kernel-core` to the packages of the image"));
    }
    if (versions.size() > 1) {
        return fail(error(ErrorKind::kFailed,
                          "the image has several kernels: {}",
                          join({versions.begin(), versions.end()}, ", "))
                        .advise("leave all but one out with `exclude-packages`"));
    }
    const std::string& version = *versions.begin();
    for (const std::string& path :
         {std::string(kModules) + version + "/vmlinuz", "boot/vmlinuz-" + version}) {
        const TreeEntry* entry = tree.find(path);
        if (entry != nullptr && entry->kind == EntryKind::kFile) {
            return Kernel{version, entry->content};
        }
    }
    return fail(
        ErrorKind::kNotFound, "the image has modules of the kernel {} but no vmlinuz", version);
}

Result<std::string> kernel_command_line(const Store& store,
                                        const Image& image,
                                        const Tree& tree,
                                        const BootFacts& facts) {
    // As systemd merges drop-ins: by name; one in /etc hides one in /usr/lib.
    std::map<std::string, const TreeEntry*> fragments;
    for (const char* directory : {"usr/lib/kernel/cmdline.d", "etc/kernel/cmdline.d"}) {
        for (const TreeEntry* entry : tree.below(directory)) {
            if (entry->kind == EntryKind::kFile && entry->path.ends_with(".conf")) {
                fragments[file_name(entry->path)] = entry;
            }
        }
    }
    std::vector<std::string> words;
    for (const auto& [name, entry] : fragments) {
        const std::string text = TARN_TRY(store.read(entry->content));
        for (const std::string_view line : split_lines(text)) {
            if (std::string stripped = strip_comment(line); !stripped.empty()) {
                words.push_back(std::move(stripped));
            }
        }
    }
    const std::vector<std::string> selinux = TARN_TRY(selinux_options(store, image, tree));
    words.insert(words.end(), selinux.begin(), selinux.end());
    words.insert(words.end(), image.kernel_command_line.begin(), image.kernel_command_line.end());
    std::set<std::string> keys;
    const std::string said = join(words, " ");
    for (const std::string_view word : split_words(said)) {
        keys.emplace(word.substr(0, word.find('=')));
    }
    if (facts.verified) {
        words.push_back("roothash=" + facts.root_hash);
    } else if (!keys.contains("root")) {
        words.push_back("root=PARTUUID=" + facts.root_partition.to_string());
    }
    if (!keys.contains("rootfstype")) {
        words.push_back("rootfstype=" + facts.filesystem);
    }
    if (!keys.contains("ro") && !keys.contains("rw")) {
        words.emplace_back(facts.filesystem == "erofs" ? "ro" : "rw");
    }
    return join(words, " ");
}

Result<std::string> rpmdb_directory(const Store& store, const Tree& tree) {
    std::string value = "%{_var}/lib/rpm";
    if (const auto macros = read_tree_file(store, tree, "usr/lib/rpm/macros")) {
        for (const std::string_view line : split_lines(*macros)) {
            const auto words = split_words(line);
            if (words.size() == 2 && words[0] == "%_dbpath") {
                value = words[1];
            }
        }
    }
    value = replace_all(std::move(value), "%{_var}", "/var");
    value = replace_all(std::move(value), "%{_usr}", "/usr");
    value = replace_all(std::move(value), "%{_prefix}", "/usr");
    const auto path = safe_relative_path(value, Absolute::kStrip);
    if (!path || path->empty() || contains(*path, "%")) {
        return fail(
            ErrorKind::kFailed, "/usr/lib/rpm/macros: %_dbpath is not understood: {}", value);
    }
    return *path;
}

}  // namespace tarn::image
