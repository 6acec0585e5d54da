// SPDX-License-Identifier: MIT
#include "base/compress.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "rpm/detail/cpio.hh"
#include "rpm/detail/file_table.hh"
#include "rpm/detail/frame.hh"
#include "rpm/detail/temporary_file.hh"
#include "rpm/package.hh"

#include <fcntl.h>
#include <rpm/rpmds.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace tarn::rpm {

namespace {

// Of the rpm whose format this is; readers show it and nothing else.
constexpr const char* kRpmVersion = "4.18.0";
constexpr std::uint32_t kSha256 = 8;

void sort_unique(std::vector<Dependency>& dependencies) {
    std::sort(dependencies.begin(), dependencies.end());
    dependencies.erase(std::unique(dependencies.begin(), dependencies.end()), dependencies.end());
}

// "(x86-64)" as rpm's %{?_isa}; empty for noarch.
std::string isa_suffix(const std::string& arch) {
    if (arch == "x86_64") {
        return "(x86-64)";
    }
    return arch == "aarch64" ? "(aarch-64)" : "";
}

void add_self_provides(PackageMeta& meta) {
    const std::string evr = meta.nevra.evr.to_string();
    meta.provides.push_back({meta.nevra.name, RPMSENSE_EQUAL, evr});
    const std::string isa = isa_suffix(meta.nevra.arch);
    if (!isa.empty()) {
        meta.provides.push_back({meta.nevra.name + isa, RPMSENSE_EQUAL, evr});
    }
}

// What an rpm must be able to do to read and install the package.
void add_rpmlib_requires(PackageMeta& meta, const FileTable& table) {
    bool tilde = contains(meta.nevra.evr.to_string(), "~");
    bool caret = contains(meta.nevra.evr.to_string(), "^");
    bool rich = false;
    for (const DependencyTags& tags : dependency_tags()) {
        for (const Dependency& dependency : meta.*tags.member) {
            tilde |= contains(dependency.evr, "~");
            caret |= contains(dependency.evr, "^");
            rich |= dependency.name.starts_with('(');
        }
    }
    const auto add = [&meta](bool needed, std::string_view feature, const char* since) {
        if (needed) {
            meta.requires_.push_back({fmt::format("rpmlib({})", feature),
                                      RPMSENSE_RPMLIB | RPMSENSE_LESS | RPMSENSE_EQUAL,
                                      since});
        }
    };
    add(true, "CompressedFileNames", "3.0.4-1");
    add(true, "PayloadFilesHavePrefix", "4.0-1");
    add(true, "FileDigests", "4.6.0-1");
    add(true, "PayloadIsZstd", "5.4.18-1");
    add(table.has_capabilities, "FileCaps", "4.6.1-1");
    add(table.is_large, "LargeFiles", "4.12.0-1");
    add(tilde, "TildeInVersions", "4.10.0-1");
    add(caret, "CaretInVersions", "4.15.0-1");
    add(rich, "RichDependencies", "4.12.0-1");
}

void put_dependencies(HeaderValue& header, const PackageMeta& meta) {
    for (const DependencyTags& tags : dependency_tags()) {
        std::vector<std::string> names, versions;
        std::vector<std::uint32_t> flags;
        for (const Dependency& dependency : meta.*tags.member) {
            names.push_back(dependency.name);
            versions.push_back(dependency.evr);
            flags.push_back(dependency.flags);
        }
        header.put_strings(tags.name, names);
        header.put_strings(tags.version, versions);
        header.put_u32(tags.flags, flags);
    }
}

void put_changelog(HeaderValue& header, const PackageMeta& meta) {
    std::vector<std::uint32_t> times;
    std::vector<std::string> authors, texts;
    for (const ChangelogEntry& entry : meta.changelog) {
        times.push_back(static_cast<std::uint32_t>(entry.time));
        authors.push_back(entry.author);
        texts.push_back(entry.text);
    }
    header.put_u32(RPMTAG_CHANGELOGTIME, times);
    header.put_strings(RPMTAG_CHANGELOGNAME, authors);
    header.put_strings(RPMTAG_CHANGELOGTEXT, texts);
}

void put_description(HeaderValue& header, const PackageMeta& meta) {
    const Evr& evr = meta.nevra.evr;
    header.put_string(RPMTAG_NAME, meta.nevra.name);
    header.put_string(RPMTAG_VERSION, evr.version);
    header.put_string(RPMTAG_RELEASE, evr.release);
    if (evr.epoch) {
        header.put_u32(RPMTAG_EPOCH, {*evr.epoch});
    }
    header.put_translatable(RPMTAG_SUMMARY, meta.summary);
    header.put_translatable(RPMTAG_DESCRIPTION, meta.description);
    header.put_translatable(RPMTAG_GROUP, meta.group.empty() ? "Unspecified" : meta.group);
    header.put_u32(RPMTAG_BUILDTIME, {static_cast<std::uint32_t>(meta.build_time)});
    header.put_string(RPMTAG_BUILDHOST, meta.build_host.empty() ? "localhost" : meta.build_host);
    header.put_string(RPMTAG_DISTRIBUTION, meta.distribution);
    header.put_string(RPMTAG_VENDOR, meta.vendor);
    header.put_string(RPMTAG_LICENSE, meta.license);
    header.put_string(RPMTAG_PACKAGER, meta.packager);
    header.put_string(RPMTAG_URL, meta.url);
    header.put_string(RPMTAG_OS, "linux");
    header.put_string(RPMTAG_ARCH, meta.nevra.arch);
    header.put_string(RPMTAG_PLATFORM, meta.nevra.arch + "-tarn-linux-gnu");
    // A package without one would count as a source package.
    header.put_string(
        RPMTAG_SOURCERPM,
        meta.source_rpm.empty()
            ? fmt::format("{}-{}-{}.src.rpm", meta.nevra.name, evr.version, evr.release)
            : meta.source_rpm);
    header.put_string(RPMTAG_RPMVERSION, kRpmVersion);
    header.put_string(RPMTAG_ENCODING, "utf-8");
}

Result<std::string> make_header(const PackageMeta& meta,
                                const FileTable& table,
                                const std::string& payload_digest,
                                const std::string& archive_digest,
                                int level) {
    HeaderValue header;
    put_description(header, meta);
    put_dependencies(header, meta);
    put_changelog(header, meta);
    TARN_TRY(put_files(header, table));
    header.put_string(RPMTAG_PAYLOADFORMAT, "cpio");
    header.put_string(RPMTAG_PAYLOADCOMPRESSOR, "zstd");
    header.put_string(RPMTAG_PAYLOADFLAGS, std::to_string(level));
    header.put_u32(RPMTAG_PAYLOADDIGESTALGO, {kSha256});
    header.put_strings(RPMTAG_PAYLOADDIGEST, {payload_digest});
    header.put_strings(RPMTAG_PAYLOADDIGESTALT, {archive_digest});
    header.seal(RPMTAG_HEADERIMMUTABLE);
    return std::string(kHeaderMagic) + header.blob();
}

// Writes the archive piece by piece: hashed as it is, compressed, hashed again, into the file.
class Payload {
  public:
    Payload(TemporaryFile& file, std::uint64_t offset, int level)
        : file_(file), offset_(offset), zstd_(level, [this](std::string_view bytes) {
              compressed_hash_.update(bytes);
              auto written = pwrite_all(file_.fd(), bytes, offset_ + compressed_, file_.path());
              compressed_ += bytes.size();
              return written;
          }) {}

    Result<void> write(std::string_view bytes) {
        archive_ += bytes.size();
        archive_hash_.update(bytes);
        return zstd_.write(bytes);
    }
    Result<void> pad() { return write(std::string(cpio_padding(archive_), '\0')); }
    Result<void> finish() { return zstd_.finish(); }

    std::uint64_t archive_size() const { return archive_; }
    std::uint64_t compressed_size() const { return compressed_; }
    std::string archive_digest() { return archive_hash_.finish_hex(); }
    std::string compressed_digest() { return compressed_hash_.finish_hex(); }

  private:
    TemporaryFile& file_;
    std::uint64_t offset_;
    std::uint64_t archive_ = 0, compressed_ = 0;
    Hasher archive_hash_, compressed_hash_;
    ZstdWriter zstd_;
};

Result<void> write_row(const Store& store,
                       const FileTable& table,
                       std::size_t index,
                       Payload& payload) {
    const TableRow& row = table.rows[index];
    const TreeEntry& entry = *row.entry;
    const bool has_contents =
        row.last_link && (entry.kind == EntryKind::kFile || entry.kind == EntryKind::kSymlink);
    if (table.is_large) {
        TARN_TRY(payload.write(cpio_indexed_header(static_cast<std::uint32_t>(index))));
    } else {
        const std::string name = "./" + entry.path;
        CpioEntry head;
        head.name = name;
        head.inode = row.inode;
        head.mode = row.mode;
        head.links = row.links;
        head.mtime = static_cast<std::uint32_t>(entry.mtime);
        head.size = has_contents ? row.size : 0;
        head.device_major = entry.device_major;
        head.device_minor = entry.device_minor;
        TARN_TRY(payload.write(cpio_header(head)));
    }
    if (!has_contents) {
        return {};
    }
    if (entry.kind == EntryKind::kSymlink) {
        TARN_TRY(payload.write(entry.target));
    } else if (row.size != 0) {
        const MemoryMap map = TARN_TRY(store.map(entry.content));
        TARN_TRY(payload.write(map.bytes()));
    }
    return payload.pad();
}

Result<void> write_payload(const Store& store, const FileTable& table, Payload& payload) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        if ((table.rows[i].flags & kFileGhost) == 0) {
            auto written = write_row(store, table, i, payload);
            if (!written) {
                return fail(std::move(written.error()).context("/" + table.rows[i].entry->path));
            }
        }
    }
    TARN_TRY(payload.write(cpio_trailer()));
    return payload.finish();
}

Result<void> check_meta(const PackageMeta& meta) {
    const Nevra& nevra = meta.nevra;
    for (const std::string* part :
         {&nevra.name, &nevra.evr.version, &nevra.evr.release, &nevra.arch}) {
        if (part->empty() || part->find_first_of(" \t\n/") != std::string::npos) {
            return fail(ErrorKind::kFailed, "`{}` is no full name of a package", nevra.to_string());
        }
    }
    if (contains(nevra.evr.version, "-") || contains(nevra.evr.release, "-")) {
        return fail(
            ErrorKind::kFailed, "{}: version and release must not hold a `-`", nevra.to_string());
    }
    return {};
}

}  // namespace

Result<Digest> write_package(const Store& store,
                             const PackageMeta& meta,
                             const Tree& tree,
                             const std::vector<std::pair<std::string, std::uint32_t>>& flags,
                             const WriteOptions& options) {
    TARN_TRY(check_meta(meta));
    auto made = make_file_table(tree, flags);
    if (!made) {
        return fail(std::move(made.error()).context(meta.nevra.to_string()));
    }
    const FileTable& table = *made;
    PackageMeta full = meta;
    add_self_provides(full);
    add_rpmlib_requires(full, table);
    for (const DependencyTags& tags : dependency_tags()) {
        sort_unique(full.*tags.member);
    }
    // All digests are of one length, so the payload's place is known before its digest.
    const std::string blank(64, '0');
    std::string header = TARN_TRY(make_header(full, table, blank, blank, options.zstd_level));
    std::string signature = make_signature_header(blank, {});
    const std::uint64_t start = kLeadSize + signature.size() + header.size();

    TemporaryFile file = TARN_TRY(TemporaryFile::make(store));
    Payload payload(file, start, options.zstd_level);
    TARN_TRY(write_payload(store, table, payload));
    header = TARN_TRY(make_header(
        full, table, payload.compressed_digest(), payload.archive_digest(), options.zstd_level));
    signature = make_signature_header(
        sha256_hex(header), {header.size() + payload.compressed_size(), payload.archive_size()});
    const std::string head = make_lead(meta.nevra) + signature + header;
    TARN_CHECK(head.size() == start);
    TARN_TRY(pwrite_all(file.fd(), head, 0, file.path()));
    return file.adopt(store);
}

}  // namespace tarn::rpm
