// SPDX-License-Identifier: MIT
#include "image/detail/key.hh"

#include "base/fs.hh"
#include "efi/signer.hh"

namespace tarn::image {
namespace {

// Raise it when the same inputs give other bytes.
constexpr int kComposeVersion = 2;

using Texts = std::vector<std::string>;

Texts flattened(const std::map<std::string, std::string>& entries) {
    Texts out;
    for (const auto& [name, value] : entries) {
        out.push_back(name);
        out.push_back(value);
    }
    return out;
}

void add_disk(KeyBuilder& key, const Image& image) {
    key.field("filesystem", image.filesystem).field("bootloader", image.bootloader);
    key.field("size", fmt::format("{}", image.size_bytes));
    key.field("esp", fmt::format("{}", image.esp_bytes));
    key.field("integrity", image.integrity).field("update-url", image.update_url);
    key.field("secure-boot", image.secure_boot ? "yes" : "no");
    for (const ImagePartition& partition : image.partitions) {
        key.field("partition",
                  Texts{partition.type,
                        partition.label,
                        partition.filesystem,
                        fmt::format("{}", partition.size),
                        fmt::format("{}", partition.min_size),
                        partition.grow ? "grow" : ""});
    }
    key.field("command-line", image.kernel_command_line);
    key.field("initrd-modules", image.initrd_modules);
}

void add_system(KeyBuilder& key, const Image& image) {
    key.field("hostname", image.hostname).field("machine-id", image.machine_id);
    for (const auto& [name, user] : image.users) {
        key.field("user",
                  Texts{name,
                        user.uid ? fmt::format("{}", *user.uid) : "",
                        user.group,
                        user.comment,
                        user.home,
                        user.shell,
                        user.password_hash});
        key.field("groups", user.groups).field("ssh-keys", user.ssh_keys);
    }
    key.field("enable", image.services.enable).field("disable", image.services.disable);
    key.field("mask", image.services.mask).field("sysctl", flattened(image.sysctl));
    key.field("load", image.kernel_modules.load).field("block", image.kernel_modules.block);
    key.field("locale", Texts{image.locale.lang, image.locale.keymap, image.locale.timezone});
    key.field("selinux", Texts{image.selinux.mode, image.selinux.policy});
}

void add_container(KeyBuilder& key, const Image& image) {
    const ImageContainer& container = image.container;
    key.field("entrypoint", container.entrypoint).field("command", container.command);
    key.field("ports", container.ports).field("volumes", container.volumes);
    key.field("environment", flattened(container.environment));
    key.field("labels", flattened(container.labels));
    key.field("annotations", flattened(container.annotations));
    key.field("container",
              Texts{container.user,
                    container.working_dir,
                    container.stop_signal,
                    container.compression,
                    fmt::format("{}", container.max_layers)});
    key.field("wsl",
              Texts{image.wsl.name,
                    image.wsl.friendly_name,
                    image.wsl.icon,
                    image.wsl.terminal_profile,
                    image.wsl.oobe_command,
                    image.wsl.base_url,
                    fmt::format("{}", image.wsl.default_uid)});
}

}  // namespace

Result<KeyBuilder> content_key(const Project& project,
                               const Image& image,
                               const std::vector<ResolvedPackage>& packages) {
    KeyBuilder key("image", kComposeVersion);
    key.field("name", image.name).field("kind", image.kind_or_disk());
    key.field("version", image.version).field("architecture", image.architecture);
    key.field("description", image.description);
    key.field("time", fmt::format("{}", project.source_date_epoch));
    add_disk(key, image);
    add_system(key, image);
    add_container(key, image);
    for (const ImageFile& file : image.files) {
        const std::string content =
            file.source.empty() ? file.content : TARN_TRY(read_file(file.source));
        key.field("file", Texts{file.path, file.mode, file.user, file.group});
        key.field("content", Digest::of(content));
    }
    for (const ResolvedPackage& package : packages) {
        key.field("package", package.item->rpm);
    }
    return key;
}

void add_surroundings(KeyBuilder& key,
                      const ComposeRequest& request,
                      const Digest& tools,
                      const std::vector<ResolvedPackage>& packages) {
    key.field("tools", tools).field("formats", request.image->formats);
    // Not part of the content: what is signed elsewhere must not change when its signature comes.
    if (request.image->secure_boot && request.boot_signer != nullptr) {
        key.field("boot-signer", request.boot_signer->identity());
    }
    key.field("distro", request.project->name);
    key.field("version", request.project->default_distro.version);
    key.field("repository", file_name(request.repository->path));
    key.field("provenance", request.signer == nullptr ? "" : request.signer->info().fingerprint);
    if (request.lock) {
        key.field("lock", *request.lock);
    }
    for (const KeyInfo& signer : request.keyring->keys()) {
        key.field("signer", signer.fingerprint);
    }
    for (const ResolvedPackage& package : packages) {
        key.field("reason", package.reason);
        const auto origin = request.origins.find(file_name(package.item->location));
        if (origin != request.origins.end()) {
            key.field("origin", Texts{origin->second.kind, origin->second.text});
            for (const auto& [name, fact] : origin->second.facts) {
                key.field("fact", Texts{name, fact});
            }
        }
    }
}

}  // namespace tarn::image
