// SPDX-License-Identifier: MIT
#include "image/detail/wsl.hh"

#include "base/compress.hh"
#include "base/fs.hh"
#include "base/hash.hh"
#include "image/wsl_rules.hh"
#include "oci/oci.hh"

#include <nlohmann/json.hpp>

namespace tarn::image {
namespace {

constexpr int kGzipLevel = 6;
constexpr std::int64_t kUserId = 1000;
// Disabling is not enough: most of them are started by links their packages bring.
constexpr const char* kMasked[] = {"systemd-resolved.service",
                                   "systemd-networkd.service",
                                   "systemd-networkd.socket",
                                   "NetworkManager.service",
                                   "systemd-tmpfiles-setup.service",
                                   "systemd-tmpfiles-clean.service",
                                   "systemd-tmpfiles-clean.timer",
                                   "systemd-tmpfiles-setup-dev-early.service",
                                   "systemd-tmpfiles-setup-dev.service",
                                   "tmp.mount"};
constexpr const char* kMaskedOfUsers[] = {"systemd-tmpfiles-setup.service",
                                          "systemd-tmpfiles-clean.service",
                                          "systemd-tmpfiles-clean.timer"};

bool has_systemd(const Tree& tree) {
    return tree.find("usr/lib/systemd/systemd") != nullptr;
}

std::string or_else(const std::string& said, std::string fallback) {
    return said.empty() ? std::move(fallback) : said;
}

std::string flavor_of(const Composition& composition) {
    return composition.request->project->name;
}

std::string distribution_conf(const Image& image) {
    const ImageWsl& wsl = image.wsl;
    std::string out = "# Written when the image was composed.\n[oobe]\n";
    if (!wsl.oobe_command.empty()) {
        out += fmt::format("command = {}\ndefaultUid = {}\n",
                           wsl.oobe_command,
                           wsl.default_uid > 0 ? wsl.default_uid : kUserId);
    }
    out += fmt::format("defaultName = {}\n", or_else(wsl.name, image.name));
    if (!wsl.icon.empty()) {
        out += fmt::format("\n[shortcut]\nenabled = true\nicon = {}\n", wsl.icon);
    }
    if (!wsl.terminal_profile.empty()) {
        out += fmt::format("\n[windowsterminal]\nenabled = true\nprofileTemplate = {}\n",
                           wsl.terminal_profile);
    }
    return out;
}

bool declares(const Image& image, std::string_view path) {
    for (const ImageFile& file : image.files) {
        if (file.path == path) {
            return true;
        }
    }
    return false;
}

Result<std::string> make_tar(const Store& store, const Composition& composition) {
    std::string out;
    TARN_TRY(oci::write_tar(store,
                            composition.system->tree,
                            {composition.time},
                            [&](std::string_view bytes) -> Result<void> {
                                out.append(bytes);
                                return {};
                            }));
    return out;
}

Result<void> check(const Image& image, std::string_view tar, Reporter& reporter) {
    Error problem =
        error(ErrorKind::kFailed, "the image `{}` is no WSL distribution yet", image.name);
    for (const WslFinding& finding : TARN_TRY(check_wsl_tar(tar, image.name + ".wsl"))) {
        if (finding.rule->level == WslLevel::kMust) {
            problem.notes.push_back(finding.to_string());
        } else {
            reporter.warn(finding.to_string());
        }
    }
    if (problem.notes.empty()) {
        return {};
    }
    problem.help.emplace_back(
        "change packages, `files` or `wsl` of the image; the rules are in docs/formats/wsl.md");
    return fail(std::move(problem));
}

Result<std::string> write_gzip(const Composition& composition,
                               const std::string& name,
                               std::string_view tar) {
    AtomicFile file = TARN_TRY(AtomicFile::create(join_path(composition.directory, name)));
    Hasher hasher;
    GzipWriter writer(kGzipLevel, composition.request->jobs, [&](std::string_view bytes) {
        hasher.update(bytes);
        return file.write(bytes);
    });
    TARN_TRY(writer.write(tar));
    TARN_TRY(writer.finish());
    TARN_TRY(file.commit());
    return hasher.finish_hex();
}

// {"ModernDistributions": {flavor: [entry]}}: what DistributionListUrl wants.
std::string list_entry(const Composition& composition, const std::string& sum) {
    const Image& image = *composition.request->image;
    const std::string file = image.name + ".wsl";
    nlohmann::ordered_json entry;
    entry["Name"] = or_else(image.wsl.name, image.name);
    entry["FriendlyName"] =
        or_else(image.wsl.friendly_name, or_else(image.description, image.name));
    entry["Default"] = true;
    const bool arm = image.architecture == "aarch64";
    entry[arm ? "Arm64Url" : "Amd64Url"] = {
        {"Url", image.wsl.base_url.empty() ? file : join_path(image.wsl.base_url, file)},
        {"Sha256", "0x" + sum}};
    nlohmann::ordered_json out;
    out["ModernDistributions"][flavor_of(composition)] = nlohmann::ordered_json::array({entry});
    return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<void> add_wsl_configuration(const Image& image, const Tree& tree, Overlay& overlay) {
    if (!declares(image, "/etc/wsl-distribution.conf")) {
        TARN_TRY(overlay.file("etc/wsl-distribution.conf", distribution_conf(image)));
    }
    if (!declares(image, "/etc/wsl.conf")) {
        TARN_TRY(
            overlay.file("etc/wsl.conf", fmt::format("[boot]\nsystemd={}\n", has_systemd(tree))));
    }
    if (has_systemd(tree)) {
        TARN_TRY(overlay.file("etc/machine-id", "uninitialized\n", 0444));
        for (const char* unit : kMasked) {
            overlay.symlink(std::string("etc/systemd/system/") + unit, "/dev/null");
        }
        for (const char* unit : kMaskedOfUsers) {
            overlay.symlink(std::string("etc/systemd/user/") + unit, "/dev/null");
        }
    }
    if (tree.find("etc/default/locale") == nullptr && !declares(image, "/etc/default/locale")) {
        overlay.symlink("etc/default/locale", "../locale.conf");
    }
    return {};
}

Result<Artifacts> write_wsl_image(const Store& store,
                                  const Composition& composition,
                                  StageLog& stages) {
    const Image& image = *composition.request->image;
    const std::string tar =
        TARN_TRY(stages.time("tar", [&] { return make_tar(store, composition); }));
    TARN_TRY(stages.time("rules", [&] { return check(image, tar, stages.reporter()); }));
    const std::string name = image.name + ".wsl";
    const std::string sum =
        TARN_TRY(stages.time("gzip", [&] { return write_gzip(composition, name, tar); }));
    const std::string entry = list_entry(composition, sum);
    const std::string entry_name = image.name + ".distribution.json";
    TARN_TRY(write_file_atomic(join_path(composition.directory, entry_name), entry));
    return Artifacts{{entry_name, sha256_hex(entry)}, {name, sum}};
}

}  // namespace tarn::image
