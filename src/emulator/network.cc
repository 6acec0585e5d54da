// SPDX-License-Identifier: MIT
#include "emulator/network.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tarn::emulator {

namespace {

constexpr std::uint32_t kMetadata = 0xa9fea9fe, kWireserver = 0xa83f8110;

int set_address(int fd, const char* label, unsigned long what, std::uint32_t address) {
    ifreq request{};
    std::strncpy(request.ifr_name, label, IFNAMSIZ - 1);
    sockaddr_in value{};
    value.sin_family = AF_INET;
    value.sin_addr.s_addr = htonl(address);
    std::memcpy(&request.ifr_addr, &value, sizeof value);
    return ::ioctl(fd, what, &request) == 0 ? 0 : errno;
}

// An address of the loopback's own; of a whole network, all of them are.
int add_address(int fd, const char* label, std::uint32_t address, std::uint32_t mask) {
    const int problem = set_address(fd, label, SIOCSIFADDR, address);
    return problem != 0 ? problem : set_address(fd, label, SIOCSIFNETMASK, mask);
}

}  // namespace

int prepare_loopback(std::uint32_t subnet, unsigned prefix) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    int problem = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
    if (problem == 0) {
        problem = add_address(fd, "lo:1", kMetadata, 0xffffffff);
    }
    if (problem == 0) {
        problem = add_address(fd, "lo:2", kWireserver, 0xffffffff);
    }
    if (problem == 0 && prefix > 0) {
        problem = add_address(fd, "lo:3", subnet + 1, ~0U << (32 - prefix));
    }
    ::close(fd);
    return problem;
}

namespace {

// The right to listen below 1024 ends with exec in a user namespace without a root of its own.
void free_ports() {
    const int fd = ::open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        [[maybe_unused]] const ssize_t written = ::write(fd, "0", 1);
        ::close(fd);
    }
}

}  // namespace

int unshare_network(std::uint32_t subnet, unsigned prefix) {
    const int flags = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
    if (::unshare(flags) != 0) {
        return errno;
    }
    free_ports();
    return prepare_loopback(subnet, prefix);
}

int join_network(const char* user, const char* network) {
    if (user[0] != '\0') {
        const int fd = ::open(user, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || ::setns(fd, CLONE_NEWUSER) != 0) {
            return errno;
        }
    }
    const int fd = ::open(network, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && ::setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
}

void enter_network_of(Command& command, int pid) {
    const std::string base = fmt::format("/proc/{}/ns/", pid);
    const std::string user = ::geteuid() == 0 ? "" : base + "user";
    command.before_exec = [user, network = base + "net", parent = ::getpid()] {
        const int problem = join_network(user.c_str(), network.c_str());
        return problem != 0 ? problem : end_with_parent(parent);
    };
}

int end_with_parent(int parent) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        return errno;
    }
    return ::getppid() == parent ? 0 : ECANCELED;
}

}  // namespace tarn::emulator
