// SPDX-License-Identifier: MIT
#include "system.hh"

#include "probe.hh"
#include "text.hh"
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace tarn::initrd {

std::string read_head(const std::string& path, std::size_t limit) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return {};
    }
    std::string out(limit, '\0');
    std::size_t have = 0;
    while (have < limit) {
        const ssize_t got = read(fd, out.data() + have, limit - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    close(fd);
    out.resize(have);
    return out;
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> out;
    DIR* stream = opendir(directory.c_str());
    if (stream == nullptr) {
        return out;
    }
    while (const dirent* entry = readdir(stream)) {
        if (entry->d_name[0] != '.') {
            out.emplace_back(entry->d_name);
        }
    }
    closedir(stream);
    std::sort(out.begin(), out.end());
    return out;
}

void log(int level, const std::string& text) {
    const std::string line = "<" + std::to_string(level) + ">tarn-initrd: " + text + "\n";
    const int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    const int target = fd < 0 ? STDERR_FILENO : fd;
    // A message that cannot be written has nowhere else to go.
    [[maybe_unused]] const ssize_t written = write(target, line.data(), line.size());
    if (fd >= 0) {
        close(fd);
    }
}

double seconds_since_boot() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Uevents::Uevents() : fd_(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)) {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1;
    const int size = 1 << 20;  // a burst of devices must not overrun it
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        log(kError, std::string("no kernel events: ") + std::strerror(errno));
    }
}

Uevents::~Uevents() {
    close(fd_);
}

bool Uevents::take(int milliseconds, ModuleTable& table) {
    bool block = false;
    pollfd waiting{fd_, POLLIN, 0};
    char buffer[8192];
    while (poll(&waiting, 1, milliseconds) > 0) {
        milliseconds = 0;
        const ssize_t got = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got <= 0) {
            break;
        }
        std::string_view event(buffer, static_cast<std::size_t>(got));
        while (!event.empty()) {
            const std::string_view field =
                event.substr(0, std::min(event.find('\0'), event.size()));
            event.remove_prefix(std::min(field.size() + 1, event.size()));
            if (field.substr(0, 9) == "MODALIAS=") {
                table.device(field.substr(9));
            }
            block = block || field == "SUBSYSTEM=block";
        }
    }
    return block;
}

void scan_devices(ModuleTable& table) {
    // Below /sys/bus every device of a bus is one step away: no walk through all of /sys/devices.
    for (const std::string& bus : names_in("/sys/bus")) {
        const std::string directory = "/sys/bus/" + bus + "/devices";
        for (const std::string& device : names_in(directory)) {
            const std::string text = read_head(directory + "/" + device + "/modalias", 4096);
            if (!text.empty()) {
                table.device(lines(text).front());
            }
        }
    }
}

void load_module(const std::string& name, const std::string& parameters) {
    const std::string path = "/modules/" + name + ".ko";
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, parameters.c_str(), 0) != 0 && errno != EEXIST)) {
        log(kError, "cannot load module " + name + ": " + std::strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

namespace {

bool is_block_device(const std::string& path) {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 && S_ISBLK(info.st_mode);
}

struct BlockPart {
    std::string name;          // "vda2", or "vda" for a whole disk
    std::string disk;          // "vda"
    std::uint32_t number = 0;  // 0: the whole disk
};

std::vector<BlockPart> block_parts() {
    std::vector<BlockPart> out;
    for (const std::string& disk : names_in("/sys/block")) {
        const std::string directory = "/sys/block/" + disk;
        const std::string size = read_head(directory + "/size", 32);
        if (size.empty() || size == "0\n") {
            continue;  // an empty loop or optical drive
        }
        out.push_back({disk, disk, 0});
        for (const std::string& part : names_in(directory)) {
            const std::string text = read_head(directory + "/" + part + "/partition", 16);
            if (!text.empty()) {
                out.push_back(
                    {part, disk, static_cast<std::uint32_t>(number(lines(text).front(), 0))});
            }
        }
    }
    return out;
}

bool fits(const RootSpec& spec,
          const BlockPart& part,
          const std::vector<GptEntry>& gpt,
          const Superblock& superblock) {
    if (spec.kind == RootKind::kUuid || spec.kind == RootKind::kLabel) {
        return !superblock.type.empty() &&
               spec.value == (spec.kind == RootKind::kUuid ? superblock.uuid : superblock.label);
    }
    const auto entry = std::find_if(gpt.begin(), gpt.end(), [&](const GptEntry& candidate) {
        return part.number != 0 && candidate.number == part.number;
    });
    return entry != gpt.end() &&
           spec.value == (spec.kind == RootKind::kPartUuid ? entry->uuid : entry->label);
}

}  // namespace

RootDevice find_root(const RootSpec& spec) {
    if (spec.kind == RootKind::kDevice) {
        return is_block_device(spec.value)
                   ? RootDevice{spec.value,
                                parse_superblock(read_head(spec.value, kSuperblockBytes)).type,
                                {}}
                   : RootDevice{};
    }
    const bool by_table = spec.kind == RootKind::kPartUuid || spec.kind == RootKind::kPartLabel;
    std::vector<GptEntry> gpt;
    for (const BlockPart& part : block_parts()) {
        const std::string path = "/dev/" + part.name;
        if (part.number == 0 && by_table) {
            gpt = parse_gpt(read_head(path, kGptHeadBytes));
            continue;
        }
        Superblock superblock;
        if (!by_table) {
            superblock = parse_superblock(read_head(path, kSuperblockBytes));
        }
        if (fits(spec, part, gpt, superblock) && is_block_device(path)) {
            if (by_table) {
                superblock = parse_superblock(read_head(path, kSuperblockBytes));
            }
            return {path, superblock.type, "/dev/" + part.disk};
        }
    }
    return {};
}

RootDevice find_partition(const std::string& disk, std::string_view type) {
    const std::vector<GptEntry> gpt = parse_gpt(read_head(disk, kGptHeadBytes));
    for (const BlockPart& part : block_parts()) {
        const std::string path = "/dev/" + part.name;
        const bool there = "/dev/" + part.disk == disk && is_block_device(path);
        for (const GptEntry& entry : gpt) {
            if (there && part.number == entry.number && entry.type == type) {
                const Superblock superblock = parse_superblock(read_head(path, kSuperblockBytes));
                return {path, superblock.type, disk};
            }
        }
    }
    return {};
}

std::vector<std::string> describe_disks() {
    std::vector<std::string> out;
    std::vector<GptEntry> gpt;
    for (const BlockPart& part : block_parts()) {
        const std::string path = "/dev/" + part.name;
        if (part.number == 0) {
            gpt = parse_gpt(read_head(path, kGptHeadBytes));
            out.push_back(path + (gpt.empty() ? ": no partition table" : ": GPT"));
            continue;
        }
        std::string line = "  " + path;
        for (const GptEntry& entry : gpt) {
            if (entry.number == part.number) {
                line += " PARTLABEL=" + entry.label + " PARTUUID=" + entry.uuid;
            }
        }
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace tarn::initrd
