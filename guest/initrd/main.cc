// SPDX-License-Identifier: MIT
// The initrd's only program: loads the modules this machine's devices ask for, finds the root
// partition, mounts it and hands over to its init. Nothing else happens here: no udev, no shell.
#include "mapper.hh"
#include "probe.hh"
#include "state.hh"
#include "system.hh"
#include "verity.hh"
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tarn::initrd {
namespace {

constexpr const char* kNewRoot = "/sysroot";

// Says what is wrong and stops; what the machine does then is `panic=`'s business.
[[noreturn]] void give_up(const CommandLine& command_line, const std::string& what) {
    log(kError, what);
    if (command_line.shell_asked) {
        log(kError, "this initrd has no shell: rd.shell and rd.break are not available");
    }
    sync();
    if (command_line.panic != 0) {
        if (command_line.panic > 0) {
            log(kError, "rebooting in " + std::to_string(command_line.panic) + " s");
            sleep(static_cast<unsigned>(command_line.panic));
        }
        reboot(RB_AUTOBOOT);
    }
    log(kError, "stopped; add panic=10 to the kernel command line to reboot instead");
    while (true) {
        pause();
    }
}

std::string reason() {
    return std::strerror(errno);
}

void mount_early(const CommandLine& command_line) {
    struct Early {
        const char* type;
        const char* path;
        unsigned long flags;
        const char* options;
    };
    static constexpr Early kEarly[] = {
        {"proc", "/proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, nullptr},
        {"sysfs", "/sys", MS_NOSUID | MS_NOEXEC | MS_NODEV, nullptr},
        {"devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
        {"tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=0755"},
    };
    for (const Early& early : kEarly) {
        mkdir(early.path, 0755);
        // The kernel may have mounted /dev already.
        if (mount(early.type, early.path, early.type, early.flags, early.options) != 0 &&
            errno != EBUSY) {
            give_up(command_line, std::string("cannot mount ") + early.path + ": " + reason());
        }
    }
}

void load_all(const std::vector<std::string>& names, const CommandLine& command_line) {
    for (const std::string& name : names) {
        load_module(name, parameters_of(command_line, name));
    }
}

RootDevice wait_for(const RootSpec& spec,
                    const CommandLine& command_line,
                    ModuleTable& table,
                    Uevents& events) {
    scan_devices(table);
    const double start = seconds_since_boot();
    RootDevice root = find_root(spec);
    while (root.path.empty()) {
        const std::vector<std::string> batch = table.next();
        load_all(batch, command_line);
        // While there are modules left nothing waits; after that, events do the waking. Once a
        // second everything is looked at again, should an event have been lost.
        const bool block = events.take(batch.empty() ? 1000 : 0, table);
        if (block || batch.empty()) {
            root = find_root(spec);
        }
        const double waited = seconds_since_boot() - start;
        if (root.path.empty() && batch.empty() && command_line.root_wait >= 0 &&
            waited > static_cast<double>(command_line.root_wait)) {
            break;
        }
        if (batch.empty() && !block) {
            scan_devices(table);
        }
    }
    return root;
}

void load_wanted(const std::vector<std::string>& names,
                 const CommandLine& command_line,
                 ModuleTable& table) {
    for (const std::string& name : names) {
        table.want(name);
    }
    for (auto batch = table.next(); !batch.empty(); batch = table.next()) {
        load_all(batch, command_line);
    }
}

void mount_root(const CommandLine& command_line, const RootDevice& root, ModuleTable& table) {
    const std::string type =
        command_line.filesystem.empty() ? root.filesystem : command_line.filesystem;
    if (type.empty()) {
        give_up(command_line,
                root.path + " holds no file system this initrd knows; say rootfstype=");
    }
    load_wanted({"fs-" + type, type}, command_line, table);
    mkdir(kNewRoot, 0755);
    const unsigned long flags = command_line.read_write ? 0 : MS_RDONLY;
    const char* options = command_line.flags.empty() ? nullptr : command_line.flags.c_str();
    if (mount(root.path.c_str(), kNewRoot, type.c_str(), flags, options) != 0) {
        give_up(command_line, "cannot mount " + root.path + " as " + type + ": " + reason());
    }
}

// Frees the memory of the initramfs: everything below the directory that lies on its file system.
void remove_below(int directory, dev_t device) {
    DIR* stream = fdopendir(directory);
    if (stream == nullptr) {
        close(directory);
        return;
    }
    while (const dirent* entry = readdir(stream)) {
        const std::string name = entry->d_name;
        struct stat info{};
        if (name == "." || name == ".." ||
            fstatat(dirfd(stream), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            info.st_dev != device) {
            continue;
        }
        if (S_ISDIR(info.st_mode)) {
            const int child = openat(
                dirfd(stream), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (child >= 0) {
                remove_below(child, device);
            }
        }
        unlinkat(dirfd(stream), name.c_str(), S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
    }
    closedir(stream);
}

void switch_root(const CommandLine& command_line) {
    for (const char* path : {"/proc", "/sys", "/dev", "/run"}) {
        const std::string target = std::string(kNewRoot) + path;
        if (mount(path, target.c_str(), nullptr, MS_MOVE, nullptr) != 0) {
            give_up(command_line,
                    std::string("cannot move ") + path + " to the root file system: " + reason() +
                        " (does it have that directory?)");
        }
    }
    const int old_root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat old_info{};
    const bool known = old_root >= 0 && fstat(old_root, &old_info) == 0;
    if (chdir(kNewRoot) != 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 ||
        chroot(".") != 0 || chdir("/") != 0) {
        give_up(command_line, "cannot make the root file system the root: " + reason());
    }
    if (known) {
        remove_below(old_root, old_info.st_dev);
    }
}

[[noreturn]] void start_init(const CommandLine& command_line, char** argv) {
    std::vector<std::string> candidates = {"/sbin/init", "/usr/lib/systemd/systemd", "/bin/init"};
    if (!command_line.init.empty()) {
        candidates = {command_line.init};
    }
    std::string tried;
    for (std::string& candidate : candidates) {
        argv[0] = candidate.data();
        execv(candidate.c_str(), argv);
        tried += (tried.empty() ? "" : ", ") + candidate + ": " + reason();
    }
    give_up(command_line, "no init could be started (" + tried + ")");
}

[[noreturn]] void no_root(const CommandLine& command_line, const std::string& wanted) {
    log(kError, "no partition is " + wanted + "; the block devices here are:");
    for (const std::string& line : describe_disks()) {
        log(kError, line);
    }
    give_up(command_line,
            "the root file system was not found after " + std::to_string(command_line.root_wait) +
                " s");
}

RootDevice find_partition_of_root(const RootSpec& spec,
                                  const CommandLine& command_line,
                                  ModuleTable& table,
                                  Uevents& events) {
    const RootDevice found = wait_for(spec, command_line, table, events);
    if (found.path.empty()) {
        no_root(command_line, spec.text);
    }
    return found;
}

// /dev/mapper/root, whose every block is checked as it is read.
RootDevice open_verity(const CommandLine& command_line, ModuleTable& table, Uevents& events) {
    const auto spec = [&](const RootSpec& given, const std::string& uuid) {
        return given.kind == RootKind::kNone ? parse_root("PARTUUID=" + uuid) : given;
    };
    const std::string& root_hash = command_line.root_hash;
    const std::string data_uuid = verity_data_uuid(root_hash);
    if (data_uuid.empty()) {
        give_up(command_line, "roothash=" + root_hash + " is no SHA-256 in hexadecimal");
    }
    std::vector<std::string> unknown;
    const std::vector<std::string> options = verity_options(command_line.verity_options, unknown);
    for (const std::string& word : unknown) {
        give_up(command_line, "systemd.verity_root_options: `" + word + "` is not known here");
    }
    const RootDevice data = find_partition_of_root(
        spec(command_line.verity_data, data_uuid), command_line, table, events);
    const RootDevice hash =
        find_partition_of_root(spec(command_line.verity_hash, verity_hash_uuid(root_hash)),
                               command_line,
                               table,
                               events);
    load_wanted({"dm_mod", "dm_verity"}, command_line, table);
    const auto superblock =
        parse_verity_superblock(read_head(hash.path, kVeritySuperblockBytes));
    if (!superblock) {
        give_up(command_line, hash.path + " holds no dm-verity superblock");
    }
    const std::string problem =
        map_verity("root",
                   "CRYPT-VERITY-" + superblock->uuid + "-root",
                   verity_table(*superblock, root_hash, data.path, hash.path, options));
    if (!problem.empty()) {
        give_up(command_line,
                "dm-verity over " + data.path + " and " + hash.path + ": " + problem);
    }
    const std::string path = "/dev/mapper/root";
    return {path, parse_superblock(read_head(path, kSuperblockBytes)).type, data.disk};
}

RootDevice open_root(const CommandLine& command_line, ModuleTable& table, Uevents& events) {
    if (!command_line.root_hash.empty()) {
        return open_verity(command_line, table, events);
    }
    if (command_line.root.kind == RootKind::kNone) {
        give_up(command_line,
                command_line.root.text.empty()
                    ? "the kernel command line has no root= and no roothash="
                    : "root=" + command_line.root.text + " is not understood");
    }
    return find_partition_of_root(command_line.root, command_line, table, events);
}

int run(char** argv) {
    const double start = seconds_since_boot();
    mount_early({});
    CommandLine command_line = parse_command_line(read_head("/proc/cmdline", 1 << 16));
    if (!command_line.root_hash.empty()) {
        command_line.read_write = false;
    }
    ModuleTable table(read_head("/modules/modules.list", 1 << 20),
                      read_head("/modules/modules.alias", 4 << 20));
    Uevents events;
    const RootDevice root = open_root(command_line, table, events);
    mount_root(command_line, root, table);
    char text[160];
    std::snprintf(text,
                  sizeof text,
                  "root %s mounted, %.0f ms after the initrd's start at %.3f s",
                  root.path.c_str(),
                  (seconds_since_boot() - start) * 1000,
                  start);
    log(kInfo, text);
    switch_root(command_line);
    if (!command_line.root_hash.empty() && !root.disk.empty()) {
        mount_state(root.disk);
    }
    start_init(command_line, argv);
}

}  // namespace
}  // namespace tarn::initrd

int main(int argc, char** argv) {
    if (getpid() != 1 || argc < 1) {
        std::fputs("tarn-initrd is the first process of a machine; it does nothing else\n", stderr);
        return 2;
    }
    return tarn::initrd::run(argv);
}
