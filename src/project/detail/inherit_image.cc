// SPDX-License-Identifier: MIT
// How an image lies over its base and its parts.
#include "project/detail/collected.hh"
#include "project/detail/inherit.hh"

namespace tarn::declaration {
namespace {

void inherit(Capabilities& into, const Capabilities& from) {
    const auto one = [](std::optional<bool>& a, const std::optional<bool>& b) {
        if (b) {
            a = b;
        }
    };
    one(into.machine_bootable, from.machine_bootable);
    one(into.container, from.container);
    one(into.systemd, from.systemd);
    one(into.runtime_package_management, from.runtime_package_management);
}

void inherit(ImageUser& into, const ImageUser& from) {
    into.name = from.name;
    into.uid = from.uid ? from.uid : into.uid;
    override_text(into.group, from.group);
    append(into.groups, from.groups);
    override_text(into.comment, from.comment);
    override_text(into.home, from.home);
    override_text(into.shell, from.shell);
    override_text(into.password_hash, from.password_hash);
    append(into.ssh_keys, from.ssh_keys);
    into.where = from.where;
}

void inherit(ImageServices& into, const ImageServices& from) {
    append(into.enable, from.enable);
    append(into.disable, from.disable);
    append(into.mask, from.mask);
}

void inherit(ImageAssertions& into, const ImageAssertions& from) {
    append(into.without, from.without);
    append(into.packages, from.packages);
    append(into.files, from.files);
    override_value(into.max_content, from.max_content);
    override_value(into.max_artifact, from.max_artifact);
    override_value(into.max_packages, from.max_packages);
    if (from.where.begin) {
        into.where = from.where;
    }
}

// What a container starts is one value, not a list that grows.
void override_list(std::vector<std::string>& into, const std::vector<std::string>& from) {
    if (!from.empty()) {
        into = from;
    }
}

void inherit(ImageContainer& into, const ImageContainer& from) {
    override_list(into.entrypoint, from.entrypoint);
    override_list(into.command, from.command);
    append(into.ports, from.ports);
    append(into.volumes, from.volumes);
    override_entries(into.environment, from.environment);
    override_entries(into.labels, from.labels);
    override_entries(into.annotations, from.annotations);
    override_text(into.user, from.user);
    override_text(into.working_dir, from.working_dir);
    override_text(into.stop_signal, from.stop_signal);
    override_text(into.compression, from.compression);
    override_value(into.max_layers, from.max_layers);
}

void inherit(ImageWsl& into, const ImageWsl& from) {
    override_text(into.name, from.name);
    override_text(into.friendly_name, from.friendly_name);
    override_text(into.icon, from.icon);
    override_text(into.terminal_profile, from.terminal_profile);
    override_text(into.oobe_command, from.oobe_command);
    override_text(into.base_url, from.base_url);
    override_value(into.default_uid, from.default_uid);
}

void inherit_packages(ImageConfig& into, const ImageConfig& from) {
    append(into.packages, from.packages);
    append(into.package_groups, from.package_groups);
    append(into.exclude_packages, from.exclude_packages);
    into.package_where.insert(from.package_where.begin(), from.package_where.end());
    if (from.weak_given) {
        into.weak_given = from.weak_given;
    }
}

void inherit_disk(ImageConfig& into, const ImageConfig& from) {
    append(into.kernel_command_line, from.kernel_command_line);
    override_text(into.filesystem, from.filesystem);
    override_value(into.size_bytes, from.size_bytes);
    override_value(into.esp_bytes, from.esp_bytes);
    into.esp_single_uki |= from.esp_single_uki;
    if (!from.partitions.empty()) {  // a layout is one value
        into.partitions = from.partitions;
    }
    override_text(into.bootloader, from.bootloader);
    override_text(into.integrity, from.integrity);
    override_text(into.update_url, from.update_url);
    into.secure_boot |= from.secure_boot;
    append(into.initrd_modules, from.initrd_modules);
}

void inherit_content(ImageConfig& into, const ImageConfig& from) {
    append(into.files, from.files);
    override_text(into.hostname, from.hostname);
    override_text(into.machine_id, from.machine_id);
    for (const auto& [name, user] : from.users) {
        inherit(into.users[name], user);
    }
    inherit(into.services, from.services);
    override_entries(into.sysctl, from.sysctl);
    append(into.kernel_modules.load, from.kernel_modules.load);
    append(into.kernel_modules.block, from.kernel_modules.block);
    override_text(into.locale.lang, from.locale.lang);
    override_text(into.locale.keymap, from.locale.keymap);
    override_text(into.locale.timezone, from.locale.timezone);
    override_text(into.selinux.mode, from.selinux.mode);
    override_text(into.selinux.policy, from.selinux.policy);
}

}  // namespace

void inherit(ImageConfig& into, const ImageConfig& from) {
    into.name = from.name;
    into.base = from.base;
    into.base_where = from.base_where;
    into.includes = from.includes;
    into.where = from.where;
    override_text(into.description, from.description);
    override_text(into.kind, from.kind);
    override_text(into.architecture, from.architecture);
    override_text(into.version, from.version);
    inherit_packages(into, from);
    inherit_disk(into, from);
    inherit_content(into, from);
    append(into.formats, from.formats);
    inherit(into.assertions, from.assertions);
    inherit(into.container, from.container);
    inherit(into.wsl, from.wsl);
    append(into.tests, from.tests);
    override_entries(into.version_floors, from.version_floors);
    override_text(into.boot_install, from.boot_install);
    append(into.verify_exceptions, from.verify_exceptions);
    override_text(into.definition_type, from.definition_type);
    override_text(into.definition_path, from.definition_path);
    override_text(into.definition_profile, from.definition_profile);
    inherit(into.capabilities, from.capabilities);
    append(into.test_suites, from.test_suites);
    append(into.publish_channels, from.publish_channels);
}

}  // namespace tarn::declaration
