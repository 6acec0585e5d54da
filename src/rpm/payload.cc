// SPDX-License-Identifier: MIT
#include "rpm/detail/payload.hh"

#include "base/compress.hh"
#include "rpm/detail/cpio.hh"
#include "rpm/detail/file_table.hh"
#include "rpm/detail/frame.hh"
#include "rpm/package.hh"

#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>

namespace tarn::rpm {

namespace {

constexpr std::string_view kRoom = "payload";
constexpr std::string_view kJsonHead = "{\"tree\":\"";
constexpr std::string_view kJsonTail = "\"}";
constexpr std::uint64_t kMaxArchive = 8ULL << 30;

Digest result_key(const Digest& rpm) {
    return KeyBuilder("payload", 1).field("rpm", rpm).key();
}

// A tree kept for the package, if it still can be read.
std::optional<Tree> remembered(const Store& store, const Digest& rpm) {
    const auto json = store.result(kRoom, result_key(rpm));
    if (!json || !json->starts_with(kJsonHead) || !json->ends_with(kJsonTail)) {
        return std::nullopt;
    }
    const auto digest = Digest::parse(std::string_view(*json).substr(
        kJsonHead.size(), json->size() - kJsonHead.size() - kJsonTail.size()));
    if (!digest) {
        return std::nullopt;
    }
    auto tree = store.read_tree(*digest);
    if (!tree) {
        return std::nullopt;
    }
    for (const TreeEntry& entry : tree->entries()) {
        if (entry.kind == EntryKind::kFile && !store.has(entry.content)) {
            return std::nullopt;  // removed because it was damaged: unpacked again
        }
    }
    return std::move(*tree);
}

Result<Compression> payload_compression(const HeaderValue& header, const std::string& name) {
    const std::string compressor = header.string(RPMTAG_PAYLOADCOMPRESSOR);
    if (header.has(RPMTAG_PAYLOADFORMAT) && header.string(RPMTAG_PAYLOADFORMAT) != "cpio") {
        return fail(ErrorKind::kCorrupt, "{}: the payload is no cpio archive", name);
    }
    if (compressor.empty() || compressor == "gzip") {
        return Compression::kGzip;
    }
    if (compressor == "zstd") {
        return Compression::kZstd;
    }
    if (compressor == "xz" || compressor == "lzma") {
        return Compression::kXz;
    }
    if (compressor == "bzip2") {
        return Compression::kBzip2;
    }
    return fail(ErrorKind::kCorrupt, "{}: unknown compression `{}`", name, compressor);
}

// Files of a header by the names they have in the archive, and which of them were seen there.
struct Expected {
    std::vector<ReadFile> files;
    std::unordered_map<std::string, std::size_t> by_path;
    std::unordered_map<Digest, bool, DigestHash> stored;
    std::vector<bool> seen;
    std::vector<bool> last_link;  // of its hard links; true for files that have none
};

Expected expect(std::vector<ReadFile> files) {
    Expected expected;
    expected.files = std::move(files);
    expected.seen.resize(expected.files.size());
    expected.last_link.resize(expected.files.size());
    std::unordered_map<std::string, std::size_t> last_of;
    for (std::size_t i = 0; i < expected.files.size(); ++i) {
        const TreeEntry& entry = expected.files[i].file.entry;
        last_of[entry.hardlink.empty() ? entry.path : entry.hardlink] = i;
    }
    for (const auto& [first, last] : last_of) {
        expected.last_link[last] = true;
    }
    for (std::size_t i = 0; i < expected.files.size(); ++i) {
        expected.by_path.emplace(expected.files[i].file.entry.path, i);
    }
    return expected;
}

Result<std::size_t> find_item(const Expected& expected, const CpioItem& item) {
    if (item.form == CpioForm::kIndexed) {
        if (item.index < expected.files.size()) {
            return item.index;
        }
    } else {
        std::string_view path = item.name;
        path.remove_prefix(path.starts_with("./") ? 2 : path.starts_with("/") ? 1 : 0);
        const auto found = expected.by_path.find(std::string(path));
        if (found != expected.by_path.end()) {
            return found->second;
        }
    }
    return fail(
        ErrorKind::kCorrupt, "the payload holds `{}`, which the header does not", item.name);
}

Result<void> take_file(const Store& store,
                       Expected& expected,
                       std::size_t index,
                       std::string_view bytes) {
    const ReadFile& read = expected.files[index];
    const TreeEntry& entry = read.file.entry;
    if (read.file.digest_hex.empty() && read.size != 0) {
        return fail(ErrorKind::kCorrupt, "/{} has no digest", entry.path);
    }
    const Digest digest = TARN_TRY(store.put(bytes));
    if (read.size == 0 && bytes.empty() && read.file.digest_hex.empty()) {
        expected.files[index].file.entry.content = digest;
    } else if (digest != entry.content) {
        return fail(error(ErrorKind::kCorrupt, "/{} is not what the header says", entry.path)
                        .note(fmt::format("its digest is {}, expected {}",
                                          digest.to_string(),
                                          entry.content.to_string())));
    }
    expected.stored[digest] = true;
    return {};
}

// One entry of the archive: where its contents are is decided by form, kind and hard links.
Result<void> take_item(const Store& store,
                       Expected& expected,
                       const CpioItem& item,
                       CpioReader& reader) {
    const std::size_t index = TARN_TRY(find_item(expected, item));
    if (expected.seen[index]) {
        return fail(ErrorKind::kCorrupt,
                    "the payload holds /{} twice",
                    expected.files[index].file.entry.path);
    }
    expected.seen[index] = true;
    const ReadFile& read = expected.files[index];
    const TreeEntry& entry = read.file.entry;
    const bool has_contents = entry.kind == EntryKind::kFile || entry.kind == EntryKind::kSymlink;
    std::uint64_t size = item.size;
    if (item.form == CpioForm::kIndexed) {
        // Without a size of its own, an entry has contents when it is the last of its hard links.
        size = has_contents && expected.last_link[index] ? read.size : 0;
    }
    const std::string_view bytes = TARN_TRY(reader.contents(size));
    if (entry.kind == EntryKind::kSymlink && bytes != entry.target) {
        return fail(ErrorKind::kCorrupt, "/{} is not the link the header says", entry.path);
    }
    if (entry.kind != EntryKind::kFile || (bytes.empty() && read.size != 0)) {
        return {};  // a hard link whose contents come with a later name, or none is to be expected
    }
    return take_file(store, expected, index, bytes);
}

Result<Tree> finish(Expected expected) {
    std::vector<TreeEntry> entries;
    for (std::size_t i = 0; i < expected.files.size(); ++i) {
        PackageFile& file = expected.files[i].file;
        if ((file.flags & kFileGhost) != 0) {
            continue;
        }
        const bool complete = expected.seen[i] && (file.entry.kind != EntryKind::kFile ||
                                                   expected.stored.contains(file.entry.content));
        if (!complete) {
            return fail(ErrorKind::kCorrupt, "the payload does not hold /{}", file.entry.path);
        }
        entries.push_back(std::move(file.entry));
    }
    return Tree::make(std::move(entries));
}

}  // namespace

Result<Tree> unpack_payload(const Store& store, std::string_view bytes, const std::string& name) {
    const Opened package = TARN_TRY(open_package(bytes, name));
    TARN_TRY(check_payload(package, name));
    const Compression kind = TARN_TRY(payload_compression(package.header, name));
    const std::string archive = TARN_TRY(decompress(package.frame.payload, kind, kMaxArchive));
    Expected expected = expect(TARN_TRY(read_files(package.header, name)));
    CpioReader reader(archive);
    CpioItem item;
    while (TARN_TRY(reader.next(item))) {
        TARN_TRY(take_item(store, expected, item, reader));
    }
    return finish(std::move(expected));
}

Result<Tree> payload_tree(const Store& store, const Digest& rpm) {
    if (auto tree = remembered(store, rpm)) {
        return std::move(*tree);
    }
    const MemoryMap map = TARN_TRY(store.map(rpm));
    const std::string name = "package " + rpm.hex();
    auto tree = unpack_payload(store, map.bytes(), name);
    if (!tree) {
        return fail(std::move(tree.error()).context(name));
    }
    TARN_TRY(remember_payload_tree(store, rpm, *tree));
    return tree;
}

Result<void> remember_payload_tree(const Store& store, const Digest& rpm, const Tree& tree) {
    const Digest digest = TARN_TRY(store.put_tree(tree));
    return store.put_result(
        kRoom, result_key(rpm), fmt::format("{}{}{}", kJsonHead, digest.to_string(), kJsonTail));
}

}  // namespace tarn::rpm
