// SPDX-License-Identifier: MIT
// The machine as the initrd sees it: files of /sys and /proc, kernel messages, uevents, modules.
#pragma once

#include "cmdline.hh"
#include "modules.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::initrd {

// At most `limit` bytes from the start; empty when it cannot be read.
std::string read_head(const std::string& path, std::size_t limit);
std::vector<std::string> names_in(const std::string& directory);

// One line to the kernel log, which brings it to the console; level as in syslog.
void log(int level, const std::string& text);
inline constexpr int kError = 3;
inline constexpr int kInfo = 6;

double seconds_since_boot();

// Kernel uevents: tells of devices that appear while modules load.
class Uevents {
  public:
    Uevents();
    ~Uevents();
    Uevents(const Uevents&) = delete;
    Uevents& operator=(const Uevents&) = delete;

    // Waits up to `milliseconds` for events and takes all there are: modaliases go to `table`.
    // True when one was about a block device.
    bool take(int milliseconds, ModuleTable& table);

  private:
    int fd_ = -1;
};

// Every modalias of the devices already there.
void scan_devices(ModuleTable& table);
// finit_module of /modules/<name>.ko.
void load_module(const std::string& name, const std::string& parameters);

struct RootDevice {
    std::string path;        // "/dev/nvme0n1p2"; empty when not found
    std::string filesystem;  // as its superblock says; may be empty
    std::string disk;        // "/dev/nvme0n1"; empty for root=/dev/...
};
RootDevice find_root(const RootSpec& spec);
// The first partition of this type on the disk.
RootDevice find_partition(const std::string& disk, std::string_view type);
// "vda: vda1 esp <uuid>, vda2 root <uuid>" a line for the message when nothing fits.
std::vector<std::string> describe_disks();

}  // namespace tarn::initrd
