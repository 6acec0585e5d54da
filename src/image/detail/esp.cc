// SPDX-License-Identifier: MIT
#include "image/detail/esp.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "image/detail/gpt.hh"

#include <algorithm>

namespace tarn::image {
namespace {

constexpr std::uint64_t kLargeUki = 30'000'000;

bool is_program(std::string_view path) {
    return to_lower(path).ends_with(".efi");
}

// Boot counting reads "+<left>" and "-<done>" off the end of the name; "_" parts id and version.
Result<void> check_entry(std::string_view entry) {
    const bool plain = std::ranges::all_of(entry, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               contains("._-~^", {&c, 1});
    });
    const std::size_t separator = entry.find('_');
    if (!plain || entry.size() > 128 || separator == std::string_view::npos || separator == 0 ||
        separator + 1 == entry.size()) {
        return fail(error(ErrorKind::kUsage, "`{}` is no name for a boot entry", entry)
                        .advise("it is <id>_<version>: letters, digits, `.`, `-`, `~` and `^`"));
    }
    return {};
}

std::string loader_configuration(const EspInput& input) {
    std::string out;
    for (const std::string& line : input.loader_settings) {
        out += line + "\n";
    }
    return out;
}

}  // namespace

Result<Bootloader> parse_bootloader(std::string_view name) {
    if (name.empty() || name == "uki") {
        return Bootloader::kNone;
    }
    if (name == "systemd-boot") {
        return Bootloader::kSystemdBoot;
    }
    Error problem = error(ErrorKind::kUsage, "there is no boot loader `{}`", name);
    std::string help = did_you_mean(name, {"uki", "systemd-boot"});
    problem.help.push_back(help.empty() ? "boot loaders are `uki` and `systemd-boot`"
                                        : std::move(help));
    return fail(std::move(problem));
}

Result<EfiNames> efi_names(std::string_view architecture) {
    std::string suffix;
    if (architecture == "x86_64") {
        suffix = "x64";
    } else if (architecture == "aarch64") {
        suffix = "aa64";
    } else {
        return fail(error(ErrorKind::kUsage, "no UEFI names for `{}`", architecture)
                        .advise("architectures are `x86_64` and `aarch64`"));
    }
    const std::string directory = "usr/lib/systemd/boot/efi/";
    EfiNames out;
    out.boot = suffix == "x64" ? "BOOTX64.EFI" : "BOOTAA64.EFI";
    out.stub = directory + "linux" + suffix + ".efi.stub";
    out.addon_stub = directory + "addon" + suffix + ".efi.stub";
    out.loader_name = "systemd-boot" + suffix + ".efi";
    out.loader = directory + out.loader_name;
    out.command_line_limit = 2048;  // of both
    return out;
}

std::string uki_path(const EspInput& input) {
    if (input.tries == 0) {
        return fmt::format("EFI/Linux/{}.efi", input.entry);
    }
    return fmt::format("EFI/Linux/{}+{}.efi", input.entry, input.tries);
}

Result<std::vector<EspFile>> make_esp_files(const EspInput& input) {
    const EfiNames names = TARN_TRY(efi_names(input.architecture));
    std::vector<EspFile> out = input.more;
    const std::string fallback = "EFI/BOOT/" + names.boot;
    if (input.bootloader == Bootloader::kNone) {
        out.push_back({fallback, input.uki});
    } else {
        TARN_TRY(check_entry(input.entry));
        out.push_back({fallback, input.loader});
        out.push_back({uki_path(input), input.uki});
        out.push_back({"loader/loader.conf", loader_configuration(input)});
        // Where bootctl and the loader's own updates look for the installed loader.
        out.push_back({"loader/entries.srel", "type1\n"});
    }
    std::ranges::sort(out, {}, &EspFile::path);
    if (input.signer != nullptr) {
        for (EspFile& file : out) {
            if (is_program(file.path)) {
                file.bytes = TARN_TRY(input.signer->sign(file.path, file.bytes));
            }
        }
    }
    if (input.bootloader == Bootloader::kSystemdBoot) {
        // The same program, signed once.
        const auto loader = std::ranges::find(out, fallback, &EspFile::path);
        EspFile installed{"EFI/systemd/" + names.loader_name, loader->bytes};
        out.insert(std::ranges::lower_bound(out, installed.path, {}, &EspFile::path),
                   std::move(installed));
    }
    return out;
}

Result<void> check_esp(std::string_view image,
                       const std::vector<EspFile>& files,
                       std::uint64_t size,
                       EspRule rule,
                       Reporter& reporter) {
    std::uint64_t all = 0;
    const EspFile* uki = nullptr;
    for (const EspFile& file : files) {
        all += file.bytes.size();
        if (is_program(file.path) && (uki == nullptr || file.bytes.size() > uki->bytes.size())) {
            uki = &file;
        }
    }
    if (uki == nullptr) {
        return {};
    }
    const std::uint64_t one = uki->bytes.size();
    const std::uint64_t needed = all - one + one * 2 + one / 2;
    if (rule == EspRule::kTwoUkis && needed > size) {
        return fail(
            error(ErrorKind::kNoSpace,
                  "the ESP of the image `{}` has {}, but two UKIs of {} and a quarter more take {}",
                  image,
                  human_size(size),
                  human_size(one),
                  human_size(needed))
                .advise(fmt::format("raise `esp-size` to {} MiB, or set `esp-single-uki = true` "
                                    "when the image is never updated in place",
                                    (needed + kMiB - 1) / kMiB)));
    }
    if (one > kLargeUki) {
        reporter.warn(fmt::format("the UKI of the image `{}` has {}, more than the {} it should",
                                  image,
                                  human_size(one),
                                  human_size(kLargeUki)));
    }
    return {};
}

Result<void> check_command_line(std::string_view image,
                                std::string_view line,
                                std::string_view architecture) {
    const EfiNames names = TARN_TRY(efi_names(architecture));
    if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
        return fail(error(ErrorKind::kUsage,
                          "the kernel command line of the image `{}` holds a control character",
                          image)
                        .advise("one word a list entry of `kernel-command-line`, no line breaks"));
    }
    if (line.size() >= names.command_line_limit) {
        return fail(
            error(ErrorKind::kUsage,
                  "the kernel command line of the image `{}` has {} bytes; the kernel takes {}",
                  image,
                  line.size(),
                  names.command_line_limit - 1)
                .advise("shorten `kernel-command-line`, or the packages' kernel/cmdline.d"));
    }
    return {};
}

Result<void> write_esp(const std::vector<EspFile>& files,
                       const EspPlace& place,
                       const PieceSink& sink) {
    FatOptions options;
    options.size = place.size;
    options.hidden_sectors = place.offset / kSector;
    options.volume_id = place.volume_id;
    options.time = place.time;
    std::vector<FatFile> views;
    for (const EspFile& file : files) {
        views.push_back({file.path, file.bytes});
    }
    return write_fat32(options, views, sink);
}

Result<Digest> find_boot_file(const Tree& system,
                              const Tree& tools,
                              std::string_view path,
                              std::string_view package) {
    for (const Tree* tree : {&system, &tools}) {
        const TreeEntry* entry = tree->find(path);
        if (entry != nullptr && entry->kind == EntryKind::kFile) {
            return entry->content;
        }
    }
    return fail(error(ErrorKind::kNotFound, "neither the image nor the tools tree has /{}", path)
                    .advise(fmt::format("add `{}` to tools-packages", package)));
}

}  // namespace tarn::image
