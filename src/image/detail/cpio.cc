// SPDX-License-Identifier: MIT
#include "image/detail/cpio.hh"

#include "image/detail/bytes.hh"

#include <algorithm>

namespace tarn::image {
namespace {

void pad4(std::string& out) {
    out.resize(align_up(out.size(), 4), '\0');
}

}  // namespace

Result<void> CpioWriter::add(std::string_view path, const Head& head, std::string_view bytes) {
    if (bytes.size() > 0xffffffffu) {
        return fail(ErrorKind::kFailed, "`{}` is larger than cpio can say", path);
    }
    const auto time = static_cast<std::uint32_t>(std::clamp<std::int64_t>(mtime_, 0, 0xffffffff));
    out_ += fmt::format(
        "070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}"
        "{:08X}{:08X}",
        next_inode_++,
        head.mode,
        0,
        0,
        head.links,
        time,
        bytes.size(),
        0,
        0,
        head.major,
        head.minor,
        path.size() + 1,
        0);
    out_.append(path).push_back('\0');
    pad4(out_);
    out_.append(bytes);
    pad4(out_);
    return {};
}

Result<void> CpioWriter::directory(std::string_view path, unsigned mode) {
    return add(path, {0040000u | mode, 2}, {});
}

Result<void> CpioWriter::file(std::string_view path, unsigned mode, std::string_view bytes) {
    return add(path, {0100000u | mode}, bytes);
}

Result<void> CpioWriter::symlink(std::string_view path, std::string_view target) {
    return add(path, {0120777u}, target);
}

Result<void> CpioWriter::character_device(std::string_view path,
                                          unsigned mode,
                                          unsigned major,
                                          unsigned minor) {
    return add(path, {0020000u | mode, 1, major, minor}, {});
}

std::string CpioWriter::finish() && {
    next_inode_ = 0;
    mtime_ = 0;
    // The trailer's few bytes cannot be too large.
    static_cast<void>(add("TRAILER!!!", {}, {}));
    out_.resize(align_up(out_.size(), 512), '\0');
    return std::move(out_);
}

}  // namespace tarn::image
