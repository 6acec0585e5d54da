// SPDX-License-Identifier: MIT
#include "base/result.hh"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tarn {

namespace {

ErrorKind kind_of_errno(int value) {
    switch (value) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return ErrorKind::kNoSpace;
        case ENOENT:
        case ENOTDIR:
            return ErrorKind::kNotFound;
        default:
            return ErrorKind::kSystem;
    }
}

}  // namespace

Error sys_error(std::string_view what, std::string_view path, int errno_value) {
    Error result = error(kind_of_errno(errno_value),
                         "cannot {} {}: {}",
                         what,
                         path,
                         std::strerror(errno_value));
    if (result.kind == ErrorKind::kNoSpace) {
        result.help.emplace_back("free some space and run the same command again");
    }
    return result;
}

Error sys_error(std::string_view what, std::string_view path) {
    return sys_error(what, path, errno);
}

void check_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "tarn: internal error: %s:%d: %s\n", file, line, expression);
    std::abort();
}

}  // namespace tarn
