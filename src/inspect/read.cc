// SPDX-License-Identifier: MIT
// Which format a file is of, and from there to a Tree.
#include "base/compress.hh"
#include "base/fs.hh"
#include "inspect/detail/disk.hh"
#include "inspect/detail/erofs.hh"
#include "inspect/detail/ext4.hh"
#include "inspect/detail/fat.hh"
#include "inspect/detail/uki.hh"
#include "inspect/inspect.hh"
#include "oci/oci.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace tarn::inspect {
namespace {

constexpr std::string_view kEspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
// "root" of the Discoverable Partitions Specification: x86-64, AArch64.
constexpr std::string_view kRootTypes[] = {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
                                           "b921b045-1df0-41c3-af44-4c6f280d3fae"};

class DiskReader {
  public:
    DiskReader(const Store& store, const ReadOptions& options, Artifact& out)
        : store_(store), options_(options), out_(out) {}
    Result<void> read(const Region& disk);

  private:
    Result<void> read_boot(const Region& disk, const Partition& esp);
    Result<Tree> read_root(const Region& disk, const Partition& root);

    const Store& store_;
    const ReadOptions& options_;
    Artifact& out_;
};

bool is_root(const Partition& partition) {
    return std::ranges::find(kRootTypes, partition.type) != std::end(kRootTypes);
}

Result<void> DiskReader::read_boot(const Region& disk, const Partition& esp) {
    const Region region =
        TARN_TRY(disk.part(esp.offset, esp.size, disk.name() + ": partition " + esp.label));
    for (const FatFile& file : TARN_TRY(read_fat(region, options_.limits))) {
        out_.boot_files.push_back({file.path, file.bytes.size(), Digest::of(file.bytes).hex()});
        if (auto uki = read_uki(file.path, file.bytes)) {
            out_.ukis.push_back(std::move(*uki));
        }
    }
    return {};
}

Result<Tree> DiskReader::read_root(const Region& disk, const Partition& root) {
    out_.root_filesystem = root.filesystem;
    if (root.filesystem == "ext4") {
        return read_ext4(store_, out_.path, root.offset, options_);
    }
    if (root.filesystem == "erofs") {
        const Region region =
            TARN_TRY(disk.part(root.offset, root.size, disk.name() + ": partition " + root.label));
        return read_erofs(store_, region, options_);
    }
    return fail(error(ErrorKind::kUsage,
                      "{}: the root partition has no file system that is read",
                      disk.name())
                    .advise("ext4 and EROFS are"));
}

Result<void> DiskReader::read(const Region& disk) {
    auto partitions = TARN_TRY(read_gpt(disk));
    if (!partitions) {
        return fail(error(ErrorKind::kUsage, "{}: no format that is read", disk.name())
                        .advise("raw disks with GPT, fixed VHDs, OCI layouts, docker-archives and "
                                "tar archives are"));
    }
    const Partition* root = nullptr;
    for (Partition& partition : *partitions) {
        const Region region =
            TARN_TRY(disk.part(partition.offset, partition.size, partition.label));
        partition.filesystem = detect_filesystem(region);
        // Of two slots the first holds a system as it is shipped.
        if (root == nullptr && is_root(partition) && !partition.filesystem.empty()) {
            root = &partition;
        }
    }
    out_.partitions = *partitions;
    for (const Partition& partition : out_.partitions) {
        if (partition.type == kEspType && partition.filesystem == "vfat") {
            TARN_TRY(read_boot(disk, partition));
        }
    }
    if (root == nullptr) {
        return fail(ErrorKind::kUsage, "{}: it has no root partition", disk.name());
    }
    out_.tree = TARN_TRY(read_root(disk, *root));
    return {};
}

// ---- archives -----------------------------------------------------------------------------------

bool is_layout(std::string_view tar, const std::string& name) {
    oci::TarReader reader(tar, name);
    oci::TarMember member;
    for (int i = 0; i < 4096; ++i) {
        const auto more = reader.next(member);
        if (!more || !*more) {
            return false;
        }
        if (member.path == "oci-layout" || member.path == "manifest.json") {
            return true;
        }
    }
    return false;
}

bool is_tar(std::string_view bytes) {
    return bytes.size() >= 512 && bytes.substr(257, 5) == "ustar";
}

Result<void> read_image_layout(const Store& store, const ReadOptions& options, Artifact& out) {
    oci::ReadOptions read;
    read.tag = options.tag;
    read.architecture = options.architecture;
    read.stop = options.stop;
    oci::OpenedImage image = TARN_TRY(oci::read_image(store, out.path, read));
    out.tree = std::move(image.tree);
    return {};
}

Result<void> read_tar(const Store& store,
                      std::string_view tar,
                      const ReadOptions& options,
                      Artifact& out) {
    oci::TarLimits limits;
    limits.content_bytes = options.limits.content_bytes;
    limits.members = options.limits.entries;
    oci::LayerStack stack([&](std::string_view bytes) { return store.put(bytes); }, limits);
    TARN_TRY(stack.apply(tar, out.path));
    out.tree = TARN_TRY(stack.tree());
    return {};
}

Result<bool> read_archive(const Store& store, const ReadOptions& options, Artifact& out) {
    const MemoryMap map = TARN_TRY(MemoryMap::open(out.path));
    const Compression kind = detect_compression(map.bytes().substr(0, 16));
    std::string unpacked;
    std::string_view bytes = map.bytes();
    if (kind != Compression::kNone) {
        unpacked = TARN_TRY(decompress(bytes, kind, options.limits.content_bytes));
        bytes = unpacked;
    }
    if (!is_tar(bytes)) {
        return false;
    }
    out.format = "tar";
    if (kind == Compression::kNone && is_layout(bytes, out.path)) {
        out.format = "docker-archive";
        TARN_TRY(read_image_layout(store, options, out));
        return true;
    }
    TARN_TRY(read_tar(store, bytes, options, out));
    return true;
}

Result<void> read_disk_file(const Store& store, const ReadOptions& options, Artifact& out) {
    const Fd fd = TARN_TRY(open_file(out.path, O_RDONLY));
    const off_t end = lseek(fd.get(), 0, SEEK_END);
    if (end < 0) {
        return fail(sys_error("read", out.path));
    }
    out.file_bytes = static_cast<std::uint64_t>(end);
    const Region file(fd.get(), 0, out.file_bytes, out.path);
    const auto inner = TARN_TRY(vhd_disk_size(file));
    out.format = inner ? "vhd" : "raw";
    const Region disk = TARN_TRY(file.part(0, inner.value_or(out.file_bytes), out.path));
    return DiskReader(store, options, out).read(disk);
}

// UKIs in a tree, as bootc and kernel packages have them, are not looked into: their bytes are not
// kept. Those in an ESP are.
Result<void> read_any(const Store& store, const ReadOptions& options, Artifact& out) {
    if (is_directory(out.path)) {
        if (!path_exists(join_path(out.path, "oci-layout"))) {
            return fail(error(ErrorKind::kUsage, "{} is a directory, but no OCI layout", out.path)
                            .advise("an image of the project goes by its name"));
        }
        out.format = "oci";
        return read_image_layout(store, options, out);
    }
    std::string head;
    {
        const Fd fd = TARN_TRY(open_file(out.path, O_RDONLY));
        const off_t end = lseek(fd.get(), 0, SEEK_END);
        out.file_bytes = end < 0 ? 0 : static_cast<std::uint64_t>(end);
        head = TARN_TRY(
            pread_exact(fd.get(), 0, std::min<std::size_t>(out.file_bytes, 1024), out.path));
    }
    if (head.starts_with("QFI\xfb")) {
        return fail(error(ErrorKind::kUsage, "{}: qcow2 is not read", out.path)
                        .advise("qemu-img convert -O raw makes a raw disk of it"));
    }
    if (is_tar(head) || detect_compression(head) != Compression::kNone) {
        if (TARN_TRY(read_archive(store, options, out))) {
            return {};
        }
    }
    return read_disk_file(store, options, out);
}

}  // namespace

Result<Artifact> read_artifact(const Store& store,
                               const std::string& path,
                               const ReadOptions& options) {
    Artifact out;
    out.path = path;
    TARN_TRY(read_any(store, options, out));
    return out;
}

}  // namespace tarn::inspect
