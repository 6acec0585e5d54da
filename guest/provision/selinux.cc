// SPDX-License-Identifier: MIT
#include "provision/selinux.hh"

#include "base/fd.hh"
#include "base/fs.hh"
#include "base/strings.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace tarn::guest {

namespace {

constexpr const char* kFscreate = "/proc/thread-self/attr/fscreate";

std::string without_nul(std::string text) {
    while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) {
        text.pop_back();
    }
    return text;
}

std::string label_of(int fd) {
    char buffer[4096];
    // An O_PATH descriptor has no attributes of its own to read; its name in /proc leads there.
    const ssize_t n = ::getxattr(
        fmt::format("/proc/self/fd/{}", fd).c_str(), "security.selinux", buffer, sizeof buffer);
    return n <= 0 ? std::string() : without_nul(std::string(buffer, static_cast<std::size_t>(n)));
}

// What the loaded policy says: "SOURCE TARGET CLASS NAME" written, the label read back.
std::string computed_label(int directory, const std::string& name) {
    const auto self = read_file("/proc/thread-self/attr/current", 4096);
    const auto file_class = read_file("/sys/fs/selinux/class/file/index", 64);
    const std::string parent = label_of(directory);
    const bool plain = name.find_first_of(" %\n\t+") == std::string::npos;
    if (!self || !file_class || parent.empty() || !plain) {
        return {};
    }
    const Fd fd(::open("/sys/fs/selinux/create", O_RDWR | O_CLOEXEC));
    const std::string question =
        fmt::format("{} {} {} {}", without_nul(*self), parent, trim(*file_class), name);
    if (!fd || ::write(fd.get(), question.data(), question.size()) < 0) {
        return {};
    }
    char buffer[4096];
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    return n <= 0 ? std::string() : without_nul(std::string(buffer, static_cast<std::size_t>(n)));
}

bool write_fscreate(const std::string& label) {
    const Fd fd(::open(kFscreate, O_WRONLY | O_CLOEXEC));
    return fd && ::write(fd.get(), label.data(), label.size()) >= 0;
}

}  // namespace

CreateLabel::CreateLabel(bool live, int directory, int existing, const std::string& name) {
    if (!live || ::access("/sys/fs/selinux/create", F_OK) != 0) {
        return;
    }
    const std::string label = existing >= 0 ? label_of(existing) : computed_label(directory, name);
    set_ = !label.empty() && write_fscreate(label);
}

CreateLabel::~CreateLabel() {
    if (set_) {
        write_fscreate("");
    }
}

}  // namespace tarn::guest
