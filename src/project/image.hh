// SPDX-License-Identifier: MIT
// What an image is declared to be: [images.NAME] and [image-parts.NAME]
// (docs/formats/image-definition.md). Empty and zero mean "not said": the composer's defaults hold.
#pragma once

#include "diag/diagnostic.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

struct NameReason {
    std::string name, reason;
};

struct ImageFile {
    std::string path, content, source, mode, user, group;
    Span where{};
};

struct Capabilities {  // nullopt: not said
    std::optional<bool> machine_bootable, container, systemd, runtime_package_management;
};

struct ImageUser {
    std::string name;
    std::optional<std::int64_t> uid;  // nullopt: the next free one from 1000 on
    std::string group;                // primary; empty: one of the user's own name
    std::vector<std::string> groups;  // further ones; they must exist
    std::string comment, home, shell;
    std::string password_hash;  // crypt(5); empty: locked
    std::vector<std::string> ssh_keys;
    Span where{};
};

struct ImageServices {  // unit names
    std::vector<std::string> enable, disable, mask;
};

struct ImageModules {
    std::vector<std::string> load, block;
};

struct ImageLocale {
    std::string lang, keymap, timezone;
};

// What the finished image must not be. Each is checked before anything is written.
struct ImageAssertions {
    std::vector<std::string> without;   // "shell", "python", "perl", "setuid", "package-manager"
    std::vector<std::string> packages;  // globs of package names that must not be there
    std::vector<std::string> files;     // globs of absolute paths that must not be there
    std::uint64_t max_content = 0;      // bytes of all files
    std::uint64_t max_artifact = 0;     // bytes on disk of each artifact
    std::int64_t max_packages = 0;
    Span where{};
};

struct ImagePartition {
    std::string type;  // "esp", "root", "root-verity", "root-verity-sig", "var", "home", "swap", ...
    std::string label, filesystem;
    std::uint64_t size = 0, min_size = 0;
    bool grow = false;  // takes what is left, and grows on first boot
    Span where{};
};

// The configuration of an OCI image (image-spec, "Image Configuration").
struct ImageContainer {
    std::vector<std::string> entrypoint, command, ports, volumes;
    std::map<std::string, std::string> environment, labels, annotations;
    std::string user, working_dir, stop_signal;
    std::string compression;  // "zstd" (default), "gzip", "none"
    std::int64_t max_layers = 0;
};

// /etc/wsl.conf and /etc/wsl-distribution.conf.
struct ImageWsl {
    std::string name, friendly_name, icon, terminal_profile, oobe_command;
    std::string base_url;  // where the .wsl file will be found, for the list of distributions
    std::int64_t default_uid = 0;
};

struct ImageSelinux {
    std::string mode;    // "enforcing", "permissive", "disabled"
    std::string policy;  // "targeted"
};

struct Image {
    std::string name;
    std::string description;
    std::string kind;                   // "disk" (default), "container", "wsl"
    std::string architecture;           // of the packages; empty: the project's
    std::string base;                   // an image this one starts from
    std::vector<std::string> includes;  // image parts
    std::string version;                // of the image itself, as its update names say; empty: distro's
    std::vector<std::string> packages, package_groups, exclude_packages;
    std::map<std::string, Span> package_where;  // where a package or group was named first
    bool weak_dependencies = false;
    std::vector<std::string> kernel_command_line;
    std::string filesystem;        // "ext4" or "erofs"
    std::uint64_t size_bytes = 0;  // whole disk
    std::uint64_t esp_bytes = 0;
    bool esp_single_uki = false;  // no room for a second UKI is wanted
    std::vector<ImagePartition> partitions;
    std::string bootloader;            // "uki" (default) or "systemd-boot"
    std::string integrity;             // "" or "verity"
    std::string update_url;            // where systemd-sysupdate looks; verity only
    bool secure_boot = false;          // sign what the firmware starts
    std::vector<std::string> formats;  // "raw", "vhd", "qcow2"; "oci", "docker-archive"; "wsl"
    std::vector<std::string> initrd_modules;
    std::vector<ImageFile> files;
    std::string hostname;
    std::string machine_id;  // "uninitialized" (default) or "empty"
    std::map<std::string, ImageUser> users;
    ImageServices services{};
    std::map<std::string, std::string> sysctl;
    ImageModules kernel_modules{};
    ImageLocale locale{};
    ImageAssertions assertions{};
    ImageContainer container{};
    ImageWsl wsl{};
    ImageSelinux selinux{};
    std::vector<std::string> tests;  // what the boot test checks beyond the standard
    std::map<std::string, std::string> version_floors;  // package -> lowest version
    std::string boot_install;                           // package the boot test installs and undoes
    std::vector<NameReason> verify_exceptions;          // paths rpm -Va may report, with the reason
    // kiwi definition of the azldev format, kept as read:
    std::string definition_type, definition_path, definition_profile;
    Capabilities capabilities{};
    std::vector<std::string> test_suites, publish_channels;
    Span where{};

    const std::string& kind_or_disk() const;
};

}  // namespace tarn
