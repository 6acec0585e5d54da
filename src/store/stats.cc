// SPDX-License-Identifier: MIT
#include "base/fd.hh"
#include "base/hash.hh"
#include "base/parallel.hh"
#include "store/detail/layout.hh"
#include "store/detail/scan.hh"
#include "store/store.hh"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tarn {

using detail::StoredFile;

Result<StoreStats> store_stats(const Store& store) {
    StoreStats stats;
    detail::SeenInodes seen;
    for (const StoredFile& file :
         TARN_TRY(detail::sharded_files(join_path(store.directory(), detail::kBlobs)))) {
        stats.blobs += 1;
        stats.blob_bytes += static_cast<std::uint64_t>(file.info.st_size);
    }
    stats.results = TARN_TRY(detail::result_files(store)).size();
    stats.roots =
        TARN_TRY(detail::direct_files(join_path(store.directory(), detail::kRoots))).size();
    stats.temporary = TARN_TRY(detail::direct_files(store.temporary_directory())).size();
    stats.allocated_bytes = detail::totals_of(store.directory(), seen).allocated;
    return stats;
}

namespace {

// Reads without leaving a mark: looking after the store is no use of its blobs.
Result<std::string> hash_of(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME));
    if (!fd && errno == EPERM) {
        fd = TARN_TRY(open_file(path, O_RDONLY | O_NOFOLLOW));
    }
    if (!fd) {
        return fail(sys_error("open", path));
    }
    Hasher hasher;
    std::vector<char> buffer(1U << 18U);
    while (true) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno != EINTR) {
            return fail(sys_error("read", path));
        }
        if (n == 0) {
            return hasher.finish_hex();
        }
        if (n > 0) {
            hasher.update({buffer.data(), static_cast<std::size_t>(n)});
        }
    }
}

std::string problem_of_blob(const StoredFile& file) {
    const auto size = static_cast<std::uint64_t>(file.info.st_size);
    if (!S_ISREG(file.info.st_mode) || !Digest::from_hex(file.name, size)) {
        return "not a blob: its name is no SHA-256";
    }
    const Result<std::string> hash = hash_of(file.path);
    if (!hash) {
        return hash.error().message;
    }
    return *hash == file.name ? std::string() : "its bytes are not what its name says";
}

// What a result's document promises and the store does not hold.
void check_result(const Store& store, const StoredFile& file, std::vector<StoreProblem>& problems) {
    const Result<std::string> text = read_file(file.path);
    if (!text || !nlohmann::json::accept(*text)) {
        problems.push_back({file.path, "not a JSON document"});
        return;
    }
    detail::DigestSet direct;
    detail::mentioned(*text, direct);
    detail::DigestSet all = direct;
    for (const Digest& digest : direct) {
        detail::reach(store, digest, all);
    }
    std::vector<std::string> missing;
    for (const Digest& digest : all) {
        struct stat info{};
        if (::lstat(store.blob_path(digest).c_str(), &info) != 0 ||
            static_cast<std::uint64_t>(info.st_size) != digest.size) {
            missing.push_back(digest.to_string());
        }
    }
    std::sort(missing.begin(), missing.end());
    for (const std::string& digest : missing) {
        problems.push_back({file.path, "names " + digest + ", which is not in the store"});
    }
}

}  // namespace

Result<std::vector<StoreProblem>> verify_store(const Store& store,
                                               unsigned jobs,
                                               std::stop_token stop) {
    std::vector<StoredFile> blobs =
        TARN_TRY(detail::sharded_files(join_path(store.directory(), detail::kBlobs)));
    std::vector<StoredFile> executables =
        TARN_TRY(detail::sharded_files(join_path(store.directory(), detail::kExecutables)));
    std::move(executables.begin(), executables.end(), std::back_inserter(blobs));
    std::vector<std::string> found(blobs.size());
    TARN_TRY(parallel_for(blobs.size(), jobs, stop, [&](std::size_t i) -> Result<void> {
        found[i] = problem_of_blob(blobs[i]);
        return {};
    }));
    std::vector<StoreProblem> problems;
    for (std::size_t i = 0; i < blobs.size(); ++i) {
        if (!found[i].empty() && path_exists(blobs[i].path)) {
            problems.push_back({blobs[i].path, std::move(found[i])});
        }
    }
    for (const StoredFile& file : TARN_TRY(detail::result_files(store))) {
        if (stop.stop_requested()) {
            return fail(ErrorKind::kInterrupted, "interrupted");
        }
        check_result(store, file, problems);
    }
    return problems;
}

}  // namespace tarn
