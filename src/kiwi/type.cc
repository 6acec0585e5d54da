// SPDX-License-Identifier: MIT
// <preferences> and the <type> in it.
#include "base/strings.hh"
#include "kiwi/detail/reading.hh"

#include <algorithm>

namespace tarn::kiwi {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

// A value the image's own declaration gives wins.
void give(std::string& into, const std::string& value) {
    if (into.empty()) {
        into = value;
    }
}

bool any_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

// What kiwi writes, as kind and format of an image here.
struct Target {
    std::string_view type, kind, format;
};
constexpr Target kTargets[] = {{"oem", "disk", ""},
                               {"docker", "container", "docker-archive"},
                               {"oci", "container", "oci"},
                               {"wsl", "wsl", "wsl"}};
struct Format {
    std::string_view name, format;
};
constexpr Format kFormats[] = {
    {"", "raw"}, {"vhd-fixed", "vhd"}, {"qcow2", "qcow2"}, {"raw", "raw"}};

void read_format(Reading& reading, const Element& type) {
    const std::string& name = type.attribute("format");
    const auto found = std::ranges::find(kFormats, name, &Format::name);
    if (found == std::end(kFormats)) {
        reading.refuse(type, fmt::format("format=\"{}\": disks are written as raw, qcow2 or "
                                         "vhd-fixed", name));
        return;
    }
    if (reading.image.formats.empty()) {
        reading.image.formats.emplace_back(found->format);
    }
    const std::string& options = type.attribute("formatoptions");
    if (!options.empty() && options != "force_size") {
        reading.refuse(type, fmt::format("formatoptions=\"{}\" is not supported", options));
    }
}

void read_disk(Reading& reading, const Element& type) {
    read_format(reading, type);
    const std::string& filesystem = type.attribute("filesystem");
    if (any_of(filesystem, {"ext4", ""})) {
        give(reading.image.filesystem, "ext4");
    } else {
        reading.refuse(type, fmt::format("filesystem=\"{}\": a root is ext4 or, read-only, erofs",
                                         filesystem));
    }
    const std::string& firmware = type.attribute("firmware");
    if (!any_of(firmware, {"efi", "uefi", "hyper-v-gen2", ""})) {
        reading.refuse(type, fmt::format("firmware=\"{}\": disks boot on UEFI alone", firmware));
    }
    if (const auto size = parse_u64(type.attribute("efipartsize"))) {
        reading.image.esp_bytes = reading.image.esp_bytes == 0 ? *size * kMiB
                                                               : reading.image.esp_bytes;
    }
    if (reading.image.kernel_command_line.empty()) {
        for (const std::string_view word : split_words(type.attribute("kernelcmdline"))) {
            reading.image.kernel_command_line.emplace_back(word);
        }
    }
    for (const std::string key : {"overlayroot", "luks", "btrfs_root_is_snapshot", "mdraid"}) {
        if (!type.attribute(key).empty() && type.attribute(key) != "false") {
            reading.refuse(type, fmt::format("{}=\"{}\" is not supported", key,
                                             type.attribute(key)));
        }
    }
}

void read_size(Reading& reading, const Element& size) {
    const auto number = parse_u64(size.text);
    const std::string& unit = size.attribute("unit");
    if (!number || *number == 0 || *number > (1ULL << 24) || !any_of(unit, {"M", "G", ""})) {
        reading.refuse(size, fmt::format("<size> `{} {}` is no size", size.text, unit));
        return;
    }
    if (size.flag("additive")) {
        reading.refuse(size, "an additive size: name the size of the disk");
        return;
    }
    const std::uint64_t bytes = *number * (unit == "G" ? 1024 : 1) * kMiB;
    reading.image.size_bytes = reading.image.size_bytes == 0 ? bytes : reading.image.size_bytes;
}

void read_bootloader(Reading& reading, const Element& bootloader) {
    const std::string& name = bootloader.attribute("name");
    if (name == "systemd_boot") {
        give(reading.image.bootloader, "systemd-boot");
    } else {
        reading.note(bootloader,
                     fmt::format("{} is not used: the firmware starts a unified kernel image",
                                 name));
    }
}

void read_type_children(Reading& reading, const Element& type) {
    for (const Element& child : type.children) {
        if (!reading.applies(child)) {
            continue;
        }
        if (child.name == "size") {
            read_size(reading, child);
        } else if (child.name == "containerconfig") {
            read_container(reading, child);
        } else if (child.name == "bootloader") {
            read_bootloader(reading, child);
        } else if (child.name == "oemconfig" || child.name == "machine") {
            reading.note(child, fmt::format("<{}> has no meaning: the disk is written as it boots",
                                            child.name));
        } else {
            reading.unknown(type, child);
        }
    }
}

const Element* chosen_type(const Reading& reading, const Element& image) {
    const Element* chosen = nullptr;
    for (const Element& part : image.children) {
        if (part.name != "preferences" || !reading.applies(part)) {
            continue;
        }
        for (const Element& type : part.children) {
            if (type.name == "type" && reading.applies(type) &&
                (chosen == nullptr || type.flag("primary"))) {
                chosen = &type;
            }
        }
    }
    return chosen;
}

void read_preference(Reading& reading, const Element& parent, const Element& child) {
    static constexpr std::string_view kNoMeaning[] = {
        "packagemanager",     "rpm-check-signatures", "rpm-excludedocs", "bootsplash-theme",
        "bootloader-theme",   "release-version",      "rpm-locale-filtering"};
    Image& image = reading.image;
    if (child.name == "type" || std::ranges::find(kNoMeaning, child.name) != std::end(kNoMeaning)) {
        return;
    }
    if (child.name == "version") {
        give(image.version, child.text);
    } else if (child.name == "locale") {
        const std::string first(split(child.text, ',').front());
        give(image.locale.lang, first.find('.') == std::string::npos ? first + ".UTF-8" : first);
    } else if (child.name == "keytable") {
        give(image.locale.keymap, child.text);
    } else if (child.name == "timezone") {
        give(image.locale.timezone, child.text);
    } else {
        reading.unknown(parent, child);
    }
}

std::vector<std::string> arguments_of(const Element& command) {
    std::vector<std::string> out;
    if (const std::string& program = command.attribute("execute"); !program.empty()) {
        out.push_back(program);
    }
    for (const Element& argument : command.children) {
        out.push_back(argument.attribute("name"));
    }
    return out;
}

}  // namespace

void read_preferences(Reading& reading, const Element& image) {
    for (const Element& part : image.children) {
        if (part.name == "preferences" && reading.applies(part)) {
            for (const Element& child : part.children) {
                read_preference(reading, part, child);
            }
        }
    }
    give(reading.image.description, image.attribute("displayname"));
    if (const Element* type = chosen_type(reading, image)) {
        read_type(reading, *type);
    } else {
        reading.refuse(image, "no <type> is left for this profile and architecture");
    }
}

void read_type(Reading& reading, const Element& type) {
    const std::string& name = type.attribute("image");
    const auto target = std::ranges::find(kTargets, name, &Target::type);
    if (target == std::end(kTargets)) {
        reading.refuse(type, fmt::format("image=\"{}\": images are oem, docker, oci and wsl", name));
        return;
    }
    give(reading.image.kind, std::string(target->kind));
    if (target->format.empty()) {
        read_disk(reading, type);
    } else if (reading.image.formats.empty()) {
        reading.image.formats.emplace_back(target->format);
    }
    read_type_children(reading, type);
}

void read_container(Reading& reading, const Element& config) {
    ImageContainer& container = reading.image.container;
    give(container.user, config.attribute("user"));
    give(container.working_dir, config.attribute("workingdir"));
    if (!config.attribute("maintainer").empty()) {
        container.annotations.emplace("org.opencontainers.image.authors",
                                      config.attribute("maintainer"));
    }
    for (const Element& child : config.children) {
        if (child.name == "entrypoint" && container.entrypoint.empty()) {
            container.entrypoint = arguments_of(child);
        } else if (child.name == "subcommand" && container.command.empty()) {
            container.command = arguments_of(child);
        } else if (child.name == "stopsignal") {
            give(container.stop_signal, child.text);
        } else if (child.name == "expose") {
            for (const Element& port : child.children) {
                container.ports.push_back(port.attribute("number"));
            }
        } else if (child.name == "volumes") {
            for (const Element& volume : child.children) {
                container.volumes.push_back(volume.attribute("name"));
            }
        } else if (child.name == "environment" || child.name == "labels") {
            auto& entries =
                child.name == "labels" ? container.labels : container.environment;
            for (const Element& entry : child.children) {
                entries.emplace(entry.attribute("name"), entry.attribute("value"));
            }
        } else if (child.name != "entrypoint" && child.name != "subcommand" &&
                   child.name != "history") {
            reading.unknown(config, child);
        }
    }
}

}  // namespace tarn::kiwi
