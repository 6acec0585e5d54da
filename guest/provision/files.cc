// SPDX-License-Identifier: MIT
#include "provision/files.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "provision/passwd.hh"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tarn::guest {
namespace {

constexpr std::uint64_t kLimit = 64u << 20;

// Whether the nearest directory that is there can be written by somebody who is not root: then
// links in it are not to be trusted.
bool is_in_others_hands(const Machine& machine, const std::string& path) {
    std::string place;
    const std::string parent = parent_path(path);
    for (const std::string_view part : split(parent, '/')) {
        if (part.empty()) {
            continue;
        }
        place += "/" + std::string(part);
        const auto opened = machine.open_path(place, O_PATH | O_DIRECTORY);
        struct stat info{};
        if (!opened || ::fstat(opened->get(), &info) != 0) {
            return false;
        }
        const bool sticky_for_all = (info.st_mode & 0002) != 0;
        if ((info.st_uid != 0 && info.st_uid != ::geteuid()) || sticky_for_all) {
            return true;
        }
    }
    return false;
}

Result<std::string> appended(const Machine& machine,
                             const FileToWrite& file,
                             const std::string& state,
                             std::size_t number,
                             Links links) {
    std::string old;
    auto opened = machine.open_path(file.path, O_RDONLY | O_NONBLOCK, 0, links);
    if (opened) {
        struct stat info{};
        if (::fstat(opened->get(), &info) != 0) {
            return fail(sys_error("look at", file.path));
        }
        if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) > kLimit) {
            return fail(ErrorKind::kFailed, "cannot add to {}: no file, or too large", file.path);
        }
        old = TARN_TRY(
            pread_exact(opened->get(), 0, static_cast<std::size_t>(info.st_size), file.path));
    } else if (opened.error().kind != ErrorKind::kNotFound) {
        return fail(std::move(opened.error()));
    }
    // How long it was before, written down before it grows.
    const std::string note = fmt::format("{}/append-{}", state, number);
    const auto noted = parse_u64(trim(machine.read(note, 64).value_or("")));
    if (noted && *noted + file.bytes.size() == old.size() && old.ends_with(file.bytes)) {
        return old;
    }
    TARN_TRY(machine.make_directory(state, 0700, Owner{}));
    TARN_TRY(machine.write(note, std::to_string(old.size()) + "\n", 0600, Owner{}));
    return old + file.bytes;
}

}  // namespace

Result<void> write_file(const Machine& machine,
                        const FileToWrite& file,
                        const std::string& state,
                        std::size_t number) {
    const Links links =
        is_in_others_hands(machine, file.path) ? Links::kRefuse : Links::kFollowBelowRoot;
    const Owner owner = file.owner.empty() ? Owner{} : TARN_TRY(look_up_owner(machine, file.owner));
    const std::string directory = parent_path(file.path);
    if (!directory.empty() && directory != "/") {
        const Owner above = links == Links::kRefuse ? owner : Owner{};
        TARN_TRY(machine.make_directory(directory, 0755, above, links));
    }
    const std::string bytes =
        file.append ? TARN_TRY(appended(machine, file, state, number, links)) : file.bytes;
    return machine.write(file.path, bytes, file.mode, owner, links);
}

}  // namespace tarn::guest
