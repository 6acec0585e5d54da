// SPDX-License-Identifier: MIT
#include "store/detail/scan.hh"

#include "base/fd.hh"
#include "store/detail/layout.hh"
#include "store/detail/tree_text.hh"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tarn::detail {

namespace {

// No directory is the same as an empty one.
Result<std::vector<std::string>> names_of(const std::string& directory) {
    Result<std::vector<std::string>> names = list_directory(directory);
    if (!names && names.error().kind == ErrorKind::kNotFound) {
        return std::vector<std::string>();
    }
    return names;
}

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

void add_totals(const std::string& path, SeenInodes& seen, TreeTotals& totals) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) {
        return;
    }
    totals.newest = std::max({totals.newest, info.st_mtim.tv_sec, info.st_ctim.tv_sec});
    if (seen.insert({info.st_dev, info.st_ino}).second) {
        totals.allocated += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
    if (!S_ISDIR(info.st_mode)) {
        totals.files += 1;
        totals.own_bytes += info.st_nlink == 1 ? static_cast<std::uint64_t>(info.st_size) : 0;
        return;
    }
    if (const auto names = names_of(path)) {
        for (const std::string& name : *names) {
            add_totals(join_path(path, name), seen, totals);
        }
    }
}

}  // namespace

Result<std::vector<StoredFile>> direct_files(const std::string& directory) {
    std::vector<StoredFile> result;
    for (std::string& name : TARN_TRY(names_of(directory))) {
        StoredFile file;
        file.path = join_path(directory, name);
        file.name = std::move(name);
        if (::lstat(file.path.c_str(), &file.info) == 0) {
            result.push_back(std::move(file));
        }
    }
    return result;
}

Result<std::vector<StoredFile>> sharded_files(const std::string& directory) {
    std::vector<StoredFile> result;
    for (const std::string& shard : TARN_TRY(names_of(directory))) {
        std::vector<StoredFile> files = TARN_TRY(direct_files(join_path(directory, shard)));
        std::move(files.begin(), files.end(), std::back_inserter(result));
    }
    return result;
}

Result<std::vector<StoredFile>> result_files(const Store& store) {
    std::vector<StoredFile> result;
    const std::string top = join_path(store.directory(), kResults);
    for (const std::string& room : TARN_TRY(names_of(top))) {
        std::vector<StoredFile> files = TARN_TRY(sharded_files(join_path(top, room)));
        std::move(files.begin(), files.end(), std::back_inserter(result));
    }
    return result;
}

TreeTotals totals_of(const std::string& path, SeenInodes& seen) {
    TreeTotals totals;
    add_totals(path, seen, totals);
    return totals;
}

void mentioned(std::string_view text, DigestSet& out) {
    std::size_t slash = text.find('/');
    for (; slash != std::string_view::npos; slash = text.find('/', slash + 1)) {
        if (slash < 64) {
            continue;
        }
        const std::string_view hex = text.substr(slash - 64, 64);
        if (!std::all_of(hex.begin(), hex.end(), is_hex_digit)) {
            continue;
        }
        std::size_t end = slash + 1;
        while (end < text.size() && text[end] >= '0' && text[end] <= '9') {
            ++end;
        }
        if (const auto digest = Digest::parse(text.substr(slash - 64, end - slash + 64))) {
            out.insert(*digest);
        }
    }
}

void reach(const Store& store, const Digest& digest, DigestSet& out) {
    // A look at the first bytes, so that large blobs are not read only to find they are no trees.
    const Fd fd(::open(store.blob_path(digest).c_str(), O_RDONLY | O_CLOEXEC));
    char head[kTreeHeader.size()];
    if (!fd || ::pread(fd.get(), head, sizeof head, 0) != static_cast<ssize_t>(sizeof head) ||
        std::string_view(head, sizeof head) != kTreeHeader) {
        return;
    }
    if (const Result<Tree> tree = store.read_tree(digest)) {
        for (const TreeEntry& entry : tree->entries()) {
            if (entry.kind == EntryKind::kFile) {
                out.insert(entry.content);
            }
        }
    }
}

Result<void> reach_failed(const Store& store, DigestSet& out) {
    for (const StoredFile& run : TARN_TRY(direct_files(join_path(store.directory(), kFailed)))) {
        for (const StoredFile& file : TARN_TRY(direct_files(run.path))) {
            if (!S_ISREG(file.info.st_mode)) {
                continue;
            }
            // action.json, the log, and the trees of the inputs: all name blobs in one way.
            if (const Result<std::string> text = read_file(file.path)) {
                mentioned(*text, out);
            }
        }
    }
    return {};
}

}  // namespace tarn::detail
