// SPDX-License-Identifier: MIT
#include "state.hh"

#include "system.hh"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace tarn::initrd {
namespace {

// Discoverable Partitions Specification.
constexpr const char* kTypeVar = "4d21b016-b534-45c2-a9fb-5c16e091fd2d";
constexpr const char* kRepart = "/usr/bin/systemd-repart";
constexpr const char* kRepartDefinitions = "/usr/lib/repart.d";
constexpr int kRepartSeconds = 300;
constexpr int kPollMilliseconds = 20;

std::string reason() {
    return std::strerror(errno);
}

// Exit status; 128 and more for what ended otherwise, or not at all in time.
int wait_for(pid_t child) {
    for (int waited = 0; waited < kRepartSeconds * 1000; waited += kPollMilliseconds) {
        int status = 0;
        const pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (done < 0 && errno != EINTR) {
            return 128;
        }
        usleep(kPollMilliseconds * 1000);
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return 255;
}

// Makes the partitions the image describes and the disk does not have yet.
void repartition(const std::string& disk) {
    if (names_in(kRepartDefinitions).empty()) {
        return;
    }
    // systemd-repart would make it for root alone, and keep everybody else from every socket there.
    mkdir("/run/systemd", 0755);
    const pid_t child = fork();
    if (child < 0) {
        log(kError, "cannot start systemd-repart: " + reason());
        return;
    }
    if (child == 0) {
        const char* const arguments[] = {
            kRepart, "--dry-run=no", "--pretty=no", disk.c_str(), nullptr};
        const char* const environment[] = {"PATH=/usr/sbin:/usr/bin",
                                           "SYSTEMD_LOG_TARGET=kmsg",
                                           "LC_ALL=C.UTF-8",
                                           "TMPDIR=/run",
                                           nullptr};
        // mke2fs draws its progress; what matters goes to the kernel log.
        if (const int nowhere = open("/dev/null", O_WRONLY); nowhere >= 0) {
            dup2(nowhere, STDOUT_FILENO);
        }
        execve(kRepart, const_cast<char**>(arguments), const_cast<char**>(environment));
        _exit(127);
    }
    if (const int status = wait_for(child); status != 0) {
        log(kError, "systemd-repart ended with " + std::to_string(status));
    }
}

bool bind(const std::string& from, const std::string& to) {
    return mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

// What is changed in `directory` is kept in /var; what is not comes from the image in use.
void overlay(const std::string& directory, mode_t mode) {
    const std::string base = "/var/lib/tarn/overlay" + directory;
    const std::string upper = base + "/upper";
    const std::string work = base + "/work";
    mkdir(base.c_str(), 0700);
    mkdir(upper.c_str(), mode);
    mkdir(work.c_str(), 0700);
    // The lower layer changes with every update: nothing of it may be remembered in the upper one.
    const std::string options = "lowerdir=" + directory + ",upperdir=" + upper +
                                ",workdir=" + work +
                                ",redirect_dir=nofollow,index=off,metacopy=off,xino=off";
    if (mount("overlay", directory.c_str(), "overlay", MS_NODEV, options.c_str()) != 0) {
        log(kError, "cannot make " + directory + " writable: " + reason());
    }
}

void keep_in_var(const std::string& directory, mode_t mode) {
    const std::string kept = "/var" + directory;
    mkdir(kept.c_str(), mode);
    if (!bind(kept, directory)) {
        log(kError, "cannot make " + directory + " writable: " + reason());
    }
}

bool mount_var(const RootDevice& var) {
    if (!var.path.empty() && !var.filesystem.empty() &&
        mount(var.path.c_str(), "/var", var.filesystem.c_str(), MS_NODEV | MS_NOSUID, nullptr) ==
            0) {
        return true;
    }
    log(kError,
        var.path.empty() ? "there is no partition for /var"
                         : "cannot mount " + var.path + " on /var: " + reason());
    log(kError, "/var is in memory: this machine forgets what it is told");
    return mount("tmpfs", "/var", "tmpfs", MS_NODEV | MS_NOSUID, "mode=0755") == 0;
}

}  // namespace

void mount_state(const std::string& disk) {
    RootDevice var = find_partition(disk, kTypeVar);
    if (var.path.empty()) {
        log(kInfo, "first boot of this disk: making its partitions");
        repartition(disk);
        var = find_partition(disk, kTypeVar);
    }
    if (!mount_var(var)) {
        return;
    }
    umask(0);
    for (const char* path : {"/var/lib", "/var/lib/tarn"}) {
        mkdir(path, 0755);
    }
    mkdir("/var/lib/tarn/overlay", 0700);
    overlay("/etc", 0755);
    overlay("/root", 0700);
    keep_in_var("/home", 0755);
    keep_in_var("/srv", 0755);
    umask(022);
}

}  // namespace tarn::initrd
