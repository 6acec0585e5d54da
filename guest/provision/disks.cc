// SPDX-License-Identifier: MIT
#include "provision/disks.hh"

#include "base/bytes.hh"
#include "base/strings.hh"

#include "provision/names.hh"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tarn::guest {
namespace {

constexpr std::string_view kOurs = "x-tarn-provision";
constexpr const char* kResource = "/dev/disk/azure/resource";
constexpr std::size_t kLook = 128u << 10;

std::string escaped(std::string_view field) {
    return replace_all(replace_all(std::string(field), "\\", "\\134"), " ", "\\040");
}

// "sdb1" and "ephemeral0" as cloud-init takes them.
std::string device_of(const std::string& name) {
    if (name == "ephemeral0" || name == "ephemeral0.1") {
        return std::string(kResource) + "-part1";
    }
    if (name == kResource) {
        return name + "-part1";
    }
    const bool short_name = name.starts_with("sd") || name.starts_with("vd") ||
                            name.starts_with("xvd") || name.starts_with("nvme");
    return short_name ? "/dev/" + name : name;
}

// "ours", whichever field it is in.
bool is_ours(std::string_view line) {
    const auto words = split_words(line);
    if (words.size() < 4 || words[0].starts_with('#')) {
        return false;
    }
    const auto options = split(words[3], ',');
    return std::find(options.begin(), options.end(), kOurs) != options.end();
}

Result<std::string> fstab_line(const MountLine& mount) {
    static constexpr std::array<const char*, 6> kDefaults = {
        "", "", "auto", "defaults,nofail", "0", "2"};
    std::array<std::string, 6> fields;
    for (std::size_t i = 0; i < 6; ++i) {
        fields[i] = i < mount.fields.size() ? mount.fields[i] : kDefaults[i];
    }
    fields[0] = device_of(fields[0]);
    const bool swap = fields[2] == "swap" || fields[1] == "none" || fields[1] == "swap";
    if (fields[0].empty() || (!swap && !fields[1].starts_with('/')) || fields[2].empty() ||
        fields[3].empty() || !parse_u64(fields[4]) || !parse_u64(fields[5])) {
        return fail(
            error(ErrorKind::kUsage, "`mounts`: {} cannot be a line of /etc/fstab", fields[0])
                .advise("[DEVICE, DIRECTORY, TYPE, OPTIONS, \"0\", \"2\"]"));
    }
    const auto parts = split(fields[1], '/');
    if (std::find(parts.begin(), parts.end(), "..") != parts.end() || fields[1] == "/") {
        return fail(ErrorKind::kUsage, "`mounts`: nothing is mounted on {}", fields[1]);
    }
    fields[3] += "," + std::string(kOurs);
    std::string line;
    for (const std::string& field : fields) {
        line += (line.empty() ? "" : " ") + escaped(field);
    }
    return line + "\n";
}

Result<void> make_swap(const Machine& machine, const Tools& tools, const CloudConfig& config) {
    const std::string& path = config.swap_file;
    const auto size = static_cast<off_t>(config.swap_size);
    const auto there = machine.open_path(path, O_PATH | O_NOFOLLOW);
    struct stat info{};
    if (there && ::fstat(there->get(), &info) == 0 && S_ISREG(info.st_mode) &&
        info.st_size == size && (info.st_mode & 077) == 0) {
        return {};
    }
    TARN_TRY(machine.remove(path));
    {
        const Fd file = TARN_TRY(
            machine.open_path(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (::fchmod(file.get(), 0600) != 0 || ::fallocate(file.get(), 0, 0, size) != 0) {
            const Error problem = sys_error("make the swap file", path);
            static_cast<void>(machine.remove(path));
            return fail(problem);
        }
    }
    TARN_TRY(run_checked(tools, machine, {{"/usr/sbin/mkswap", path}, {}, true, {}}));
    return run_checked(tools, machine, {{"/usr/sbin/swapon", path}, {}, true, {}});
}

// As much as there is of `size` bytes.
Result<std::string> read_some(int fd,
                              std::uint64_t offset,
                              std::size_t size,
                              const std::string& path) {
    std::string bytes(size, '\0');
    const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
        return fail(sys_error("read", path));
    }
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
}

// The label is in the fourth record of the master file table, whose place the boot sector says.
bool has_temporary_label(int fd, std::string_view boot, const std::string& path) {
    const std::uint64_t cluster = take_le(boot, 0x0b, 2) * take_le(boot, 0x0d, 1);
    const std::uint64_t table = take_le(boot, 0x30, 8);
    if (cluster == 0 || cluster > (1u << 21) || table > (1ULL << 40)) {
        return false;
    }
    const auto records = read_some(fd, table * cluster, 16384, path);
    std::string label;
    for (const char c : std::string_view("Temporary Storage")) {
        label += c;
        label += '\0';
    }
    return records && records->find(label) != std::string::npos;
}

Result<void> format_resource_disk(const Machine& machine, const Tools& tools) {
    const std::string partition = std::string(kResource) + "-part1";
    const auto opened = machine.open_path(partition, O_RDONLY | O_CLOEXEC);
    if (!opened) {
        tools.say("mounts: this machine has no temporary disk");
        return {};
    }
    if (TARN_TRY(look_at_disk(opened->get(), partition)) == DiskContent::kOther) {
        tools.say("mounts: the temporary disk has a file system and stays as it is");
        return {};
    }
    const std::string program = first_program(machine, {"/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"});
    if (program.empty()) {
        return fail(ErrorKind::kFailed,
                    "the temporary disk cannot be formatted: no mkfs.ext4 here");
    }
    return run_checked(
        tools, machine, {{program, "-q", "-F", "-L", "temporary", partition}, {}, true, {}});
}

}  // namespace

Result<DiskContent> look_at_disk(int fd, const std::string& path) {
    const std::string bytes = TARN_TRY(read_some(fd, 0, kLook, path));
    if (std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; })) {
        return DiskContent::kNothing;
    }
    const bool ntfs = bytes.size() >= 512 && bytes.substr(3, 8) == "NTFS    ";
    return ntfs && has_temporary_label(fd, bytes, path) ? DiskContent::kFreshNtfs
                                                        : DiskContent::kOther;
}

Result<std::string> fstab_with(std::string_view fstab,
                               const std::vector<MountLine>& mounts,
                               const std::string& swap_file) {
    std::string text;
    for (const std::string_view line : split_lines(fstab)) {
        const auto words = split_words(line);
        const bool taken_away =
            !words.empty() && std::any_of(mounts.begin(), mounts.end(), [&](const MountLine& each) {
                return each.fields.size() == 1 && device_of(each.fields[0]) == words[0];
            });
        if (!is_ours(line) && !taken_away) {
            text += std::string(line) + "\n";
        }
    }
    for (const MountLine& mount : mounts) {
        if (mount.fields.size() > 1) {
            text += TARN_TRY(fstab_line(mount));
        }
    }
    if (!swap_file.empty()) {
        text += fmt::format("{} none swap sw,nofail,{} 0 0\n", escaped(swap_file), kOurs);
    }
    return text;
}

Result<void> set_up_mounts(const Machine& machine, const Tools& tools, const CloudConfig& config) {
    const bool swap = !config.swap_file.empty() && config.swap_size > 0;
    const std::string old = machine.read("/etc/fstab", 1u << 20).value_or("");
    const std::string text =
        TARN_TRY(fstab_with(old, config.mounts, swap ? config.swap_file : std::string()));
    for (const MountLine& mount : config.mounts) {
        if (mount.fields.size() > 1 &&
            device_of(mount.fields[0]) == std::string(kResource) + "-part1") {
            TARN_TRY(format_resource_disk(machine, tools));
        }
    }
    if (swap) {
        TARN_TRY(make_swap(machine, tools, config));
    }
    if (text != old) {
        TARN_TRY(machine.write("/etc/fstab", text, 0644, Owner{}));
        TARN_TRY(
            run_checked(tools, machine, {{"/usr/bin/systemctl", "daemon-reload"}, {}, false, {}}));
    }
    for (const MountLine& mount : config.mounts) {
        if (mount.fields.size() < 2 || !mount.fields[1].starts_with('/')) {
            continue;
        }
        const std::string& directory = mount.fields[1];
        TARN_TRY(machine.make_directory(directory, 0755, Owner{}));
        const auto code = tools.run(machine, {{"/usr/bin/mount", directory}, {}, true, {}});
        if (!code || *code != 0) {
            tools.say(fmt::format("mounts: {} could not be mounted", directory));
        }
    }
    return {};
}

}  // namespace tarn::guest
