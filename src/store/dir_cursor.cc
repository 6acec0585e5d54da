// SPDX-License-Identifier: MIT
#include "store/detail/dir_cursor.hh"

#include "base/fs.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace tarn::detail {

namespace {

constexpr int kOpen = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool lies_in(std::string_view path, std::string_view directory) {
    return directory.empty() || path == directory ||
           (path.starts_with(directory) && path[directory.size()] == '/');
}

}  // namespace

std::string_view name_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<DirCursor> DirCursor::open(const std::string& directory) {
    Fd top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top) {
        return fail(sys_error("open", directory));
    }
    return DirCursor(directory, std::move(top));
}

std::string DirCursor::shown(std::string_view path) const {
    return path.empty() ? directory_ : join_path(directory_, path);
}

Result<int> DirCursor::enter(std::string_view path) {
    while (!lies_in(path, stack_.back().path)) {
        stack_.pop_back();
    }
    while (stack_.back().path.size() < path.size()) {
        const std::size_t begin = stack_.back().path.empty() ? 0 : stack_.back().path.size() + 1;
        std::string at(path.substr(0, path.find('/', begin)));
        const std::string name(at.substr(begin));
        const int parent = stack_.back().fd.get();
        Fd fd(::openat(parent, name.c_str(), kOpen));
        if (!fd && errno == ENOENT) {
            if (::mkdirat(parent, name.c_str(), 0755) != 0) {
                return fail(sys_error("make the directory", shown(at)));
            }
            fd = Fd(::openat(parent, name.c_str(), kOpen));
            // The mode asked for, whatever the umask.
            if (!fd || ::fchmod(fd.get(), 0755) != 0) {
                return fail(sys_error("make the directory", shown(at)));
            }
            made_.push_back(at);
        }
        if (!fd && (errno == ELOOP || errno == ENOTDIR)) {
            return fail(ErrorKind::kFailed, "{} is in the way: not a directory", shown(at));
        }
        if (!fd) {
            return fail(sys_error("open", shown(at)));
        }
        stack_.push_back({std::move(at), std::move(fd)});
    }
    return stack_.back().fd.get();
}

}  // namespace tarn::detail
