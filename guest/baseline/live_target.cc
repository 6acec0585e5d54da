// SPDX-License-Identifier: MIT
#include "baseline/live_target.hh"

#include "base/process.hh"
#include "base/strings.hh"

#include "baseline/detail/netlink.hh"
#include "baseline/detail/parsers.hh"
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace tarn::guest::baseline {
namespace {

FileInfo info_of(const struct stat& st) {
    FileInfo info;
    info.kind = S_ISREG(st.st_mode)   ? FileKind::kFile
                : S_ISDIR(st.st_mode) ? FileKind::kDirectory
                : S_ISLNK(st.st_mode) ? FileKind::kLink
                                      : FileKind::kOther;
    info.mode = st.st_mode & 07777;
    info.uid = st.st_uid;
    info.gid = st.st_gid;
    info.size = static_cast<std::uint64_t>(st.st_size);
    return info;
}

struct Directory {
    explicit Directory(int fd) : stream(::fdopendir(fd)) {
        if (stream == nullptr) {
            ::close(fd);
        }
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        if (stream != nullptr) {
            ::closedir(stream);
        }
    }
    DIR* stream;
};

struct Walker {
    const Target::Visit& visit;
    std::string path;
    int depth = 0;

    // `fd` is taken. What cannot be read is passed over: it may vanish while it is looked at.
    void walk(int fd, dev_t device) {
        Directory directory(fd);
        if (directory.stream == nullptr || depth > 200) {
            return;
        }
        ++depth;
        const std::size_t length = path.size();
        while (const dirent* entry = ::readdir(directory.stream)) {
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") {
                continue;
            }
            struct stat st{};
            const int at = ::dirfd(directory.stream);
            if (::fstatat(at, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
                continue;
            }
            path += '/';
            path += name;
            if (st.st_dev == device) {
                visit(path, info_of(st));
                if (S_ISDIR(st.st_mode)) {
                    const int child = ::openat(
                        at, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                    if (child >= 0) {
                        walk(child, device);
                    }
                }
            }
            path.resize(length);
        }
        --depth;
    }
};

bool on_disk(std::string_view type) {
    constexpr std::string_view kTypes[] = {"ext2",
                                           "ext3",
                                           "ext4",
                                           "xfs",
                                           "btrfs",
                                           "f2fs",
                                           "erofs",
                                           "squashfs",
                                           "overlay",
                                           "tmpfs",
                                           "bcachefs"};
    return std::ranges::find(kTypes, type) != std::end(kTypes);
}

Result<std::string> run_rpm(std::vector<std::string> arguments, const std::string& root) {
    Command command;
    command.argv = {"rpm"};
    if (root != "/") {
        command.argv.insert(command.argv.end(), {"--root", root});
    }
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}};
    command.timeout = std::chrono::seconds(120);
    command.capture_limit = 8u << 20;
    const ProcessResult result = TARN_TRY(run(command));
    if (result.timed_out) {
        return fail(ErrorKind::kFailed, "rpm did not end within two minutes");
    }
    if (result.output.empty() && result.exit_code != 0) {
        return fail(ErrorKind::kFailed,
                    "rpm ended with code {}: {}",
                    result.exit_code,
                    result.errors.substr(0, 200));
    }
    return result.output;
}

}  // namespace

Result<LiveTarget> LiveTarget::open(const std::string& root) {
    Fd fd = TARN_TRY(open_file(root, O_PATH | O_DIRECTORY));
    return LiveTarget(root, std::move(fd));
}

Result<Fd> LiveTarget::open_path(const std::string& path, int flags) const {
    open_how how{};
    how.flags = static_cast<__u64>(flags | O_CLOEXEC);
    // Of the machine itself everything may be read, also through the kernel's own links of /proc.
    how.resolve = live() ? 0 : RESOLVE_IN_ROOT;
    const std::string_view relative = std::string_view(path).substr(path.starts_with('/') ? 1 : 0);
    const std::string name(relative.empty() ? "." : relative);
    const long fd = ::syscall(SYS_openat2, fd_.get(), name.c_str(), &how, sizeof how);
    if (fd < 0) {
        return fail(sys_error("open", path));
    }
    return Fd(static_cast<int>(fd));
}

Result<std::string> LiveTarget::read(const std::string& path, std::uint64_t limit) const {
    const Fd fd = TARN_TRY(open_path(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) {
        return fail(ErrorKind::kCorrupt, "{} is no file", path);
    }
    std::string out;
    for (;;) {
        const std::size_t before = out.size();
        const std::size_t step =
            std::clamp<std::size_t>(static_cast<std::size_t>(st.st_size) + 1, 4096, 1u << 20);
        out.resize(before + step);
        const ssize_t got = ::read(fd.get(), out.data() + before, step);
        out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(sys_error("read", path));
        }
        if (got == 0) {
            return out;
        }
        if (out.size() > limit) {
            return fail(ErrorKind::kCorrupt, "{} is larger than {} bytes", path, limit);
        }
    }
}

Result<FileInfo> LiveTarget::info(const std::string& path, Follow follow) const {
    const Fd fd = TARN_TRY(open_path(path, O_PATH | (follow == Follow::kNo ? O_NOFOLLOW : 0)));
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) {
        return fail(sys_error("look at", path));
    }
    return info_of(st);
}

Result<std::vector<std::string>> LiveTarget::list(const std::string& path) const {
    Fd fd = TARN_TRY(open_path(path, O_RDONLY | O_DIRECTORY));
    const Directory directory(fd.release());
    if (directory.stream == nullptr) {
        return fail(sys_error("read", path));
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory.stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    std::ranges::sort(names);
    return names;
}

Result<std::string> LiveTarget::link(const std::string& path) const {
    const Fd fd = TARN_TRY(open_path(path, O_PATH | O_NOFOLLOW));
    char target[4096];
    const ssize_t length = ::readlinkat(fd.get(), "", target, sizeof target);
    if (length < 0) {
        return fail(sys_error("read the link", path));
    }
    return std::string(target, static_cast<std::size_t>(length));
}

Result<std::string> LiveTarget::attribute(const std::string& path, const std::string& name) const {
    const Fd fd = TARN_TRY(open_path(path, O_PATH));
    char value[4096];
    const std::string place = fmt::format("/proc/self/fd/{}", fd.get());
    const ssize_t length = ::getxattr(place.c_str(), name.c_str(), value, sizeof value);
    if (length < 0) {
        return fail(sys_error("read an attribute of", path));
    }
    return std::string(value, static_cast<std::size_t>(length));
}

Result<void> LiveTarget::walk(const Visit& visit) const {
    std::vector<Mount> mounts;
    if (live()) {
        mounts = parse_mountinfo(TARN_TRY(read("/proc/self/mountinfo", 8u << 20)));
    } else {
        mounts.push_back({"/", "", "tmpfs", {}});
    }
    std::set<dev_t> seen;
    for (const Mount& mount : mounts) {
        if (!on_disk(mount.type) || mount.point.starts_with("/proc/") ||
            mount.point.starts_with("/sys/")) {
            continue;
        }
        auto fd = open_path(mount.point, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        struct stat st{};
        // A bind mount shows what another mount has shown.
        if (!fd || ::fstat(fd->get(), &st) != 0 || !seen.insert(st.st_dev).second) {
            continue;
        }
        visit(mount.point, info_of(st));
        Walker walker{visit, mount.point == "/" ? "" : mount.point};
        walker.walk(fd->release(), st.st_dev);
    }
    return {};
}

Result<std::vector<Package>> LiveTarget::packages() const {
    const std::string text =
        TARN_TRY(run_rpm({"-qa",
                          "--qf",
                          "%{NAME}\\t%{EVR}\\t%{ARCH}\\t"
                          "%|OPENPGP?{%{OPENPGP}}:{%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{%|DSAHEADER?"
                          "{%{DSAHEADER:pgpsig}}:{}|}|}|\\n"},
                         root_));
    std::vector<Package> out;
    for (const std::string_view line : split_lines(text)) {
        const auto fields = split(line, '\t');
        if (fields.size() == 4) {
            out.push_back({std::string(fields[0]),
                           std::string(fields[1]),
                           std::string(fields[2]),
                           std::string(fields[3])});
        }
    }
    return out;
}

Result<std::string> LiveTarget::verify_packages(const std::vector<std::string>& names) const {
    // --nodeps --noscripts: nothing of the packages is run.
    std::vector<std::string> arguments = {"-V", "--nodeps", "--noscripts", "--nomtime"};
    arguments.insert(arguments.end(), names.begin(), names.end());
    auto text = run_rpm(std::move(arguments), root_);
    return text;
}

Result<AuditState> LiveTarget::audit() const {
    if (!live()) {
        return fail(ErrorKind::kNotFound, "not a live machine");
    }
    return netlink_audit();
}

Result<std::vector<std::string>> LiveTarget::input_policies() const {
    if (!live()) {
        return fail(ErrorKind::kNotFound, "not a live machine");
    }
    return netlink_input_policies();
}

Result<std::string> LiveTarget::platform() const {
    constexpr const char* kSocket = "/run/tarn/metadata.sock";
    if (!live() || !exists(kSocket)) {
        return fail(ErrorKind::kNotFound, "{} is not there", kSocket);
    }
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string_view(kSocket).copy(address.sun_path, sizeof address.sun_path - 1);
    const timeval limit{2, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail(sys_error("connect to", kSocket));
    }
    // A Varlink message ends with a NUL byte.
    constexpr std::string_view kCall =
        R"({"method":"org.tarn.Metadata.Get","parameters":{"key":"/instance/compute"}})";
    TARN_TRY(write_all(fd.get(), std::string(kCall) + '\0', kSocket));
    std::string out;
    char buffer[16384];
    while (out.size() < (4u << 20)) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got <= 0) {
            return fail(ErrorKind::kNetwork, "{} gave no answer", kSocket);
        }
        out.append(buffer, static_cast<std::size_t>(got));
        if (const std::size_t end = out.find('\0'); end != std::string::npos) {
            out.resize(end);
            return out;
        }
    }
    return fail(ErrorKind::kCorrupt, "{} gives no end of an answer", kSocket);
}

Result<std::string> LiveTarget::command_line() const {
    return live() ? read("/proc/cmdline", 64u << 10) : read("/etc/kernel/cmdline", 64u << 10);
}

}  // namespace tarn::guest::baseline
