// SPDX-License-Identifier: MIT
#include "baseline/detail/journal.hh"

#include "base/base64.hh"
#include "base/fs.hh"
#include "base/strings.hh"

#include <fcntl.h>
#include <linux/openat2.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tarn::guest::baseline {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kKinds[] = {"file", "runtime", "mode", "link"};
constexpr std::size_t kLimit = 16u << 20;

Json place_json(const Place& place) {
    return {{"kind", kKinds[static_cast<std::size_t>(place.kind)]},
            {"path", place.path},
            {"existed", place.existed},
            {"before", base64(place.before)},
            {"after", base64(place.after)},
            {"mode", place.mode},
            {"uid", place.uid},
            {"gid", place.gid},
            {"new-mode", place.new_mode},
            {"new-uid", place.new_uid},
            {"new-gid", place.new_gid}};
}

Result<Place> place_of(const Json& json) {
    Place place;
    const std::string kind = json.at("kind").get<std::string>();
    const auto found = std::find(std::begin(kKinds), std::end(kKinds), kind);
    if (found == std::end(kKinds)) {
        return fail(ErrorKind::kCorrupt, "`{}` is no kind of change", kind);
    }
    place.kind = static_cast<PlaceKind>(found - std::begin(kKinds));
    place.path = json.at("path").get<std::string>();
    if (!place.path.starts_with('/')) {
        return fail(ErrorKind::kCorrupt, "`{}` is no absolute path", place.path);
    }
    place.existed = json.at("existed").get<bool>();
    const auto before = from_base64(json.at("before").get<std::string>());
    const auto after = from_base64(json.at("after").get<std::string>());
    if (!before || !after) {
        return fail(ErrorKind::kCorrupt, "{}: not base64", place.path);
    }
    place.before = *before;
    place.after = *after;
    place.mode = json.at("mode").get<std::uint32_t>();
    place.uid = json.at("uid").get<std::uint32_t>();
    place.gid = json.at("gid").get<std::uint32_t>();
    place.new_mode = json.at("new-mode").get<std::uint32_t>();
    place.new_uid = json.at("new-uid").get<std::uint32_t>();
    place.new_gid = json.at("new-gid").get<std::uint32_t>();
    return place;
}

}  // namespace

std::string write_record(const Record& record) {
    Json places = Json::array();
    for (const Place& place : record.places) {
        places.push_back(place_json(place));
    }
    const Json out = {{"version", 1},
                      {"unconfirmed", record.unconfirmed},
                      {"places", std::move(places)},
                      {"activate", record.activate}};
    return out.dump(1) + "\n";
}

Result<Record> parse_record(std::string_view text, const std::string& name) {
    try {
        const Json json = Json::parse(text);
        Record record;
        record.name = name;
        if (json.at("version").get<int>() != 1) {
            return fail(ErrorKind::kCorrupt, "{}: of another version", name);
        }
        record.unconfirmed = json.at("unconfirmed").get<bool>();
        for (const Json& one : json.at("places")) {
            record.places.push_back(TARN_TRY(place_of(one)));
        }
        record.activate = json.at("activate").get<std::vector<std::vector<std::string>>>();
        return record;
    } catch (const nlohmann::json::exception& e) {
        return fail(ErrorKind::kCorrupt, "{}: {}", name, e.what());
    }
}

Result<Files> Files::open(const std::string& root) {
    Fd fd = TARN_TRY(open_file(root, O_PATH | O_DIRECTORY));
    return Files(root, std::move(fd));
}

Result<Fd> Files::open_path(const std::string& path, int flags) const {
    open_how how{};
    how.flags = static_cast<__u64>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT;
    const std::string name = path == "/" ? "." : path.substr(path.starts_with('/') ? 1 : 0);
    const long fd = ::syscall(SYS_openat2, fd_.get(), name.c_str(), &how, sizeof how);
    if (fd < 0) {
        return fail(sys_error("open", path));
    }
    return Fd(static_cast<int>(fd));
}

Result<Fd> Files::parent_of(const std::string& path) const {
    const std::string directory = parent_path(path);
    std::string made;
    Fd parent = TARN_TRY(open_path("/", O_RDONLY | O_DIRECTORY));
    for (const std::string_view part : split(directory, '/')) {
        if (part.empty()) {
            continue;
        }
        made += "/" + std::string(part);
        auto next = open_path(made, O_RDONLY | O_DIRECTORY);
        if (!next && next.error().kind == ErrorKind::kNotFound) {
            if (::mkdirat(parent.get(), std::string(part).c_str(), 0755) != 0 && errno != EEXIST) {
                return fail(sys_error("make", made));
            }
            next = open_path(made, O_RDONLY | O_DIRECTORY);
        }
        if (!next) {
            return fail(std::move(next.error()));
        }
        parent = std::move(*next);
    }
    return parent;
}

Result<std::string> Files::read(const std::string& path) const {
    const Fd fd = TARN_TRY(open_path(path, O_RDONLY | O_NONBLOCK));
    std::string out;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(sys_error("read", path));
        }
        if (got == 0) {
            return out;
        }
        out.append(buffer, static_cast<std::size_t>(got));
        if (out.size() > kLimit) {
            return fail(ErrorKind::kCorrupt, "{} is larger than {} bytes", path, kLimit);
        }
    }
}

Result<void> Files::write(const std::string& path,
                          std::string_view bytes,
                          std::uint32_t mode,
                          std::uint32_t uid,
                          std::uint32_t gid) const {
    const Fd parent = TARN_TRY(parent_of(path));
    const std::string name = file_name(path);
    const std::string temporary = "." + name + ".tarn-baseline";
    ::unlinkat(parent.get(), temporary.c_str(), 0);
    const Fd fd(::openat(parent.get(),
                         temporary.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         0600));
    if (!fd) {
        return fail(sys_error("make", path));
    }
    const auto finish = [&]() -> Result<void> {
        TARN_TRY(write_all(fd.get(), bytes, path));
        if (::fchown(fd.get(), uid, gid) != 0 || ::fchmod(fd.get(), mode) != 0) {
            return fail(sys_error("give away", path));
        }
        // A file that was there keeps its SELinux label.
        if (const auto old = open_path(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)) {
            char label[4096];
            const ssize_t length = ::fgetxattr(old->get(), "security.selinux", label, sizeof label);
            if (length > 0) {
                ::fsetxattr(
                    fd.get(), "security.selinux", label, static_cast<std::size_t>(length), 0);
            }
        }
        if (::fsync(fd.get()) != 0 ||
            ::renameat(parent.get(), temporary.c_str(), parent.get(), name.c_str()) != 0 ||
            ::fsync(parent.get()) != 0) {
            return fail(sys_error("write", path));
        }
        return {};
    };
    auto done = finish();
    if (!done) {
        ::unlinkat(parent.get(), temporary.c_str(), 0);
    }
    return done;
}

Result<void> Files::remove(const std::string& path) const {
    const Fd parent = TARN_TRY(parent_of(path));
    if (::unlinkat(parent.get(), file_name(path).c_str(), 0) != 0 && errno != ENOENT) {
        return fail(sys_error("remove", path));
    }
    ::fsync(parent.get());
    return {};
}

Result<std::vector<std::string>> Files::list(const std::string& path) const {
    const Fd fd = TARN_TRY(open_path(path, O_RDONLY | O_DIRECTORY));
    return list_directory(fmt::format("/proc/self/fd/{}", fd.get()));
}

Result<void> Files::link(const std::string& path, const std::string& target) const {
    const Fd parent = TARN_TRY(parent_of(path));
    const std::string temporary = "." + file_name(path) + ".tarn-baseline";
    ::unlinkat(parent.get(), temporary.c_str(), 0);
    if (::symlinkat(target.c_str(), parent.get(), temporary.c_str()) != 0 ||
        ::renameat(parent.get(), temporary.c_str(), parent.get(), file_name(path).c_str()) != 0) {
        return fail(sys_error("link", path));
    }
    ::fsync(parent.get());
    return {};
}

Result<Place> Files::look(PlaceKind kind, const std::string& path) const {
    Place place;
    place.kind = kind;
    place.path = path;
    const auto fd = open_path(path, O_PATH | O_NOFOLLOW);
    if (!fd) {
        if (fd.error().kind != ErrorKind::kNotFound) {
            return fail(fd.error());
        }
        return place;
    }
    struct stat st{};
    if (::fstat(fd->get(), &st) != 0) {
        return fail(sys_error("look at", path));
    }
    place.existed = true;
    place.mode = place.new_mode = st.st_mode & 07777;
    place.uid = place.new_uid = st.st_uid;
    place.gid = place.new_gid = st.st_gid;
    if (kind == PlaceKind::kLink) {
        char target[4096];
        const ssize_t length = ::readlinkat(fd->get(), "", target, sizeof target);
        if (length < 0) {
            return fail(ErrorKind::kFailed, "{} is a unit of its own: it is not replaced", path);
        }
        place.before.assign(target, static_cast<std::size_t>(length));
    } else if (kind != PlaceKind::kMode) {
        if (kind == PlaceKind::kFile && !S_ISREG(st.st_mode)) {
            return fail(ErrorKind::kFailed, "{} is no file of its own: it is not replaced", path);
        }
        place.before = TARN_TRY(read(path));
    }
    return place;
}

Result<void> Files::apply(const Place& place) const {
    switch (place.kind) {
        case PlaceKind::kFile:
            return write(place.path, place.after, place.new_mode, place.new_uid, place.new_gid);
        case PlaceKind::kLink:
            return link(place.path, place.after);
        case PlaceKind::kRuntime: {
            const Fd fd = TARN_TRY(open_path(place.path, O_WRONLY));
            return write_all(fd.get(), place.after, place.path);
        }
        case PlaceKind::kMode:
            break;
    }
    const Fd fd = TARN_TRY(open_path(place.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (::fchown(fd.get(), place.new_uid, place.new_gid) != 0 ||
        ::fchmod(fd.get(), place.new_mode) != 0) {
        return fail(sys_error("change the mode of", place.path));
    }
    return {};
}

Result<bool> Files::revert(const Place& place) const {
    const Place now = TARN_TRY(look(place.kind, place.path));
    const auto same = [&](const std::string& text) { return trim(now.before) == trim(text); };
    if (place.kind == PlaceKind::kMode) {
        if (!now.existed || (now.mode == place.mode && now.uid == place.uid)) {
            return true;
        }
        if (now.mode != place.new_mode || now.uid != place.new_uid) {
            return false;
        }
    } else if (now.existed == place.existed && same(place.before)) {
        return true;  // never came to be, or is back already
    } else if (!now.existed || !same(place.after)) {
        return false;
    }
    if (!place.existed) {
        TARN_TRY(remove(place.path));
        return true;
    }
    Place back = place;
    back.after = place.before;
    back.new_mode = place.mode;
    back.new_uid = place.uid;
    back.new_gid = place.gid;
    TARN_TRY(apply(back));
    return true;
}

}  // namespace tarn::guest::baseline
