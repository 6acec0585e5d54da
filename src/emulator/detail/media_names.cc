// SPDX-License-Identifier: MIT
#include "emulator/detail/media_names.hh"

#include <algorithm>
#include <set>

namespace tarn::emulator {

namespace {
constexpr std::size_t kMaxFile = 64U << 20;

bool plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != '/'; });
}
}  // namespace

Result<void> check_media(const std::string& label, const std::vector<MediaFile>& files) {
    if (label.empty() || label.size() > 16 || !plain(label)) {
        return fail(ErrorKind::kUsage, "`{}` is no label: 1 to 16 characters of ASCII", label);
    }
    std::set<std::string> names;
    for (const MediaFile& file : files) {
        if (file.name.empty() || file.name.size() > 64 || !plain(file.name) || file.name == "." ||
            file.name == "..") {
            return fail(ErrorKind::kUsage,
                        "`{}` is no name of a file: 1 to 64 characters of ASCII without `/`",
                        file.name);
        }
        if (!names.insert(file.name).second) {
            return fail(ErrorKind::kUsage, "there are two files `{}`", file.name);
        }
        if (file.bytes.size() > kMaxFile) {
            return fail(ErrorKind::kUsage, "`{}` is larger than {} MiB", file.name, kMaxFile >> 20);
        }
    }
    return {};
}

}  // namespace tarn::emulator
