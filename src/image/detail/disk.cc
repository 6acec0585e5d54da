// SPDX-License-Identifier: MIT
#include "image/detail/disk.hh"

#include "base/strings.hh"
#include "image/detail/fat.hh"
#include "image/detail/filesystem.hh"
#include "image/detail/initrd.hh"
#include "image/detail/sparse.hh"
#include "image/detail/uki.hh"
#include "image/detail/vhd.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace tarn::image {
namespace {

constexpr std::string_view kStub = "usr/lib/systemd/boot/efi/linuxx64.efi.stub";
constexpr std::string_view kInit = "usr/lib/tarn/initrd/init";

struct NeededFile {
    std::string_view path, package;
};

// A file that may come with the image's packages or with the tools.
Result<Digest> find_file(const DiskInput& input, const NeededFile& file) {
    for (const Tree* tree : {&input.system->tree, input.tools}) {
        const TreeEntry* entry = tree->find(file.path);
        if (entry != nullptr && entry->kind == EntryKind::kFile) {
            return entry->content;
        }
    }
    return fail(
        error(ErrorKind::kNotFound, "neither the image nor the tools tree has /{}", file.path)
            .advise(fmt::format("add `{}` to tools-packages", file.package)));
}

Result<std::string> compose_uki(const Store& store, const DiskInput& input) {
    const Tree& tree = input.system->tree;
    InitrdInput initrd;
    initrd.root = &tree;
    initrd.init = TARN_TRY(find_file(input, {kInit, "tarn-initrd"}));
    initrd.kernel_version = input.system->kernel.version;
    initrd.modules = input.image->initrd_modules;
    const std::string release = TARN_TRY(read_tree_file(store, tree, "etc/os-release"));
    initrd.release = release;
    initrd.time = input.time;
    const Initrd made = TARN_TRY(make_initrd(store, initrd));
    const Digest stub_file = TARN_TRY(find_file(input, {kStub, "systemd-boot-efi"}));
    const MemoryMap stub = TARN_TRY(store.map(stub_file));
    const MemoryMap kernel = TARN_TRY(store.map(input.system->kernel.image));
    return make_uki({stub.bytes(),
                     kernel.bytes(),
                     made.bytes,
                     release,
                     TARN_TRY(kernel_command_line(store, *input.image, tree, input.facts)),
                     initrd.kernel_version});
}

Result<void> write_esp(const Store& store,
                       const DiskInput& input,
                       int disk,
                       const std::string& path,
                       Reporter& reporter) {
    const std::string uki = TARN_TRY(compose_uki(store, input));
    const Partition& esp = input.layout.partitions.at(0);
    if (uki.size() * 5 / 2 > esp.size) {
        reporter.warn(
            fmt::format("the ESP of {} has no room for a second UKI of {}: an update of the "
                        "kernel will not fit; raise `esp-size`",
                        human_size(esp.size),
                        human_size(uki.size())));
    }
    FatOptions options;
    options.size = esp.size;
    options.hidden_sectors = esp.offset / kSector;
    options.volume_id = Guid::derive(input.seed, "esp").low32();
    options.time = input.time;
    return write_fat32(options,
                       {{"EFI/BOOT/BOOTX64.EFI", uki}},
                       [&](std::uint64_t offset, std::string_view bytes) {
                           return pwrite_all(disk, bytes, esp.offset + offset, path);
                       });
}

Result<void> write_root(const Store& store, const DiskInput& input, const std::string& path) {
    const Partition& root = input.layout.partitions.at(1);
    FilesystemInput filesystem;
    filesystem.store = &store;
    filesystem.tree = &input.system->tree;
    filesystem.tools = input.tools;
    filesystem.type = input.facts.filesystem;
    filesystem.disk = path;
    filesystem.offset = root.offset;
    filesystem.size = root.size;
    filesystem.scratch = input.directory;
    filesystem.seed = input.seed;
    filesystem.label = "root";
    filesystem.time = input.time;
    filesystem.stop = input.stop;
    return write_filesystem(filesystem);
}

// The two partitions are written side by side: they touch different bytes.
Result<void> write_raw(const Store& store,
                       const DiskInput& input,
                       int disk,
                       const std::string& path,
                       StageLog& stages) {
    if (ftruncate(disk, static_cast<off_t>(input.layout.size)) != 0) {
        return fail(sys_error("write", path));
    }
    Result<void> esp;
    Result<void> root;
    {
        const std::jthread thread([&] {
            esp = stages.time("initrd, UKI, ESP", [&] {
                return write_esp(store, input, disk, path, stages.reporter());
            });
        });
        root = stages.time("root file system", [&] { return write_root(store, input, path); });
    }
    TARN_TRY(std::move(root));
    TARN_TRY(std::move(esp));
    const GptBytes gpt = TARN_TRY(make_gpt(input.layout));
    TARN_TRY(pwrite_all(disk, gpt.head, 0, path));
    return pwrite_all(disk, gpt.tail, input.layout.size - gpt.tail.size(), path);
}

Result<void> write_vhd(const DiskInput& input,
                       int raw,
                       const std::string& path,
                       const std::string& footer) {
    const Fd vhd = TARN_TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL, 0644));
    TARN_TRY(copy_sparse(raw, vhd.get(), input.layout.size, path));
    return pwrite_all(vhd.get(), footer, input.layout.size, path);
}

}  // namespace

Result<Artifacts> write_disks(const Store& store, const DiskInput& input, StageLog& stages) {
    const std::string base = join_path(input.directory, input.image->name);
    const std::string raw = base + ".raw";
    const Fd disk = TARN_TRY(open_file(raw, O_RDWR | O_CREAT | O_EXCL, 0644));
    TARN_TRY(write_raw(store, input, disk.get(), raw, stages));

    const bool with_vhd =
        std::ranges::find(input.image->formats, "vhd") != input.image->formats.end();
    const std::string footer =
        TARN_TRY(make_vhd_footer(input.layout.size, input.time, Guid::derive(input.seed, "vhd")));
    Result<void> copied;
    Result<FileSums> sums;
    {
        // Copying moves bytes, hashing computes: each has a core of its own.
        const std::jthread thread([&] {
            if (with_vhd) {
                copied = stages.time(
                    "vhd", [&] { return write_vhd(input, disk.get(), base + ".vhd", footer); });
            }
        });
        sums = stages.time("checksums", [&] {
            return hash_sparse(disk.get(), input.layout.size, footer, raw, input.stop);
        });
    }
    TARN_TRY(std::move(copied));
    const FileSums done = TARN_TRY(std::move(sums));
    Artifacts out = {{input.image->name + ".raw", done.sha256}};
    if (with_vhd) {
        out.emplace_back(input.image->name + ".vhd", done.sha256_extended);
    }
    return out;
}

}  // namespace tarn::image
