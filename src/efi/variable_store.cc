// SPDX-License-Identifier: MIT
// A flash image: firmware volume header, a store of authenticated variables that is appended to,
// then the area that makes such writes survive a power cut, which an image without pending writes
// leaves blank.
#include "base/hash.hh"
#include "base/strings.hh"
#include "efi/detail/bytes.hh"
#include "efi/variables.hh"

#include <algorithm>
#include <ctime>

namespace tarn::efi {
namespace {

constexpr std::string_view kNvData = "fff12b8d-7696-4c8b-a985-2747075b4f50";
constexpr std::string_view kAuthenticatedStore = "aaf32c78-947b-439a-a180-2e144ec37792";
constexpr std::string_view kWorkingBlock = "9e58292b-7c68-497d-a0ce-6500fd9f1b95";

constexpr std::size_t kVolumeHeader = 0x48, kStoreHeader = 28, kVariableHeader = 60;
constexpr std::uint64_t kStartId = 0x55aa;
constexpr unsigned kAdded =
    0x3f;  // a byte of flash from which "header valid" and "added" are cleared
constexpr unsigned kInTransition = 0x3e;  // being replaced, but nothing took its place
constexpr char kErased = '\xff';

constexpr std::size_t kVariables = 0x40000;  // with the volume header

struct FlashLayout {
    std::size_t file, volume;
    std::size_t block;
    std::size_t working, working_size;  // then what is spare
    std::uint32_t attributes;           // of the volume
};
// With 4 MiB of flash: 0x40000 variables, 0x1000 event log, 0x1000, 0x42000 spare. Readable, writable,
// erases to 1, aligned to 16.
constexpr FlashLayout kOvmf = {0x84000, 0x84000, 0x1000, 0x41000, 0x1000, 0x0004feff};
// Three blocks at the beginning of 64 MiB.
constexpr FlashLayout kAavmf = {0x4000000, 0xc0000, 0x40000, 0x40000, 0x40000, 0x00000e36};

std::uint32_t crc32_of(std::string_view bytes) {
    std::uint32_t crc = 0xffffffffu;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
        }
    }
    return ~crc;
}

std::uint16_t sum16(std::string_view bytes) {
    std::uint16_t sum = 0;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        sum = static_cast<std::uint16_t>(sum + take_le(bytes, at, 2));
    }
    return sum;
}

struct Area {
    std::size_t begin = 0, end = 0;  // of the variables
};

Failure malformed(std::string_view what) {
    return fail(ErrorKind::kCorrupt, "not a usable variable store: {}", what);
}

Result<Area> find_area(std::string_view flash) {
    const std::uint64_t header = take_le(flash, 0x30, 2);
    if (flash.size() < kVolumeHeader + kStoreHeader || flash.substr(0x28, 4) != "_FVH" ||
        flash.substr(16, 16) != guid_bytes(kNvData) || header < kVolumeHeader || header % 2 != 0 ||
        header > flash.size() - kStoreHeader) {
        return malformed("no firmware volume of variables");
    }
    if (sum16(flash.substr(0, header)) != 0) {
        return malformed("the volume header's checksum is wrong");
    }
    if (flash.substr(header, 16) != guid_bytes(kAuthenticatedStore)) {
        return malformed("its variables are not authenticated ones");
    }
    const std::uint64_t size = take_le(flash, header + 16, 4);
    if (size < kStoreHeader || size > flash.size() - header ||
        take_le(flash, header + 20, 1) != 0x5a || take_le(flash, header + 21, 1) != 0xfe) {
        return malformed("the store is not formatted");
    }
    return Area{header + kStoreHeader, header + size};
}

std::string encode(const Variable& variable) {
    std::string out;
    append_le(out, kStartId, 2);
    append_le(out, kAdded, 1);
    append_le(out, 0, 1);
    append_le(out, variable.attributes, 4);
    append_le(out, 0, 8);  // monotonic count
    out += (variable.attributes & kTimeBasedAuth) != 0 ? efi_time(variable.time)
                                                       : std::string(16, '\0');
    append_le(out, 0, 4);  // index of a public key
    const std::string name = utf16(variable.name) + std::string(2, '\0');
    append_le(out, name.size(), 4);
    append_le(out, variable.data.size(), 4);
    out += guid_bytes(variable.vendor) + name + variable.data;
    out.resize(align_up(out.size(), 4), kErased);
    return out;
}

std::string guid_text(std::string_view raw) {
    std::string bytes(raw);
    std::reverse(bytes.begin(), bytes.begin() + 4);
    std::reverse(bytes.begin() + 4, bytes.begin() + 6);
    std::reverse(bytes.begin() + 6, bytes.begin() + 8);
    const std::string hex = to_hex(bytes);
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
}

std::int64_t seconds_of(std::string_view time) {
    std::tm parts{};
    parts.tm_year = static_cast<int>(take_le(time, 0, 2)) - 1900;
    parts.tm_mon = static_cast<int>(take_le(time, 2, 1)) - 1;
    parts.tm_mday = static_cast<int>(take_le(time, 3, 1));
    parts.tm_hour = static_cast<int>(take_le(time, 4, 1));
    parts.tm_min = static_cast<int>(take_le(time, 5, 1));
    parts.tm_sec = static_cast<int>(take_le(time, 6, 1));
    return take_le(time, 0, 2) == 0 ? 0 : static_cast<std::int64_t>(timegm(&parts));
}

// "?" for what is not ASCII: nothing that is written here.
std::string ascii(std::string_view utf16_text) {
    std::string out;
    for (std::size_t at = 0; at + 3 < utf16_text.size(); at += 2) {
        const std::uint64_t unit = take_le(utf16_text, at, 2);
        out.push_back(unit >= 0x20 && unit < 0x7f ? static_cast<char>(unit) : '?');
    }
    return out;
}

struct Stored {
    Variable variable;
    std::string_view bytes;  // with header and padding
};

Result<std::vector<Stored>> read_area(std::string_view flash, const Area& area) {
    std::vector<Stored> out;
    std::size_t at = area.begin;
    while (area.end - at >= kVariableHeader && take_le(flash, at, 2) == kStartId) {
        const std::uint64_t name = take_le(flash, at + 36, 4);
        const std::uint64_t data = take_le(flash, at + 40, 4);
        const std::uint64_t room = area.end - at - kVariableHeader;
        if (name > room || data > room - name) {
            return malformed("a variable is cut off");
        }
        const std::size_t size = kVariableHeader + name + data;
        const std::uint64_t state = take_le(flash, at + 2, 1);
        if (state == kAdded || state == kInTransition) {
            const std::size_t text = at + kVariableHeader;
            Variable variable;
            variable.name = ascii(flash.substr(text, name));
            variable.vendor = guid_text(flash.substr(at + 44, 16));
            variable.attributes = static_cast<std::uint32_t>(take_le(flash, at + 4, 4));
            variable.data = flash.substr(text + name, data);
            variable.time = seconds_of(flash.substr(at + 16, 16));
            out.push_back({std::move(variable), flash.substr(at, size)});
        }
        at = std::min<std::size_t>(align_up(at + size, 4), area.end);
    }
    return out;
}

}  // namespace

std::string blank_variable_store(VariableFlash flash) {
    const FlashLayout& layout = flash == VariableFlash::kOvmf ? kOvmf : kAavmf;
    std::string out(layout.volume, kErased);
    out.resize(layout.file, '\0');
    std::string header(16, '\0');
    header += guid_bytes(kNvData);
    append_le(header, layout.volume, 8);
    header += "_FVH";
    append_le(header, layout.attributes, 4);
    append_le(header, kVolumeHeader, 2);
    append_le(header, 0, 2);  // checksum, below
    append_le(header, 0, 2);
    append_le(header, 0, 1);
    append_le(header, 2, 1);  // revision
    append_le(header, layout.file / layout.block, 4);
    append_le(header, layout.block, 4);
    append_le(header, 0, 8);
    put_le(header, 0x32, (0x10000u - sum16(header)) & 0xffff, 2);
    header += guid_bytes(kAuthenticatedStore);
    append_le(header, kVariables - kVolumeHeader, 4);
    append_le(header, 0xfe5a, 2);  // formatted, healthy
    append_le(header, 0, 6);
    out.replace(0, header.size(), header);

    std::string working = guid_bytes(kWorkingBlock);
    append_le(working, 0xffffffffu, 4);  // checksum, below
    append_le(working, 0xffffffffu, 4);  // state, not part of it
    append_le(working, layout.working_size - 32, 8);  // of the queue
    put_le(working, 16, crc32_of(working), 4);
    put_le(working, 20, 0xfe, 1);  // valid
    out.replace(layout.working, working.size(), working);
    return out;
}

Result<std::vector<Variable>> read_variables(std::string_view store) {
    const Area area = TARN_TRY(find_area(store));
    std::vector<Variable> out;
    for (Stored& stored : TARN_TRY(read_area(store, area))) {
        out.push_back(std::move(stored.variable));
    }
    return out;
}

Result<std::string> with_variables(std::string_view store, const std::vector<Variable>& variables) {
    const Area area = TARN_TRY(find_area(store));
    std::string content;
    for (const Stored& stored : TARN_TRY(read_area(store, area))) {
        const bool replaced = std::ranges::any_of(variables, [&](const Variable& variable) {
            return variable.name == stored.variable.name &&
                   variable.vendor == stored.variable.vendor;
        });
        if (!replaced) {
            content.append(stored.bytes);
            content.resize(align_up(content.size(), 4), kErased);
        }
    }
    for (const Variable& variable : variables) {
        content += encode(variable);
    }
    if (content.size() > area.end - area.begin) {
        return fail(ErrorKind::kNoSpace,
                    "{} of variables do not fit a store of {}",
                    human_size(content.size()),
                    human_size(area.end - area.begin));
    }
    std::string out(store);
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(area.begin),
              out.begin() + static_cast<std::ptrdiff_t>(area.end),
              kErased);
    out.replace(area.begin, content.size(), content);
    return out;
}

}  // namespace tarn::efi
