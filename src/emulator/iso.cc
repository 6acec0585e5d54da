// SPDX-License-Identifier: MIT
// ISO 9660 (ECMA-119) with one directory: primary names in 8.3, long ones by Rock Ridge (IEEE
// P1282) and Joliet.
#include "base/bytes.hh"
#include "base/strings.hh"
#include "emulator/detail/media_names.hh"
#include "emulator/media.hh"

#include <algorithm>

namespace tarn::emulator {

namespace {

constexpr std::uint64_t kSector = 2048;
// 16 primary, 17 Joliet, 18 terminator, 19-22 path tables, then the directories.
constexpr std::uint32_t kPathTables = 19, kPrimaryRoot = 23, kJolietRoot = 24, kFirstFile = 25;
// 2000-01-01 00:00 UTC: a medium is the same whenever it is written.
constexpr std::string_view kRecordTime("\x64\x01\x01\x00\x00\x00\x00", 7);
constexpr std::string_view kVolumeTime("2000010100000000\x00", 17);
constexpr std::string_view kNoTime("0000000000000000\x00", 17);

void both(std::string& out, std::uint64_t value, unsigned width) {
    append_le(out, value, width);
    for (unsigned i = width; i-- > 0;) {
        out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
    }
}

std::string padded(std::string text, std::size_t size, char with = ' ') {
    text.resize(size, with);
    return text;
}

std::string ucs2(std::string_view ascii) {
    std::string out;
    for (const char c : ascii) {
        out.push_back('\0');
        out.push_back(c);
    }
    return out;
}

// "ovf-env.xml" -> "OVF_ENV.XML;1"; of two that become equal the second is numbered.
std::string short_name(const std::string& name, std::size_t number) {
    std::string out;
    const std::size_t dot = name.rfind('.');
    const auto part = [](std::string_view text, std::size_t limit) {
        std::string made;
        for (char c : text.substr(0, limit)) {
            if (c >= 'a' && c <= 'z') {
                c = static_cast<char>(c - 'a' + 'A');
            }
            const bool fine = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            made.push_back(fine ? c : '_');
        }
        return made;
    };
    std::string base = part(std::string_view(name).substr(0, dot), 8);
    if (number > 0) {
        base = base.substr(0, 5) + fmt::format("{:03}", number);
    }
    const std::string extension =
        dot == std::string::npos ? "" : part(std::string_view(name).substr(dot + 1), 3);
    return base + "." + extension + ";1";
}

// Rock Ridge: what the file is called and that anybody may read it.
std::string rock_ridge(std::string_view name, bool directory) {
    std::string out("PX\x2c\x01", 4);  // without a serial number: version 1
    out[2] = 36;
    both(out, directory ? 0040555 : 0100444, 4);
    both(out, directory ? 2 : 1, 4);
    both(out, 0, 4);
    both(out, 0, 4);
    if (!name.empty()) {
        out += "NM";
        out.push_back(static_cast<char>(5 + name.size()));
        out += std::string_view("\x01\x00", 2);
        out += name;
    }
    return out;
}

std::string record(std::string_view name,
                   std::uint32_t sector,
                   std::uint64_t size,
                   bool directory,
                   std::string_view system_use) {
    std::string out;
    const std::size_t name_size = name.size() + (name.size() % 2 == 0 ? 1 : 0);
    const std::size_t total = align_up(33 + name_size + system_use.size(), 2);
    out.push_back(static_cast<char>(total));
    out.push_back('\0');
    both(out, sector, 4);
    both(out, size, 4);
    out += kRecordTime;
    out.push_back(directory ? '\2' : '\0');
    out.append(2, '\0');
    both(out, 1, 2);
    out.push_back(static_cast<char>(name.size()));
    out += name;
    out.resize(33 + name_size, '\0');
    out += system_use;
    out.resize(total, '\0');
    return out;
}

struct Placed {
    const MediaFile* file;
    std::uint32_t sector;
    std::string short_name;
};

enum class Names { kPrimary, kJoliet };

Result<std::string> directory(const std::vector<Placed>& files, Names names) {
    const bool joliet = names == Names::kJoliet;
    const std::uint32_t own = joliet ? kJolietRoot : kPrimaryRoot;
    // SUSP: the sharing protocol is in use; RRIP is what is shared.
    const std::string here =
        joliet ? "" : std::string("SP\x07\x01\xbe\xef\x00", 7) + rock_ridge({}, true);
    std::string out = record(std::string_view("\0", 1), own, kSector, true, here);
    out += record("\1", own, kSector, true, joliet ? "" : rock_ridge({}, true));
    std::vector<std::pair<std::string, const Placed*>> sorted;
    for (const Placed& each : files) {
        sorted.emplace_back(joliet ? ucs2(each.file->name) : each.short_name, &each);
    }
    std::ranges::sort(sorted, {}, [](const auto& each) { return each.first; });
    for (const auto& [name, placed] : sorted) {
        const std::string use = joliet ? "" : rock_ridge(placed->file->name, false);
        if (name.size() + use.size() > 220) {
            return fail(ErrorKind::kUsage, "`{}` is too long a name", placed->file->name);
        }
        out += record(name, placed->sector, placed->file->bytes.size(), false, use);
    }
    if (out.size() > kSector) {
        return fail(ErrorKind::kUsage, "{} files are too many for a medium", files.size());
    }
    return padded(std::move(out), kSector, '\0');
}

std::string descriptor(const std::string& label, Names names, std::uint64_t sectors) {
    const bool joliet = names == Names::kJoliet;
    const auto text = [&](std::string_view value, std::size_t size) {
        std::string filled;
        if (!joliet) {
            return padded(std::string(value), size);
        }
        filled = ucs2(value.substr(0, size / 2));
        while (filled.size() + 1 < size) {
            filled += std::string_view("\0 ", 2);
        }
        return padded(std::move(filled), size, '\0');
    };
    std::string out = joliet ? "\2" : "\1";
    out += std::string_view("CD001\1\0", 7);
    out += text("LINUX", 32) + text(label, 32) + std::string(8, '\0');
    both(out, sectors, 4);
    out += joliet ? padded("%/E", 32, '\0') : std::string(32, '\0');
    both(out, 1, 2);
    both(out, 1, 2);
    both(out, kSector, 2);
    both(out, 10, 4);  // size of the path table: the root alone
    const std::uint32_t tables = kPathTables + (joliet ? 2 : 0);
    append_le(out, tables, 4);
    append_le(out, 0, 4);
    for (const std::uint32_t big : {tables + 1, 0U}) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            out.push_back(static_cast<char>((big >> shift) & 0xff));
        }
    }
    out +=
        record(std::string_view("\0", 1), joliet ? kJolietRoot : kPrimaryRoot, kSector, true, {});
    for (int i = 0; i < 4; ++i) {  // volume set, publisher, preparer, application
        out += text("", 128);
    }
    for (int i = 0; i < 3; ++i) {
        out += text("", 37);
    }
    out += kVolumeTime;
    out += kVolumeTime;
    out += kNoTime;
    out += kNoTime;
    out += std::string_view("\1\0", 2);
    return padded(std::move(out), kSector, '\0');
}

std::string path_table(std::uint32_t root, bool big) {
    std::string out("\1\0", 2);
    for (int i = 0; i < 4; ++i) {
        out.push_back(static_cast<char>((root >> (8 * (big ? 3 - i : i))) & 0xff));
    }
    out += big ? std::string_view("\0\1\0\0", 4) : std::string_view("\1\0\0\0", 4);
    return padded(std::move(out), kSector, '\0');
}

}  // namespace

Result<std::string> iso_image(const std::string& label, const std::vector<MediaFile>& files) {
    TARN_TRY(check_media(label, files));
    std::vector<Placed> placed;
    std::uint64_t at = kFirstFile;
    for (const MediaFile& file : files) {
        std::string name = short_name(file.name, 0);
        for (std::size_t number = 1;
             std::ranges::find(placed, name, &Placed::short_name) != placed.end();
             ++number) {
            name = short_name(file.name, number);
        }
        placed.push_back({&file, static_cast<std::uint32_t>(at), std::move(name)});
        at += align_up(file.bytes.size(), kSector) / kSector;
    }
    // Drives read ahead of the end.
    const std::uint64_t sectors = at + 150;
    std::string out(16 * kSector, '\0');
    out += descriptor(label, Names::kPrimary, sectors);
    out += descriptor(label, Names::kJoliet, sectors);
    out += padded(std::string("\xff"
                              "CD001\1",
                              7),
                  kSector,
                  '\0');
    for (const std::uint32_t root : {kPrimaryRoot, kJolietRoot}) {
        out += path_table(root, false) + path_table(root, true);
    }
    out += TARN_TRY(directory(placed, Names::kPrimary));
    out += TARN_TRY(directory(placed, Names::kJoliet));
    for (const MediaFile& file : files) {
        out += file.bytes;
        out.resize(align_up(out.size(), kSector), '\0');
    }
    out.resize(sectors * kSector, '\0');
    return out;
}

}  // namespace tarn::emulator
