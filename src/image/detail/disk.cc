// SPDX-License-Identifier: MIT
#include "image/detail/disk.hh"

#include "base/strings.hh"
#include "image/detail/esp.hh"
#include "image/detail/filesystem.hh"
#include "image/detail/immutable.hh"
#include "image/detail/layout.hh"
#include "image/detail/qcow2.hh"
#include "image/detail/sparse.hh"
#include "image/detail/uki.hh"
#include "image/detail/update.hh"
#include "image/detail/vhd.hh"
#include "verity/verity.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace tarn::image {
namespace {

constexpr std::string_view kDefaultUpdates = "file:///var/lib/tarn/update";

struct DiskInput {
    const ComposeRequest* request = nullptr;
    const Image* image = nullptr;
    const SystemTree* system = nullptr;
    std::string architecture;
    BootFacts facts{};
    Layout layout{};
    std::string directory;
    std::string seed;
    std::int64_t time = 0;
};

struct DiskFile {
    int fd = -1;
    std::string path;
    SparseHash* sums = nullptr;
};

std::string architecture_of(const Image& image) {
    return image.architecture.empty() ? "x86_64" : image.architecture;
}

bool is_verified(const Image& image) {
    return image.integrity == "verity";
}

std::string filesystem_of(const Image& image) {
    if (!image.filesystem.empty()) {
        return image.filesystem;
    }
    return is_verified(image) ? "erofs" : "ext4";
}

Result<SystemVersion> version_of(const ComposeRequest& request) {
    return system_version(*request.image, request.project->default_distro.version);
}

// Two versions are kept with systemd-boot alone.
Result<Bootloader> bootloader_of(const Image& image) {
    if (image.bootloader == "uki") {
        return Bootloader::kNone;
    }
    if (image.bootloader.empty() && is_verified(image)) {
        return Bootloader::kSystemdBoot;
    }
    return parse_bootloader(image.bootloader);
}

Result<void> check_integrity(const Image& image) {
    if (!image.integrity.empty() && image.integrity != "none" && !is_verified(image)) {
        return fail(error(ErrorKind::kUsage,
                          "the image `{}` asks for the integrity `{}`",
                          image.name,
                          image.integrity)
                        .advise("`verity` is the one there is"));
    }
    if (is_verified(image) && filesystem_of(image) != "erofs") {
        return fail(error(ErrorKind::kUsage,
                          "the image `{}`: a verified root cannot be {}",
                          image.name,
                          image.filesystem)
                        .advise("leave `filesystem` out, or set it to \"erofs\""));
    }
    return {};
}

// Early and in words, rather than from mke2fs when it is half done.
Result<void> check_size(const DiskInput& disk) {
    const std::uint64_t room = disk.layout.find(PartitionRole::kRoot)->gpt.size;
    const std::uint64_t content = disk.system->tree.content_bytes();
    if (disk.facts.filesystem == "ext4" && content > room) {
        return fail(error(ErrorKind::kNoSpace,
                          "the image `{}` has {} of files, its root partition {}",
                          disk.image->name,
                          human_size(content),
                          human_size(room))
                        .advise("raise `size` of the image"));
    }
    return {};
}

// ---- the ESP ----------------------------------------------------------------------------------

Result<std::string> unsigned_uki(const Store& store, const DiskInput& input) {
    UkiSource source;
    source.image = input.image;
    source.system = &input.system->tree;
    source.tools = &input.request->tools;
    source.kernel = *input.system->kernel;
    source.command_line =
        TARN_TRY(kernel_command_line(store, *input.image, input.system->tree, input.facts));
    source.architecture = input.architecture;
    source.time = input.time;
    return compose_uki(store, source);
}

Result<EspInput> esp_input(const Store& store, const DiskInput& input) {
    EspInput esp;
    if (input.image->secure_boot && input.request->boot_signer == nullptr) {
        return fail(ErrorKind::kUsage,
                    "the image `{}` wants `secure-boot`, and nothing signs its boot programs",
                    input.image->name);
    }
    esp.signer = input.image->secure_boot ? input.request->boot_signer : nullptr;
    esp.architecture = input.architecture;
    esp.bootloader = TARN_TRY(bootloader_of(*input.image));
    esp.uki = TARN_TRY(unsigned_uki(store, input));
    if (esp.bootloader == Bootloader::kSystemdBoot) {
        const EfiNames names = TARN_TRY(efi_names(input.architecture));
        const Digest loader = TARN_TRY(find_boot_file(
            input.system->tree, input.request->tools, names.loader, "systemd-boot-unsigned"));
        esp.loader = TARN_TRY(store.read(loader));
        esp.entry = TARN_TRY(version_of(*input.request)).entry();
        // A key held down brings the menu; its lines cannot be edited.
        esp.loader_settings = {"timeout 0", "editor no"};
    }
    return esp;
}

// What lies on the ESP; with systemd-boot, the UKI among it is named by `uki_path`.
struct EspContent {
    std::vector<EspFile> files;
    std::string uki_path;
};

Result<EspContent> write_esp_partition(const Store& store,
                                       const DiskInput& input,
                                       const DiskFile& disk,
                                       Reporter& reporter) {
    const EspInput esp = TARN_TRY(esp_input(store, input));
    EspContent out;
    out.files = TARN_TRY(make_esp_files(esp));
    out.uki_path = uki_path(esp);
    const Partition& place = input.layout.find(PartitionRole::kEsp)->gpt;
    TARN_TRY(check_esp(input.image->name,
                       out.files,
                       place.size,
                       input.image->esp_single_uki ? EspRule::kSingleUki : EspRule::kTwoUkis,
                       reporter));
    TARN_TRY(write_esp(
        out.files,
        {place.offset, place.size, Guid::derive(input.seed, "esp").low32(), input.time},
        [&](std::uint64_t offset, std::string_view bytes) {
            return pwrite_all(disk.fd, bytes, place.offset + offset, disk.path);
        }));
    return out;
}

// ---- the root ---------------------------------------------------------------------------------

FilesystemInput filesystem_input(const Store& store, const DiskInput& input, const DiskFile& disk) {
    FilesystemInput out;
    out.store = &store;
    out.tools = &input.request->tools;
    out.disk = disk.path;
    out.scratch = input.directory;
    out.time = input.time;
    out.stop = input.request->stop;
    return out;
}

// Returns how many bytes of its partition the file system takes.
Result<std::uint64_t> write_root(const Store& store, const DiskInput& input, const DiskFile& disk) {
    const Partition& root = input.layout.find(PartitionRole::kRoot)->gpt;
    FilesystemInput filesystem = filesystem_input(store, input, disk);
    filesystem.tree = &input.system->tree;
    filesystem.type = input.facts.filesystem;
    filesystem.offset = root.offset;
    filesystem.size = root.size;
    filesystem.seed = input.seed;
    filesystem.label = "root";
    return write_filesystem(filesystem);
}

// The other partitions a declaration wants a file system in.
Result<void> write_empty_filesystems(const Store& store,
                                     const DiskInput& input,
                                     const DiskFile& disk) {
    const Tree empty;
    for (const PlannedPartition& partition : input.layout.partitions) {
        if (partition.filesystem.empty()) {
            continue;
        }
        FilesystemInput filesystem = filesystem_input(store, input, disk);
        filesystem.tree = &empty;
        filesystem.type = partition.filesystem;
        filesystem.offset = partition.gpt.offset;
        filesystem.size = partition.gpt.size;
        // A seed of its own: no two file systems of a disk have one UUID.
        filesystem.seed = input.seed + "\n" + partition.gpt.id.to_string();
        filesystem.label = partition.gpt.label.substr(0, 15);
        TARN_TRY(write_filesystem(filesystem));
    }
    return {};
}

Guid guid_of(const verity::Uuid& uuid) {
    return Guid{uuid};
}

// Hashes the root, writes the tree behind it, and names both partitions by the root hash.
Result<std::uint64_t> write_hash_tree(DiskInput& input,
                                      const DiskFile& disk,
                                      std::uint64_t root_bytes) {
    Partition& root = input.layout.find(PartitionRole::kRoot)->gpt;
    Partition& tree = input.layout.find(PartitionRole::kRootVerity)->gpt;
    verity::Parameters parameters;
    parameters.uuid = Guid::derive(input.seed, "verity").bytes;
    const Sha256Sum salt = sha256("tarn-verity-salt\n" + input.seed);
    parameters.salt.assign(salt.begin(), salt.end());
    const verity::HashTree made =
        TARN_TRY(verity::make_tree({disk.fd, root.offset, root_bytes, disk.path},
                                   parameters,
                                   input.request->jobs,
                                   input.request->stop));
    TARN_TRY(pwrite_all(disk.fd, made.bytes, tree.offset, disk.path));
    const std::string entry = TARN_TRY(version_of(*input.request)).entry();
    root.id = guid_of(verity::data_partition(made.root));
    root.label = entry;
    tree.id = guid_of(verity::hash_partition(made.root));
    tree.label = entry + "_verity";
    input.facts.root_hash = verity::root_text(made.root);
    return made.bytes.size();
}

// ---- the disk ---------------------------------------------------------------------------------

Result<void> write_gpt(const DiskInput& input, const DiskFile& disk) {
    const GptBytes gpt = TARN_TRY(make_gpt(input.layout.table()));
    TARN_TRY(pwrite_all(disk.fd, gpt.head, 0, disk.path));
    return pwrite_all(disk.fd, gpt.tail, input.layout.size - gpt.tail.size(), disk.path);
}

// How far the disk is final once its ESP is: up to the next partition behind it.
std::uint64_t end_of_esp(const Layout& layout) {
    const Partition& esp = layout.find(PartitionRole::kEsp)->gpt;
    const bool first = std::ranges::none_of(layout.partitions, [&](const PlannedPartition& other) {
        return other.gpt.offset < esp.offset;
    });
    return first ? esp.offset + esp.size : 0;
}

// The root and the ESP are written side by side: they touch different bytes. So does hashing what
// comes first on the disk.
Result<void> write_plain(const Store& store,
                         const DiskInput& input,
                         const DiskFile& disk,
                         StageLog& stages) {
    TARN_TRY(write_gpt(input, disk));
    Result<EspContent> esp;
    Result<void> hashed;
    Result<std::uint64_t> root;
    {
        const std::jthread thread([&] {
            esp = stages.time("initrd, UKI, ESP", [&] {
                return write_esp_partition(store, input, disk, stages.reporter());
            });
            if (esp) {
                hashed = disk.sums->advance(end_of_esp(input.layout));
            }
        });
        root = stages.time("root file system", [&] { return write_root(store, input, disk); });
    }
    TARN_TRY(std::move(root));
    TARN_TRY(std::move(esp));
    return hashed;
}

// The UKI names the root hash, so it comes after the root. What an update needs is written aside.
Result<Artifacts> write_verified(const Store& store,
                                 DiskInput& input,
                                 const DiskFile& disk,
                                 StageLog& stages) {
    const std::uint64_t root_bytes = TARN_TRY(
        stages.time("root file system", [&] { return write_root(store, input, disk); }));
    const std::uint64_t tree_bytes = TARN_TRY(
        stages.time("hash tree", [&] { return write_hash_tree(input, disk, root_bytes); }));
    const EspContent esp = TARN_TRY(stages.time("initrd, UKI, ESP", [&] {
        return write_esp_partition(store, input, disk, stages.reporter());
    }));
    if (input.request->signer == nullptr) {
        return Artifacts{};
    }
    const auto uki = std::ranges::find(esp.files, esp.uki_path, &EspFile::path);
    if (uki == esp.files.end()) {
        return Artifacts{};  // no boot loader that could choose between two versions
    }
    const Partition& root = input.layout.find(PartitionRole::kRoot)->gpt;
    const Partition& tree = input.layout.find(PartitionRole::kRootVerity)->gpt;
    UpdateInput update;
    update.system = TARN_TRY(version_of(*input.request));
    update.disk = disk.fd;
    update.path = disk.path;
    update.root = {root.offset, root_bytes, root.id};
    update.hash_tree = {tree.offset, tree_bytes, tree.id};
    update.uki = uki->bytes;
    update.signer = input.request->signer;
    update.directory = input.directory;
    update.name = input.image->name + ".update";
    update.time = input.time;
    update.stop = input.request->stop;
    return stages.time("update", [&] { return write_update(update); });
}

Result<Artifacts> write_raw(const Store& store,
                            DiskInput& input,
                            const DiskFile& disk,
                            StageLog& stages) {
    if (ftruncate(disk.fd, static_cast<off_t>(input.layout.size)) != 0) {
        return fail(sys_error("write", disk.path));
    }
    Artifacts out;
    if (is_verified(*input.image)) {
        out = TARN_TRY(write_verified(store, input, disk, stages));
        TARN_TRY(write_gpt(input, disk));
    } else {
        TARN_TRY(write_plain(store, input, disk, stages));
    }
    TARN_TRY(write_empty_filesystems(store, input, disk));
    return out;
}

Result<void> write_vhd(const DiskInput& input,
                       int raw,
                       const std::string& path,
                       const std::string& footer) {
    const Fd vhd = TARN_TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL, 0644));
    TARN_TRY(copy_sparse(raw, vhd.get(), input.layout.size, path));
    TARN_TRY(pwrite_all(vhd.get(), footer, input.layout.size, path));
    start_writing(vhd.get());
    return {};
}

// The raw disk and the formats made of it.
Result<Artifacts> write_formats(const DiskInput& input, const DiskFile& raw, StageLog& stages) {
    const std::string base = join_path(input.directory, input.image->name);
    const std::vector<std::string> formats = formats_of(*input.image);
    const auto wanted = [&](std::string_view format) {
        return std::ranges::find(formats, format) != formats.end();
    };
    const std::string footer =
        TARN_TRY(make_vhd_footer(input.layout.size, input.time, Guid::derive(input.seed, "vhd")));
    Result<void> copied;
    Result<std::string> qcow2;
    Result<FileSums> sums;
    {
        // Copying moves bytes, hashing computes: each has a core of its own.
        const std::jthread thread([&] {
            if (wanted("vhd")) {
                copied = stages.time(
                    "vhd", [&] { return write_vhd(input, raw.fd, base + ".vhd", footer); });
            }
            if (wanted("qcow2")) {
                qcow2 = stages.time("qcow2", [&] {
                    return write_qcow2(raw.fd,
                                       input.layout.size,
                                       base + ".qcow2",
                                       {Qcow2Compression::kNone, 1, input.request->stop});
                });
            }
        });
        sums = stages.time("checksums", [&] {
            return raw.sums->finish(input.layout.size, footer);
        });
    }
    TARN_TRY(std::move(copied));
    const FileSums done = TARN_TRY(std::move(sums));
    Artifacts out = {{input.image->name + ".raw", done.sha256}};
    if (wanted("qcow2")) {
        out.emplace_back(input.image->name + ".qcow2", TARN_TRY(std::move(qcow2)));
    }
    if (wanted("vhd")) {
        out.emplace_back(input.image->name + ".vhd", done.sha256_extended);
    }
    return out;
}

}  // namespace

Result<BootFacts> plan_disk_image(const ComposeRequest& request, const std::string& seed) {
    const Image& image = *request.image;
    TARN_TRY(check_integrity(image));
    const Layout layout = TARN_TRY(plan_layout(image, architecture_of(image), seed));
    BootFacts out;
    out.root_partition = layout.find(PartitionRole::kRoot)->gpt.id;
    out.esp_partition = layout.find(PartitionRole::kEsp)->gpt.id;
    out.filesystem = filesystem_of(image);
    out.verified = is_verified(image);
    if (out.verified) {
        const SystemVersion system = TARN_TRY(version_of(request));
        out.image_id = system.id;
        out.image_version = system.version;
        out.files = repart_definitions(layout);
        const TextFiles transfers = sysupdate_transfers(
            system, image.update_url.empty() ? std::string(kDefaultUpdates) : image.update_url);
        out.files.insert(out.files.end(), transfers.begin(), transfers.end());
        if (request.signer != nullptr) {
            out.update_keyring = TARN_TRY(dearmor(request.signer->public_key_armored()));
        }
    }
    return out;
}

Result<Artifacts> write_disk_image(const Store& store,
                                   const Composition& composition,
                                   StageLog& stages) {
    DiskInput input;
    input.request = composition.request;
    input.image = composition.request->image;
    input.system = composition.system;
    input.architecture = architecture_of(*input.image);
    input.facts = composition.facts;
    input.layout = TARN_TRY(plan_layout(*input.image, input.architecture, composition.seed));
    input.directory = composition.directory;
    input.seed = composition.seed;
    input.time = composition.time;
    TARN_TRY(check_size(input));

    const std::string path = join_path(input.directory, input.image->name) + ".raw";
    const Fd raw = TARN_TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL, 0644));
    SparseHash sums(raw.get(), path, input.request->stop);
    const DiskFile disk{raw.get(), path, &sums};
    Artifacts out = TARN_TRY(write_raw(store, input, disk, stages));
    const Artifacts formats = TARN_TRY(write_formats(input, disk, stages));
    out.insert(out.end(), formats.begin(), formats.end());
    std::ranges::sort(out);
    return out;
}

}  // namespace tarn::image
