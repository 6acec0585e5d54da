// SPDX-License-Identifier: MIT
#include "image/detail/xattrs.hh"

#include "base/strings.hh"

namespace tarn::image {
namespace {

constexpr std::string_view kSetAlready = "security.capability";
// debugfs reads lines into a buffer of 8192 bytes.
constexpr std::size_t kLongestLine = 8000;

std::string quoted(std::string_view text) {
    return '"' + replace_all(std::string(text), "\"", "\"\"") + '"';
}

// The escapes of C, which debugfs undoes in values.
std::string escaped(std::string_view value) {
    std::string out = "\"";
    for (const char c : value) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_' || c == ':' || c == '.';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        }
    }
    return out + '"';
}

}  // namespace

Result<std::string> xattr_commands(const Tree& tree) {
    std::string out;
    for (const TreeEntry& entry : tree.entries()) {
        if (!entry.hardlink.empty()) {
            continue;
        }
        for (const auto& [name, value] : entry.xattrs) {
            if (name == kSetAlready) {
                continue;
            }
            const std::string line = fmt::format(
                "ea_set {} {} {}\n", quoted("/" + entry.path), quoted(name), escaped(value));
            const bool one_line = line.find_first_of("\r\n") == line.size() - 1 &&
                                  line.find('\0') == std::string::npos;
            if (!one_line || line.size() > kLongestLine) {
                return fail(error(ErrorKind::kFailed,
                                  "{} of /{} cannot be written to ext4: its name or value does not "
                                  "fit one line of debugfs",
                                  name,
                                  escaped(entry.path))
                                .advise("rename the file, or use filesystem = \"erofs\""));
            }
            out += line;
        }
    }
    return out;
}

}  // namespace tarn::image
