// SPDX-License-Identifier: MIT
// A published repository, trusted step by step: the key vouches for repomd.xml, repomd.xml for the
// metadata, the metadata for the packages.
#include "base/compress.hh"
#include "base/fs.hh"
#include "repo/detail/metadata.hh"

#include <set>
#include <unordered_map>
#include <unordered_set>

namespace tarn {

namespace {

constexpr std::uint64_t kMaxRepomd = 4u << 20;
constexpr std::uint64_t kMaxMetadata = 1ULL << 30;

Result<std::string> read_signed_repomd(const std::string& path, const Keyring& keyring) {
    const std::string name = path + "/repodata/repomd.xml";
    if (!path_exists(name)) {
        return fail(error(ErrorKind::kNotFound,
                          "{} is not a published repository: it has no "
                          "repodata/repomd.xml",
                          path)
                        .advise("publish one: tarn repo publish"));
    }
    std::string text = TARN_TRY(read_file(name, kMaxRepomd));
    if (!path_exists(name + ".asc")) {
        return fail(ErrorKind::kCorrupt, "{} is not signed: {}.asc is missing", name, name);
    }
    const std::string signature = TARN_TRY(read_file(name + ".asc", kMaxRepomd));
    if (auto verified = keyring.verify_detached(text, signature); !verified) {
        return fail(std::move(verified.error()).context(name));
    }
    return text;
}

// One metadata file, verified packed and unpacked.
Result<std::string> read_metadata(const std::string& path, const repo::DataFile& data) {
    const std::string name = join_path(path, data.location);
    if (data.digest.size > kMaxMetadata || data.open.size > kMaxMetadata) {
        return fail(ErrorKind::kCorrupt, "{}: larger than {} bytes", name, kMaxMetadata);
    }
    const std::string packed = TARN_TRY(read_file(name, kMaxMetadata));
    if (Digest::of(packed) != data.digest) {
        return fail(
            ErrorKind::kCorrupt, "{} is not what repomd.xml says: its digest differs", name);
    }
    auto text = decompress(packed, detect_compression(packed), data.open.size);
    if (!text) {
        return fail(std::move(text.error()).context(name));
    }
    if (Digest::of(*text) != data.open) {
        return fail(ErrorKind::kCorrupt, "{} does not unpack to what repomd.xml says", name);
    }
    return std::move(*text);
}

// Paths that are required but that primary.xml does not list.
std::set<std::string> missing_paths(const std::vector<RepoIndex::Item>& items) {
    std::unordered_set<std::string_view> listed;
    for (const RepoIndex::Item& item : items) {
        listed.insert(item.files.begin(), item.files.end());
        listed.insert(item.provides.begin(), item.provides.end());
    }
    std::set<std::string> out;
    for (const RepoIndex::Item& item : items) {
        for (const std::string& each : item.requires_) {
            if (each.starts_with('/') && !listed.contains(each)) {
                out.insert(each);
            }
        }
    }
    return out;
}

Result<void> add_listed_files(const std::string& path,
                              const repo::Repomd& repomd,
                              std::vector<RepoIndex::Item>& items) {
    const std::set<std::string> wanted = missing_paths(items);
    const auto data = repomd.data.find("filelists");
    if (wanted.empty() || data == repomd.data.end()) {
        return {};
    }
    const std::string text = TARN_TRY(read_metadata(path, data->second));
    const auto found = TARN_TRY(repo::parse_filelists(text, wanted, data->second.location));
    for (RepoIndex::Item& item : items) {
        const auto files = found.find(item.rpm.hex());
        if (files != found.end()) {
            item.files.insert(item.files.end(), files->second.begin(), files->second.end());
        }
    }
    return {};
}

}  // namespace

Result<RepoIndex> read_repository(const std::string& path, const Keyring& keyring) {
    const std::string text = TARN_TRY(read_signed_repomd(path, keyring));
    const repo::Repomd repomd = TARN_TRY(repo::parse_repomd(text, path + "/repodata/repomd.xml"));
    const auto primary = repomd.data.find("primary");
    if (primary == repomd.data.end()) {
        return fail(ErrorKind::kCorrupt, "{}/repodata/repomd.xml names no primary metadata", path);
    }
    RepoIndex index;
    index.path = path;
    index.revision = repomd.revision;
    const std::string metadata = TARN_TRY(read_metadata(path, primary->second));
    index.items = TARN_TRY(repo::parse_primary(metadata, primary->second.location));
    TARN_TRY(add_listed_files(path, repomd, index.items));
    return index;
}

}  // namespace tarn
