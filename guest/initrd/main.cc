// SPDX-License-Identifier: MIT
// The initrd's only program: loads the modules this machine's devices ask for, finds the root
// partition, mounts it and hands over to its init. Nothing else happens here: no udev, no shell.
#include "system.hh"
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

RootDevice wait_for_root(const CommandLine& command_line, ModuleTable& table, Uevents& events) {
    scan_devices(table);
    const double start = seconds_since_boot();
    RootDevice root = find_root(command_line.root);
    while (root.path.empty()) {
        const std::vector<std::string> batch = table.next();
        load_all(batch, command_line);
        // While there are modules left nothing waits; after that, events do the waking. Once a
        // second everything is looked at again, should an event have been lost.
        const bool block = events.take(batch.empty() ? 1000 : 0, table);
        if (block || batch.empty()) {
            root = find_root(command_line.root);
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

void mount_root(const CommandLine& command_line, const RootDevice& root, ModuleTable& table) {
    const std::string type =
        command_line.filesystem.empty() ? root.filesystem : command_line.filesystem;
    if (type.empty()) {
        give_up(command_line,
                root.path + " holds no file system this initrd knows; say rootfstype=");
    }
    table.want("fs-" + type);
    table.want(type);
    for (auto batch = table.next(); !batch.empty(); batch = table.next()) {
        load_all(batch, command_line);
    }
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

[[noreturn]] void no_root(const CommandLine& command_line) {
    log(kError, "no partition is " + command_line.root.text + "; the block devices here are:");
    for (const std::string& line : describe_disks()) {
        log(kError, line);
    }
    give_up(command_line,
            "the root file system was not found after " + std::to_string(command_line.root_wait) +
                " s");
}

int run(char** argv) {
    const double start = seconds_since_boot();
    mount_early({});
    const CommandLine command_line = parse_command_line(read_head("/proc/cmdline", 1 << 16));
    if (command_line.root.kind == RootKind::kNone) {
        give_up(command_line,
                command_line.root.text.empty()
                    ? "the kernel command line has no root="
                    : "root=" + command_line.root.text + " is not understood");
    }
    ModuleTable table(read_head("/modules/modules.list", 1 << 20),
                      read_head("/modules/modules.alias", 4 << 20));
    Uevents events;
    const RootDevice root = wait_for_root(command_line, table, events);
    if (root.path.empty()) {
        no_root(command_line);
    }
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
