// SPDX-License-Identifier: MIT
#include "exec/detail/mounts.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <set>

namespace tarn::detail {

namespace {

// More arguments than this bubblewrap 0.8 does not take (9000 words, three a mount).
constexpr std::size_t kMaxWords = 8000;

struct Seen {
    bool exists = false;
    struct stat info{};
};

Seen look(const std::string& path) {
    Seen seen;
    seen.exists = ::lstat(path.c_str(), &seen.info) == 0;
    return seen;
}

std::string on_host(const std::string& root, const std::string& path) {
    return path == "/" ? root : root + path;
}

const Mount* covering(const std::vector<Mount>& earlier, const std::string& target) {
    for (auto mount = earlier.rbegin(); mount != earlier.rend(); ++mount) {
        if (mount->target != target && lies_in(target, mount->target)) {
            return &*mount;
        }
    }
    return nullptr;
}

Result<bool> source_is_directory(const Mount& mount) {
    if (mount.kind != MountKind::kBind) {
        return true;
    }
    struct stat info{};
    if (::stat(mount.source.c_str(), &info) != 0) {
        return fail(sys_error("mount", mount.source));
    }
    return S_ISDIR(info.st_mode);
}

// What the composition of "/" needs to know.
class Composer {
  public:
    Composer(const Sandbox& sandbox, const std::vector<Mount>& mounts)
        : sandbox_(sandbox), mounts_(mounts) {}

    Result<std::vector<std::string>> arguments() {
        std::vector<Mount> placed;
        for (const Mount& mount : mounts_) {
            if (TARN_TRY(fits(mount, placed))) {
                placed.push_back(mount);
            }
        }
        if (opened_.empty()) {
            add({sandbox_.root_writable ? "--bind" : "--ro-bind", sandbox_.root, "/"});
        } else {
            TARN_TRY(open_directory("/"));
        }
        for (const Mount& mount : placed) {
            add_mount(mount);
        }
        if (!opened_.empty()) {
            add({"--remount-ro", "/"});
        }
        if (words_.size() > kMaxWords) {
            return fail(ErrorKind::kFailed,
                        "a mount point is missing in a directory of {} with too many entries",
                        sandbox_.root);
        }
        return std::move(words_);
    }

  private:
    void add(std::initializer_list<std::string> words) {
        words_.insert(words_.end(), words.begin(), words.end());
    }

    // Whether the mount can be made; false for one of our own that there is no place for.
    Result<bool> fits(const Mount& mount, const std::vector<Mount>& placed) {
        const Mount* cover = covering(placed, mount.target);
        const std::string& base = cover != nullptr ? cover->source : sandbox_.root;
        const bool writable = cover != nullptr ? cover->writable : sandbox_.root_writable;
        if (cover != nullptr && cover->kind != MountKind::kBind) {
            return true;  // a fresh tmpfs takes anything
        }
        const std::string inside =
            cover != nullptr ? mount.target.substr(cover->target.size()) : mount.target;
        const Seen seen = look(on_host(base, inside));
        const bool directory = TARN_TRY(source_is_directory(mount));
        if (seen.exists) {
            if (S_ISDIR(seen.info.st_mode) == directory && !S_ISLNK(seen.info.st_mode)) {
                return true;
            }
            return fail(ErrorKind::kFailed,
                        "cannot mount at {}: there is {} in {}",
                        mount.target,
                        directory ? "something that is no directory" : "no plain file",
                        base);
        }
        if (writable) {
            return true;
        }
        if (cover == nullptr) {
            open_way_to(mount.target);
            return true;
        }
        if (mount.kind != MountKind::kBind) {
            return false;
        }
        return fail(ErrorKind::kFailed,
                    "cannot mount at {}: it is missing in what is mounted read-only at {}",
                    mount.target,
                    cover->target);
    }

    void open_way_to(const std::string& target) {
        std::string at = parent_path(target);
        while (true) {
            if (at.empty()) {
                at = "/";
            }
            if (look(on_host(sandbox_.root, at)).exists) {
                opened_.insert(at);
            }
            if (at == "/") {
                return;
            }
            at = parent_path(at);
        }
    }

    Result<void> open_directory(const std::string& path) {
        if (path != "/") {
            add({"--perms", "0755", "--dir", path});
        }
        const std::string directory = on_host(sandbox_.root, path);
        for (const std::string& name : TARN_TRY(list_directory(directory))) {
            const std::string child = (path == "/" ? "" : path) + "/" + name;
            if (opened_.contains(child)) {
                TARN_TRY(open_directory(child));
                continue;
            }
            const std::string source = join_path(directory, name);
            const Seen seen = look(source);
            if (S_ISLNK(seen.info.st_mode)) {
                add({"--symlink", TARN_TRY(read_symlink(source)), child});
            } else if (S_ISDIR(seen.info.st_mode) || S_ISREG(seen.info.st_mode)) {
                add({"--ro-bind", source, child});
            }
        }
        return {};
    }

    void add_mount(const Mount& mount) {
        switch (mount.kind) {
            case MountKind::kProc:
                add({"--proc", mount.target});
                break;
            case MountKind::kDev:
                add({"--dev", mount.target});
                break;
            case MountKind::kTmpfs:
                add({"--perms", mount.target == "/run" ? "0755" : "1777", "--tmpfs", mount.target});
                break;
            case MountKind::kBind: {
                struct stat info{};
                const bool device =
                    ::stat(mount.source.c_str(), &info) == 0 && S_ISCHR(info.st_mode);
                add({device           ? "--dev-bind"
                     : mount.writable ? "--bind"
                                      : "--ro-bind",
                     mount.source,
                     mount.target});
                break;
            }
        }
    }

    const Sandbox& sandbox_;
    const std::vector<Mount>& mounts_;
    std::set<std::string> opened_;
    std::vector<std::string> words_;
};

}  // namespace

bool lies_in(std::string_view path, std::string_view directory) {
    return directory == "/" || path == directory ||
           (path.starts_with(directory) && path[directory.size()] == '/');
}

std::vector<Mount> own_mounts() {
    return {{MountKind::kProc, "/proc"},
            {MountKind::kDev, "/dev"},
            {MountKind::kTmpfs, "/tmp"},
            {MountKind::kTmpfs, "/var/tmp"},
            {MountKind::kTmpfs, "/run"}};
}

Result<std::string> resolve_in_root(const std::string& root, const std::string& path) {
    std::deque<std::string> rest;
    for (const std::string_view part : split(path, '/')) {
        rest.emplace_back(part);
    }
    std::string done;  // "" is the root
    int links = 0;
    while (!rest.empty()) {
        const std::string part = std::move(rest.front());
        rest.pop_front();
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == "..") {
            done = done.substr(0, done.rfind('/') == std::string::npos ? 0 : done.rfind('/'));
            continue;
        }
        const std::string next = done + "/" + part;
        const Seen seen = look(root + next);
        if (!seen.exists || !S_ISLNK(seen.info.st_mode)) {
            done = next;
            continue;
        }
        if (++links > 40) {
            return fail(ErrorKind::kFailed, "{} of {}: a loop of links", path, root);
        }
        const std::string target = TARN_TRY(read_symlink(root + next));
        if (target.starts_with('/')) {
            done.clear();
        }
        std::deque<std::string> parts;
        for (const std::string_view piece : split(target, '/')) {
            parts.emplace_back(piece);
        }
        rest.insert(rest.begin(), parts.begin(), parts.end());
    }
    return done.empty() ? "/" : done;
}

Result<std::vector<Mount>> plan_mounts(const Sandbox& sandbox) {
    std::vector<Mount> mounts;
    for (const Bind& bind : sandbox.binds) {
        if (!bind.target.starts_with('/')) {
            return fail(ErrorKind::kFailed, "the mount point `{}` is not absolute", bind.target);
        }
        const std::string folded = absolute_path(bind.target, "/");
        std::string target = TARN_TRY(resolve_in_root(sandbox.root, folded));
        if (target == "/") {
            return fail(ErrorKind::kFailed, "cannot mount over the root of the sandbox");
        }
        mounts.push_back({MountKind::kBind, std::move(target), bind.source, bind.writable});
    }
    for (Mount& own : own_mounts()) {
        own.target = TARN_TRY(resolve_in_root(sandbox.root, own.target));
        const bool taken = std::any_of(mounts.begin(), mounts.end(), [&](const Mount& mount) {
            return mount.target == own.target;
        });
        if (!taken) {
            mounts.push_back(std::move(own));
        }
    }
    std::sort(mounts.begin(), mounts.end(), [](const Mount& a, const Mount& b) {
        return a.target < b.target;
    });
    for (std::size_t i = 1; i < mounts.size(); ++i) {
        if (mounts[i].target == mounts[i - 1].target) {
            return fail(ErrorKind::kFailed, "two mounts at {}", mounts[i].target);
        }
    }
    return mounts;
}

Result<std::vector<std::string>> mount_arguments(const Sandbox& sandbox) {
    const std::vector<Mount> mounts = TARN_TRY(plan_mounts(sandbox));
    return Composer(sandbox, mounts).arguments();
}

}  // namespace tarn::detail
