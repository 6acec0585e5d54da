// SPDX-License-Identifier: MIT
// Images as `project dump` shows them: base and parts merged.
#include "project/detail/dump_fill.hh"

namespace tarn::declaration {
namespace {

Node file_node(const ImageFile& file) {
    Node node;
    node.text_if("path", file.path, file.where);
    node.text_if("content", file.content, file.where);
    node.text_if("source", file.source, file.where);
    node.text_if("mode", file.mode, file.where);
    node.text_if("user", file.user, file.where);
    node.text_if("group", file.group, file.where);
    return node;
}

void add_definition(Filler& fill, const Image& image) {
    Filler definition = fill.below("definition");
    definition.text("type", image.definition_type);
    definition.text("path", image.definition_path);
    definition.text("profile", image.definition_profile);
    fill.table("definition", std::move(definition).take());
    Filler capabilities = fill.below("capabilities");
    capabilities.flag("machine-bootable", image.capabilities.machine_bootable);
    capabilities.flag("container", image.capabilities.container);
    capabilities.flag("systemd", image.capabilities.systemd);
    capabilities.flag("runtime-package-management",
                      image.capabilities.runtime_package_management);
    fill.table("capabilities", std::move(capabilities).take());
    Filler publish = fill.below("publish");
    publish.texts("channels", image.publish_channels);
    fill.table("publish", std::move(publish).take());
    if (image.test_suites.empty()) {
        fill.texts("tests", image.tests);
        return;
    }
    std::vector<Node> suites;
    for (const std::string& name : image.test_suites) {
        Node suite;
        suite.text_if("name", name, image.where);
        suites.push_back(std::move(suite));
    }
    Node tests;
    tests.list_if("test-suites", std::move(suites));
    fill.table("tests", std::move(tests));
}

Node user_node(const ImageUser& user) {
    Node node;
    if (user.uid) {
        node.add("uid", Node::of_integer(*user.uid, user.where));
    }
    const auto texts = [&](std::string key, const std::vector<std::string>& values) {
        std::vector<Node> items;
        for (const std::string& value : values) {
            items.push_back(Node::of_text(value, user.where));
        }
        node.list_if(std::move(key), std::move(items));
    };
    node.text_if("group", user.group, user.where);
    texts("groups", user.groups);
    node.text_if("comment", user.comment, user.where);
    node.text_if("home", user.home, user.where);
    node.text_if("shell", user.shell, user.where);
    // A hash is what somebody would try to break.
    node.text_if("password-hash", user.password_hash.empty() ? "" : "(hidden)", user.where);
    texts("ssh-keys", user.ssh_keys);
    return node;
}

Node partition_node(const ImagePartition& partition) {
    Node node;
    const auto size = [&](std::string key, std::uint64_t value) {
        if (value != 0) {
            node.add(std::move(key),
                     Node::of_integer(static_cast<std::int64_t>(value), partition.where));
        }
    };
    node.text_if("type", partition.type, partition.where);
    node.text_if("label", partition.label, partition.where);
    node.text_if("filesystem", partition.filesystem, partition.where);
    size("size", partition.size);
    size("min-size", partition.min_size);
    if (partition.grow) {
        node.add("grow", Node::of_flag(true, partition.where));
    }
    return node;
}

void add_system(Filler& fill, const Image& image) {
    fill.text("hostname", image.hostname);
    fill.text("machine-id", image.machine_id);
    Node users;
    for (const auto& [name, user] : image.users) {
        users.add(name, user_node(user));
    }
    fill.table("users", std::move(users));
    Filler services = fill.below("services");
    services.texts("enable", image.services.enable);
    services.texts("disable", image.services.disable);
    services.texts("mask", image.services.mask);
    fill.table("services", std::move(services).take());
    fill.text_map("sysctl", image.sysctl);
    Filler modules = fill.below("kernel-modules");
    modules.texts("load", image.kernel_modules.load);
    modules.texts("block", image.kernel_modules.block);
    fill.table("kernel-modules", std::move(modules).take());
    Filler locale = fill.below("locale");
    locale.text("lang", image.locale.lang);
    locale.text("keymap", image.locale.keymap);
    locale.text("timezone", image.locale.timezone);
    fill.table("locale", std::move(locale).take());
    Filler selinux = fill.below("selinux");
    selinux.text("mode", image.selinux.mode);
    selinux.text("policy", image.selinux.policy);
    fill.table("selinux", std::move(selinux).take());
}

void add_disk(Filler& fill, const Image& image) {
    fill.texts("kernel-command-line", image.kernel_command_line);
    fill.text("filesystem", image.filesystem);
    fill.integer("size", static_cast<std::int64_t>(image.size_bytes));
    fill.integer("esp-size", static_cast<std::int64_t>(image.esp_bytes));
    fill.flag("esp-single-uki", image.esp_single_uki);
    fill.text("bootloader", image.bootloader);
    fill.text("integrity", image.integrity);
    fill.text("update-url", image.update_url);
    fill.flag("secure-boot", image.secure_boot);
    fill.texts("initrd-modules", image.initrd_modules);
    std::vector<Node> partitions;
    for (const ImagePartition& partition : image.partitions) {
        partitions.push_back(partition_node(partition));
    }
    fill.tables("partitions", std::move(partitions));
}

void add_container(Filler& fill, const Image& image) {
    const ImageContainer& container = image.container;
    Filler node = fill.below("container");
    node.texts("entrypoint", container.entrypoint);
    node.texts("command", container.command);
    node.texts("ports", container.ports);
    node.texts("volumes", container.volumes);
    node.text_map("environment", container.environment);
    node.text_map("labels", container.labels);
    node.text_map("annotations", container.annotations);
    node.text("user", container.user);
    node.text("working-dir", container.working_dir);
    node.text("stop-signal", container.stop_signal);
    node.text("compression", container.compression);
    node.integer("max-layers", container.max_layers);
    fill.table("container", std::move(node).take());
    Filler wsl = fill.below("wsl");
    wsl.text("name", image.wsl.name);
    wsl.text("friendly-name", image.wsl.friendly_name);
    wsl.text("icon", image.wsl.icon);
    wsl.text("terminal-profile", image.wsl.terminal_profile);
    wsl.text("oobe-command", image.wsl.oobe_command);
    wsl.text("base-url", image.wsl.base_url);
    wsl.integer("default-uid", image.wsl.default_uid);
    fill.table("wsl", std::move(wsl).take());
}

void add_assertions(Filler& fill, const Image& image) {
    Filler node = fill.below("assert");
    node.texts("without", image.assertions.without);
    node.texts("no-packages", image.assertions.packages);
    node.texts("no-files", image.assertions.files);
    node.integer("max-content", static_cast<std::int64_t>(image.assertions.max_content));
    node.integer("max-artifact", static_cast<std::int64_t>(image.assertions.max_artifact));
    node.integer("max-packages", image.assertions.max_packages);
    fill.table("assert", std::move(node).take());
}

}  // namespace

Node image_node(Filler fill, const Image& image) {
    fill.text("description", image.description);
    fill.text("kind", image.kind);
    fill.text("architecture", image.architecture);
    fill.text("version", image.version);
    fill.texts("packages", image.packages);
    fill.texts("package-groups", image.package_groups);
    fill.texts("exclude-packages", image.exclude_packages);
    fill.flag("weak-dependencies", image.weak_dependencies);
    add_disk(fill, image);
    fill.texts("formats", image.formats);
    add_system(fill, image);
    add_container(fill, image);
    add_assertions(fill, image);
    fill.text("boot-install", image.boot_install);
    fill.text_map("version-floors", image.version_floors);
    add_definition(fill, image);
    std::vector<Node> files;
    for (const ImageFile& file : image.files) {
        files.push_back(file_node(file));
    }
    fill.tables("files", std::move(files));
    fill.tables("verify-exceptions", reason_nodes("path", image.verify_exceptions, image.where));
    return std::move(fill).take();
}

}  // namespace tarn::declaration
