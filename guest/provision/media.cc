// SPDX-License-Identifier: MIT
#include "provision/media.hh"

#include "base/strings.hh"

#include <fcntl.h>
#include <linux/cdrom.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

namespace tarn::guest {

namespace {

constexpr int kNotReadyTries = 20;  // of 100 ms: a drive that is still spinning up

// Whether there is a disc. What is no drive (a disk, a file in a test) always has one.
bool has_disc(int fd) {
    for (int i = 0; i < kNotReadyTries; ++i) {
        const int status = ::ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT);
        if (status == CDS_DRIVE_NOT_READY) {
            ::poll(nullptr, 0, 100);
            continue;
        }
        return status != CDS_NO_DISC && status != CDS_TRAY_OPEN;
    }
    return false;
}

bool is_optical(std::string_view name) {
    return name.starts_with("sr") && parse_u64(name.substr(2)).has_value();
}

// Whole disks and partitions that may hold a seed; not what is made of others or of memory.
bool may_hold_seed(std::string_view name) {
    for (const char* prefix : {"sr", "sd", "vd", "xvd", "nvme", "hd", "mmcblk", "pmem"}) {
        if (name.starts_with(prefix)) {
            return true;
        }
    }
    return false;
}

std::vector<std::string> block_devices(const Machine& machine) {
    auto names = machine.list("/sys/class/block");
    return names ? std::move(*names) : std::vector<std::string>();
}

}  // namespace

Result<std::optional<Medium>> open_medium(const Machine& machine, const std::string& device) {
    const std::optional<Medium> none;
    // Not blocking: opening an empty drive would wait for a disc.
    auto probe = machine.open_path(device, O_RDONLY | O_NONBLOCK);
    if (!probe) {
        return none;
    }
    if (!has_disc(probe->get())) {
        return none;
    }
    auto opened = machine.open_path(device, O_RDONLY | O_NONBLOCK);
    if (!opened) {
        return none;
    }
    const auto fd = std::make_shared<Fd>(std::move(*opened));
    const off_t end = ::lseek(fd->get(), 0, SEEK_END);
    struct stat status{};
    if (end <= 0 || ::fstat(fd->get(), &status) != 0 ||
        !(S_ISBLK(status.st_mode) || S_ISREG(status.st_mode))) {
        return none;
    }
    Medium medium{device, static_cast<std::uint64_t>(end), {}};
    medium.read_at = [fd, device](std::uint64_t offset, std::size_t size) {
        return pread_exact(fd->get(), offset, size, device);
    };
    return std::optional<Medium>(std::move(medium));
}

bool wait_for_drive(const Machine& machine, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        for (const std::string& name : block_devices(machine)) {
            if (is_optical(name) && machine.exists("/dev/" + name)) {
                return true;
            }
        }
        if (std::chrono::steady_clock::now() >= end) {
            return false;
        }
        ::poll(nullptr, 0, 20);
    }
}

Result<std::optional<AzureMedia>> find_azure_media(const Machine& machine) {
    std::optional<Error> problem;
    for (const std::string& name : block_devices(machine)) {
        if (!is_optical(name)) {
            continue;
        }
        const std::string device = "/dev/" + name;
        const auto medium = TARN_TRY(open_medium(machine, device));
        if (!medium) {
            continue;
        }
        auto contents = read_medium(*medium, {"ovf-env.xml", "CustomData.bin"});
        if (!contents) {
            problem = std::move(contents.error());
            continue;
        }
        if (!*contents || !(*contents)->files.contains("ovf-env.xml")) {
            continue;
        }
        AzureMedia media{device, std::move((*contents)->files["ovf-env.xml"]), {}};
        if (const auto data = (*contents)->files.find("CustomData.bin");
            data != (*contents)->files.end()) {
            media.custom_data = std::move(data->second);
        }
        return std::optional<AzureMedia>(std::move(media));
    }
    if (problem) {
        return fail(std::move(*problem).context("provisioning media"));
    }
    return std::optional<AzureMedia>();
}

Result<std::optional<NoCloudSeed>> find_nocloud_seed(const Machine& machine) {
    for (const std::string& name : block_devices(machine)) {
        if (!may_hold_seed(name)) {
            continue;
        }
        const auto medium = TARN_TRY(open_medium(machine, "/dev/" + name));
        if (!medium) {
            continue;
        }
        // A disk of another use may look like anything: it is no error that it is none of ours.
        auto labelled = read_medium(*medium, {});
        if (!labelled || !*labelled || to_lower((*labelled)->label) != "cidata") {
            continue;
        }
        auto contents = TARN_TRY(
            read_medium(*medium, {"meta-data", "user-data", "vendor-data", "network-config"}));
        auto& files = contents->files;
        return std::optional<NoCloudSeed>(NoCloudSeed{medium->name,
                                                      files["meta-data"],
                                                      files["user-data"],
                                                      files["vendor-data"],
                                                      files["network-config"]});
    }
    return std::optional<NoCloudSeed>();
}

}  // namespace tarn::guest
