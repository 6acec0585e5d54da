// SPDX-License-Identifier: MIT
#include "image/detail/layout.hh"

#include "base/strings.hh"
#include "image/detail/bytes.hh"
#include "verity/verity.hh"

#include <algorithm>
#include <array>

namespace tarn::image {
namespace {

constexpr std::uint64_t kDefaultSize = 2048 * kMiB;
constexpr std::uint64_t kDefaultEsp = 128 * kMiB;
constexpr std::uint64_t kDefaultSlot = 1024 * kMiB;  // a verified root
constexpr std::uint64_t kRootMinimum = 32 * kMiB;
constexpr std::uint64_t kSignatureSize = kMiB;  // the partition's; its content has 4 KiB
constexpr std::size_t kMaxLabel = 36;

struct KnownType {
    std::string_view name;
    PartitionRole role;
    std::string_view x86_64;
    std::string_view aarch64;  // empty: the same
};

// Discoverable Partitions Specification.
constexpr std::array kKnownTypes = {
    KnownType{"esp", PartitionRole::kEsp, kTypeEsp, ""},
    KnownType{"xbootldr", PartitionRole::kXbootldr, "bc13c2ff-59e6-4262-a352-b275fd6f7172", ""},
    KnownType{"root",
              PartitionRole::kRoot,
              kTypeRootX86_64,
              "b921b045-1df0-41c3-af44-4c6f280d3fae"},
    KnownType{"root-verity",
              PartitionRole::kRootVerity,
              "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
              "df3300ce-d69f-4c92-978c-9bfb0f38d820"},
    KnownType{"root-verity-sig",
              PartitionRole::kRootVeritySig,
              "41092b05-9fc8-4523-994f-2def0408b176",
              "6db69de6-29f4-4758-a7a5-962190f00ce3"},
    KnownType{"var", PartitionRole::kVar, "4d21b016-b534-45c2-a9fb-5c16e091fd2d", ""},
    KnownType{"home", PartitionRole::kHome, "933ac7e1-2eb4-4f13-b844-0e14e2aef915", ""},
    KnownType{"srv", PartitionRole::kSrv, "3b8f8425-20e0-4f3b-907f-1a25a76f98e8", ""},
    KnownType{"swap", PartitionRole::kSwap, "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", ""},
    KnownType{"generic", PartitionRole::kGeneric, "0fc63daf-8483-4772-8e79-3d69d8477de4", ""},
};

bool is_verified(const Image& image) {
    return image.integrity == "verity";
}

std::string named(const ImagePartition& partition) {
    return partition.label.empty() || partition.label == partition.type
               ? fmt::format("`{}`", partition.type)
               : fmt::format("`{}` ({})", partition.label, partition.type);
}

// As sizes of partitions are declared.
std::string in_mib(std::uint64_t bytes) {
    return fmt::format("{} MiB", (bytes + kMiB - 1) / kMiB);
}

std::uint64_t whole_mib(std::uint64_t bytes) {
    return align_up(bytes, kMiB);
}

ImagePartition plain(std::string type, std::uint64_t size, bool grow) {
    ImagePartition out;
    out.type = std::move(type);
    out.size = size;
    out.grow = grow;
    return out;
}

std::vector<ImagePartition> default_partitions(const Image& image) {
    const std::uint64_t esp = image.esp_bytes == 0 ? kDefaultEsp : image.esp_bytes;
    if (is_verified(image)) {
        // The second slot and /var are made on the machine, on its first boot.
        return {plain("esp", esp, false),
                plain("root", kDefaultSlot, false),
                plain("root-verity", 0, false)};
    }
    return {plain("esp", esp, false), plain("root", 0, true)};
}

Error refuse(const Image& image, std::string what, std::string help) {
    return error(ErrorKind::kUsage, "the image `{}`: {}", image.name, what)
        .advise(std::move(help));
}

Result<void> check_label(const Image& image, const ImagePartition& partition) {
    const std::string& label = partition.label;
    const bool plain_text =
        std::ranges::all_of(label, [](char c) { return c >= 0x20 && c < 0x7f; });
    if (!plain_text || label.size() > kMaxLabel || label.starts_with("PRT#") ||
        label.starts_with("PND#")) {
        return fail(refuse(image,
                           fmt::format("`{}` is no label for a partition", label),
                           "labels are ASCII, at most 36 characters; PRT# and PND# in front mark "
                           "updates that are half done"));
    }
    return {};
}

Result<void> check_filesystem(const Image& image, const ImagePartition& partition) {
    if (partition.filesystem.empty() || partition.filesystem == "ext4") {
        return {};
    }
    // That of the root is the image's own.
    if (partition.type == "root" && partition.filesystem == image.filesystem) {
        return {};
    }
    return fail(refuse(image,
                       fmt::format("the partition {} asks for the file system `{}`",
                                   named(partition),
                                   partition.filesystem),
                       "partitions beside the root are `ext4` or have none; the root's is "
                       "`filesystem` of the image"));
}

Result<PartitionType> type_of(const Image& image,
                              const ImagePartition& partition,
                              std::string_view architecture) {
    if (const auto known = partition_type(partition.type, architecture)) {
        return *known;
    }
    std::vector<std::string> names;
    for (const KnownType& each : kKnownTypes) {
        names.emplace_back(each.name);
    }
    std::string help = did_you_mean(partition.type, names);
    return fail(refuse(image,
                       fmt::format("`{}` is no type of a partition", partition.type),
                       help.empty() ? "types are " + join(names, ", ") : std::move(help)));
}

// How many of each role a disk can have.
Result<void> check_roles(const Image& image, const Layout& layout) {
    const auto count = [&](PartitionRole role, bool empty) {
        return std::ranges::count_if(layout.partitions, [&](const PlannedPartition& partition) {
            return partition.role == role && partition.empty_slot == empty;
        });
    };
    for (const PartitionRole role : {PartitionRole::kEsp, PartitionRole::kRoot}) {
        if (count(role, false) != 1) {
            return fail(refuse(image,
                               fmt::format("the disk needs one partition of the type `{}`, not {}",
                                           role_name(role),
                                           count(role, false)),
                               "declare it among `partitions`, or leave `partitions` out"));
        }
    }
    if (count(PartitionRole::kRootVerity, false) > (is_verified(image) ? 1 : 0)) {
        return fail(refuse(image,
                           "a partition of the type `root-verity` has no use here",
                           "it belongs to `integrity = \"verity\"`, once for each root"));
    }
    if (count(PartitionRole::kRootVeritySig, false) > 0) {
        return fail(refuse(image,
                           "a partition of the type `root-verity-sig` would stay empty",
                           "leave it out: the root hash is signed with the UKI, which names it"));
    }
    if (is_verified(image) && count(PartitionRole::kRootVerity, false) == 0) {
        return fail(refuse(image,
                           "a verified root needs a partition of the type `root-verity`",
                           "declare it without a size: it follows from the root's"));
    }
    return {};
}

// Sizes that follow from others: hash trees from the root in front of them.
Result<std::uint64_t> size_of(const Image& image,
                              const ImagePartition& partition,
                              PartitionRole role,
                              std::uint64_t root_size) {
    const std::uint64_t wanted = std::max(partition.size, partition.min_size);
    if (wanted % kMiB != 0) {
        return fail(refuse(image,
                           fmt::format("the partition {} has {} bytes, which is no whole MiB",
                                       named(partition),
                                       wanted),
                           "write sizes with the suffix MiB or GiB"));
    }
    if (role == PartitionRole::kRootVerity) {
        const std::uint64_t needed = whole_mib(verity::hash_bytes(root_size));
        if (wanted != 0 && wanted < needed) {
            return fail(refuse(image,
                               fmt::format("the partition {} has {}, a root of {} needs {}",
                                           named(partition),
                                           in_mib(wanted),
                                           in_mib(root_size),
                                           in_mib(needed)),
                               "leave its size out"));
        }
        return std::max(wanted, needed);
    }
    if (role == PartitionRole::kRootVeritySig && wanted == 0) {
        return kSignatureSize;
    }
    if (role == PartitionRole::kEsp && wanted == 0) {
        return image.esp_bytes == 0 ? kDefaultEsp : image.esp_bytes;
    }
    if (wanted == 0 && !partition.grow) {
        return fail(refuse(image,
                           fmt::format("the partition {} has no size", named(partition)),
                           "give it `size`, or `grow = true` when it takes what is left"));
    }
    return wanted == 0 && role == PartitionRole::kRoot ? kRootMinimum : wanted;
}

std::uint64_t attributes_of(const Image& image,
                            const ImagePartition& partition,
                            PartitionRole role) {
    std::uint64_t out = partition.grow ? kAttributeGrow : 0;
    const bool verified = role == PartitionRole::kRoot || role == PartitionRole::kRootVerity ||
                          role == PartitionRole::kRootVeritySig;
    if (is_verified(image) && verified) {
        out = kAttributeReadOnly;
    }
    return out;
}

// All but the place and the size.
PlannedPartition planned(const Image& image,
                         const ImagePartition& partition,
                         const PartitionType& type,
                         std::size_t index,
                         const std::string& seed) {
    PlannedPartition out;
    out.role = type.role;
    out.filesystem = type.role == PartitionRole::kRoot ? "" : partition.filesystem;
    out.empty_slot = partition.label == kEmptySlot;
    out.gpt.type = type.id;
    out.gpt.label = partition.label.empty() ? std::string(role_name(type.role)) : partition.label;
    // The first ones keep the names they had when there were no others.
    const bool first = type.role == PartitionRole::kEsp ||
                       (type.role == PartitionRole::kRoot && !out.empty_slot);
    out.gpt.id = Guid::derive(
        seed,
        first ? fmt::format("partition {}", role_name(type.role))
              : fmt::format("partition {} {}", index, role_name(type.role)));
    out.gpt.attributes = attributes_of(image, partition, type.role);
    return out;
}

// Offsets in order; the one that grows takes what is left.
Result<void> place(const Image& image,
                   const std::vector<ImagePartition>& declared,
                   Layout& layout) {
    std::uint64_t taken = 0;
    for (const PlannedPartition& partition : layout.partitions) {
        taken += partition.gpt.size;
    }
    // The first and the last MiB belong to the partition tables.
    const std::uint64_t needed = taken + 2 * kMiB;
    if (needed > layout.size) {
        std::string parts;
        for (const PlannedPartition& partition : layout.partitions) {
            parts += fmt::format("{}{} {}",
                                 parts.empty() ? "" : ", ",
                                 partition.gpt.label,
                                 in_mib(partition.gpt.size));
        }
        return fail(error(ErrorKind::kUsage,
                          "the image `{}`: a disk of {} is too small by {}",
                          image.name,
                          in_mib(layout.size),
                          in_mib(needed - layout.size))
                        .note(fmt::format("its partitions take {}: {}", in_mib(taken), parts))
                        .advise(fmt::format("raise `size` of the image to {}", in_mib(needed))));
    }
    std::uint64_t left = layout.size - needed;
    std::uint64_t at = kMiB;
    for (std::size_t i = 0; i < declared.size(); ++i) {
        Partition& gpt = layout.partitions[i].gpt;
        if (declared[i].grow) {
            gpt.size += left;
            left = 0;
        }
        gpt.offset = at;
        at += gpt.size;
    }
    return {};
}

Result<void> check_size(const Image& image, std::uint64_t size, std::uint64_t esp) {
    if (size % kMiB != 0 || esp % kMiB != 0) {
        return fail(refuse(image,
                           fmt::format("disk and ESP sizes must be whole MiB, not {} and {} bytes",
                                       size,
                                       esp),
                           "write sizes with the suffix MiB or GiB in the image's declaration"));
    }
    return {};
}

Result<void> check_grow(const Image& image, const std::vector<ImagePartition>& declared) {
    if (std::ranges::count_if(declared, &ImagePartition::grow) > 1) {
        return fail(refuse(image,
                           "several partitions grow",
                           "only one can take what is left of a disk"));
    }
    const auto grown = std::ranges::find_if(declared, [&](const ImagePartition& partition) {
        return partition.grow && is_verified(image) && partition.type.starts_with("root");
    });
    if (grown != declared.end()) {
        return fail(refuse(image,
                           fmt::format("the partition {} is verified and cannot grow",
                                       named(*grown)),
                           "give it a size; /var is what grows"));
    }
    return {};
}

}  // namespace

std::string_view role_name(PartitionRole role) {
    const auto known = std::ranges::find(kKnownTypes, role, &KnownType::role);
    return known->name;
}

std::optional<PartitionType> partition_type(std::string_view name, std::string_view architecture) {
    const auto known = std::ranges::find(kKnownTypes, name, &KnownType::name);
    if (known == kKnownTypes.end()) {
        return std::nullopt;
    }
    const bool arm = architecture == "aarch64" && !known->aarch64.empty();
    return PartitionType{known->role, *Guid::parse(arm ? known->aarch64 : known->x86_64)};
}

const PlannedPartition* Layout::find(PartitionRole role) const {
    const auto found = std::ranges::find_if(partitions, [&](const PlannedPartition& partition) {
        return partition.role == role && !partition.empty_slot;
    });
    return found == partitions.end() ? nullptr : &*found;
}

PlannedPartition* Layout::find(PartitionRole role) {
    const Layout& self = *this;
    return const_cast<PlannedPartition*>(self.find(role));
}

DiskLayout Layout::table() const {
    DiskLayout out;
    out.size = size;
    out.id = id;
    for (const PlannedPartition& partition : partitions) {
        out.partitions.push_back(partition.gpt);
    }
    return out;
}

Result<Layout> plan_layout(const Image& image,
                           std::string_view architecture,
                           const std::string& seed) {
    Layout out;
    out.size = image.size_bytes == 0 ? kDefaultSize : image.size_bytes;
    out.id = Guid::derive(seed, "disk");
    TARN_TRY(check_size(image, out.size, image.esp_bytes));
    const std::vector<ImagePartition> declared =
        image.partitions.empty() ? default_partitions(image) : image.partitions;
    TARN_TRY(check_grow(image, declared));
    const auto root = std::ranges::find(declared, "root", &ImagePartition::type);
    const std::uint64_t root_size =
        root == declared.end() ? 0 : std::max({root->size, root->min_size, kRootMinimum});
    for (std::size_t i = 0; i < declared.size(); ++i) {
        const ImagePartition& partition = declared[i];
        const PartitionType type = TARN_TRY(type_of(image, partition, architecture));
        TARN_TRY(check_label(image, partition));
        TARN_TRY(check_filesystem(image, partition));
        PlannedPartition made = planned(image, partition, type, i, seed);
        made.gpt.size = TARN_TRY(size_of(image, partition, type.role, root_size));
        out.partitions.push_back(std::move(made));
    }
    TARN_TRY(check_roles(image, out));
    TARN_TRY(place(image, declared, out));
    return out;
}

}  // namespace tarn::image
