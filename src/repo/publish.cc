// SPDX-License-Identifier: MIT
// Publishing: a snapshot is built aside, appears by one rename, and becomes current by another.
#include "base/fs.hh"
#include "base/hash.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "repo/detail/fragments.hh"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <thread>

namespace tarn {

namespace {

using nlohmann::json;
using repo::Fragment;

constexpr int kFragmentVersion = 1;
constexpr const char* kRoom = "repo";
constexpr const char* kStagingPrefix = ".tmp-";

// Held while publishing, so that what lies in staging directories is known to be left over.
Result<Fd> lock_directory(const std::string& directory, const std::stop_token& stop) {
    const std::string path = directory + "/.lock";
    Fd fd = TARN_TRY(open_file(path, O_RDWR | O_CREAT, 0644));
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fail(sys_error("lock", path));
        }
        if (stop.stop_requested()) {
            return fail(ErrorKind::kInterrupted, "interrupted while waiting for {}", path);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return fd;
}

// A directory that is removed again unless it was renamed away.
struct Staging {
    std::string path;
    explicit Staging(std::string where) : path(std::move(where)) {}
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    ~Staging() {
        if (!path.empty()) {
            static_cast<void>(remove_tree(path));
        }
    }
};

Result<void> sweep_staging(const std::string& snapshots) {
    for (const std::string& each : TARN_TRY(list_directory(snapshots))) {
        if (each.starts_with(kStagingPrefix)) {
            TARN_TRY(remove_tree(join_path(snapshots, each)));
        }
    }
    return {};
}

std::string snapshot_id(const PublishRequest& request, const std::vector<Digest>& rpms) {
    KeyBuilder key("repo-snapshot", kFragmentVersion);
    std::vector<std::string> names;
    names.reserve(rpms.size());
    for (const Digest& each : rpms) {
        names.push_back(each.to_string());
    }
    key.field("packages", names)
        .field("key", request.key->info().fingerprint)
        .field("key-name", request.key_name)
        .field("revision", std::to_string(request.revision));
    return key.key().hex().substr(0, 16);
}

// Whether a snapshot holds all it should. It appeared by a rename, so anything missing was taken
// away afterwards; it is then made anew.
bool is_complete(const std::string& snapshot,
                 const std::vector<Digest>& rpms,
                 const std::string& key_name) {
    if (!path_exists(snapshot + "/repodata/repomd.xml") ||
        !path_exists(snapshot + "/repodata/repomd.xml.asc") ||
        !path_exists(snapshot + "/RPM-GPG-KEY-" + key_name)) {
        return false;
    }
    const auto metadata = list_directory(snapshot + "/repodata");
    if (!metadata || metadata->size() != 5) {
        return false;
    }
    std::vector<std::uint64_t> found;
    const auto letters = list_directory(snapshot + "/Packages");
    for (const std::string& letter : letters ? *letters : std::vector<std::string>{}) {
        const std::string directory = join_path(snapshot + "/Packages", letter);
        const auto names = list_directory(directory);
        for (const std::string& name : names ? *names : std::vector<std::string>{}) {
            struct stat info{};
            if (::stat(join_path(directory, name).c_str(), &info) == 0) {
                found.push_back(static_cast<std::uint64_t>(info.st_size));
            }
        }
    }
    std::vector<std::uint64_t> wanted;
    wanted.reserve(rpms.size());
    for (const Digest& each : rpms) {
        wanted.push_back(each.size);
    }
    std::sort(found.begin(), found.end());
    std::sort(wanted.begin(), wanted.end());
    return found == wanted;
}

// ---- fragments, kept in the store --------------------------------------------------------------

std::optional<Fragment> parse_fragment(const std::string& text) {
    try {
        const json value = json::parse(text);
        return Fragment{value.at("name"),
                        value.at("evr"),
                        value.at("arch"),
                        value.at("location"),
                        value.at("primary"),
                        value.at("filelists"),
                        value.at("other")};
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

Result<Fragment> fragment_of(const Store& store, const Digest& rpm) {
    KeyBuilder builder("repo-fragment", kFragmentVersion);
    builder.field("rpm", rpm);
    const Digest key = builder.key();
    if (const auto text = store.result(kRoom, key)) {
        if (auto fragment = parse_fragment(*text)) {
            return std::move(*fragment);
        }
    }
    RepoPackage package{rpm, TARN_TRY(rpm::read_package(store, rpm)), {}};
    package.location = repo::location_of(package.info);
    Fragment out = repo::make_fragment(package);
    const json value{{"name", out.name},
                     {"evr", out.evr},
                     {"arch", out.arch},
                     {"location", out.location},
                     {"primary", out.primary},
                     {"filelists", out.filelists},
                     {"other", out.other}};
    TARN_TRY(
        store.put_result(kRoom, key, value.dump(-1, ' ', false, json::error_handler_t::replace)));
    return out;
}

// ---- writing the snapshot ----------------------------------------------------------------------

Result<void> copy_blob(const std::string& from, const std::string& to) {
    const MemoryMap map = TARN_TRY(MemoryMap::open(from));
    AtomicFile file = TARN_TRY(AtomicFile::create(to, 0644));
    TARN_TRY(file.write(map.bytes()));
    return file.commit();
}

Result<void> place_package(const Store& store, const Digest& rpm, const std::string& to) {
    const std::string blob = store.blob_path(rpm);
    if (::link(blob.c_str(), to.c_str()) == 0) {
        return {};
    }
    const int why = errno;
    // Another file system, one without hard links, or one more link than an inode can have.
    if (why == EXDEV || why == EPERM || why == EMLINK || why == EOPNOTSUPP || why == ENOSYS) {
        return copy_blob(blob, to);
    }
    return fail(sys_error("link " + blob + " to", to, why));
}

Result<void> write_packages(const Store& store,
                            const std::vector<Digest>& rpms,
                            const std::vector<Fragment>& fragments,
                            const std::string& staging,
                            const std::stop_token& stop) {
    std::set<std::string> directories;
    for (const Fragment& each : fragments) {
        directories.insert(parent_path(each.location));
    }
    TARN_TRY(make_directories(staging + "/Packages"));
    for (const std::string& each : directories) {
        TARN_TRY(make_directories(join_path(staging, each)));
    }
    for (std::size_t i = 0; i < rpms.size(); ++i) {
        if (stop.stop_requested()) {
            return fail(ErrorKind::kInterrupted, "interrupted");
        }
        TARN_TRY(place_package(store, rpms[i], join_path(staging, fragments[i].location)));
    }
    return {};
}

Result<void> write_repodata(const PublishRequest& request,
                            std::vector<Fragment> fragments,
                            const std::string& staging) {
    const Repodata repodata =
        TARN_TRY(repo::assemble(std::move(fragments), request.revision, request.jobs));
    TARN_TRY(make_directories(staging + "/repodata"));
    for (const auto& [name, bytes] : repodata.files) {
        TARN_TRY(write_file_atomic(join_path(staging + "/repodata", name), bytes));
        if (name == "repomd.xml") {
            const std::string signature =
                TARN_TRY(request.key->sign_detached_armored(bytes, request.revision));
            TARN_TRY(write_file_atomic(staging + "/repodata/repomd.xml.asc", signature));
        }
    }
    return write_file_atomic(staging + "/RPM-GPG-KEY-" + request.key_name,
                             request.key->public_key_armored());
}

Result<void> build_snapshot(const Store& store,
                            const PublishRequest& request,
                            const std::vector<Digest>& rpms,
                            const std::string& snapshot,
                            Reporter& reporter) {
    std::vector<Fragment> fragments(rpms.size());
    reporter.begin("publish", rpms.size(), "packages");
    auto made =
        parallel_for(rpms.size(), request.jobs, request.stop, [&](std::size_t i) -> Result<void> {
            fragments[i] = TARN_TRY(fragment_of(store, rpms[i]));
            reporter.advance(i + 1, fragments[i].name);
            return {};
        });
    reporter.end();
    TARN_TRY(std::move(made));
    const std::string parent = parent_path(snapshot);
    TARN_TRY(sweep_staging(parent));
    Staging staging(fmt::format("{}/{}{}", parent, kStagingPrefix, ::getpid()));
    TARN_TRY(make_directories(staging.path));
    TARN_TRY(write_packages(store, rpms, fragments, staging.path, request.stop));
    TARN_TRY(write_repodata(request, std::move(fragments), staging.path));
    TARN_TRY(remove_tree(snapshot));  // an incomplete one
    TARN_TRY(rename_path(staging.path, snapshot));
    staging.path.clear();
    return {};
}

}  // namespace

Result<Published> publish(const Store& store, const PublishRequest& request, Reporter& reporter) {
    TARN_CHECK(request.key != nullptr);
    if (!safe_relative_path(request.key_name, Absolute::kRefuse) ||
        contains(request.key_name, "/")) {
        return fail(ErrorKind::kUsage, "`{}` cannot be the name of a key", request.key_name);
    }
    const std::set<Digest> unique(request.rpms.begin(), request.rpms.end());
    const std::vector<Digest> rpms(unique.begin(), unique.end());
    Published out;
    out.snapshot = snapshot_id(request, rpms);
    out.path = fmt::format("{}/snapshots/{}", request.directory, out.snapshot);
    out.packages = rpms.size();
    for (const Digest& each : rpms) {
        out.bytes += each.size;
    }
    TARN_TRY(make_directories(request.directory + "/snapshots"));
    const Fd lock = TARN_TRY(lock_directory(request.directory, request.stop));
    const std::string current = request.directory + "/current";
    const std::string target = "snapshots/" + out.snapshot;
    const auto before = read_symlink(current);
    if (!is_complete(out.path, rpms, request.key_name)) {
        TARN_TRY(build_snapshot(store, request, rpms, out.path, reporter));
    } else {
        out.unchanged = before && *before == target;
    }
    if (!before || *before != target) {
        TARN_TRY(replace_symlink(target, current));
    }
    return out;
}

}  // namespace tarn
