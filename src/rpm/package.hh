// SPDX-License-Identifier: MIT
// RPM packages as values. The only room that includes librpm. Format written: RPM v4 (lead,
// signature header, header, zstd cpio payload), readable by rpm 4.18 and 6.1; SHA-256 throughout.
#pragma once

#include "base/result.hh"
#include "pgp/pgp.hh"
#include "store/store.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::rpm {

struct Evr {
    std::optional<std::uint32_t> epoch;
    std::string version, release;
    std::string to_string() const;  // "1:2.3-4"; no epoch, no "0:"
};

struct Nevra {
    std::string name;
    Evr evr;
    std::string arch;
    std::string to_string() const;  // "bash-5.3-2.tn1.x86_64", epoch as name-1:v-r.arch
    std::string file_name() const;  // without epoch, ".rpm"
};

// One dependency in RPM's own words. `flags` are RPMSENSE_* bits (LESS 2, GREATER 4, EQUAL 8 ...).
struct Dependency {
    std::string name;
    std::uint32_t flags = 0;
    std::string evr;
    // "libc.so.6()(64bit)", "glibc >= 2.43", "(a or b)" (RPMSENSE_RPMLIB etc. are kept in flags)
    static Dependency parse(std::string_view text);
    std::string to_string() const;
    auto operator<=>(const Dependency&) const = default;
};

enum FileFlags : std::uint32_t {  // RPMFILE_*
    kFileConfig = 1u << 0,
    kFileDoc = 1u << 1,
    kFileMissingOk = 1u << 3,
    kFileNoReplace = 1u << 4,
    kFileGhost = 1u << 6,
    kFileLicense = 1u << 7,
};

struct ChangelogEntry {
    std::int64_t time = 0;
    std::string author, text;
};

struct PackageMeta {
    Nevra nevra;
    std::string summary, description, license, group, url, vendor, packager, distribution;
    std::string source_rpm;  // "glibc-2.43-7.tn1.src.rpm"
    std::string build_host;
    std::int64_t build_time = 0;
    std::vector<Dependency> provides, requires_, conflicts, obsoletes, recommends, suggests,
        supplements, enhances;
    std::vector<ChangelogEntry> changelog;
};

struct PackageFile {
    TreeEntry entry;          // entry.path without leading "/"
    std::uint32_t flags = 0;  // FileFlags
    std::string digest_hex;   // SHA-256 as in the header; empty for non-files
};

// What a package says of itself (header only).
struct PackageInfo {
    PackageMeta meta;
    std::vector<PackageFile> files;
    std::uint64_t installed_size = 0, archive_size = 0;
    std::uint64_t header_start = 0, header_end = 0;  // byte range of the main header in the file
    bool is_source = false;
    std::string header_sha256;
};

struct WriteOptions {
    int zstd_level = 3;
};

// Writes an unsigned package: all header and payload digests, file list from `tree` with `flags`
// by path, owners by name (root when empty; a number without a name is an error). Provides of the
// package itself and rpmlib() requires are added. Same input, same bytes.
Result<Digest> write_package(const Store& store,
                             const PackageMeta& meta,
                             const Tree& tree,
                             const std::vector<std::pair<std::string, std::uint32_t>>& flags,
                             const WriteOptions& options);

// Checks lead, headers and the header digest; `name` is for errors.
Result<PackageInfo> read_package(std::string_view bytes, const std::string& name);
Result<PackageInfo> read_package(const Store& store, const Digest& rpm);

// The payload as a Tree (contents into the store), digests checked against the header.
// Kept in the store: asked again it costs one look-up.
Result<Tree> payload_tree(const Store& store, const Digest& rpm);
// Says that `tree` is what payload_tree would give (the writer knows already).
Result<void> remember_payload_tree(const Store& store, const Digest& rpm, const Tree& tree);

// A signed copy: header signature by `key` (RSAHEADER or DSAHEADER tag), made at `when`. A package
// signed before gets its signature replaced.
Result<Digest> sign_package(const Store& store,
                            const Digest& rpm,
                            const SigningKey& key,
                            std::int64_t when);
// All digests and the header signature; kCorrupt with what is wrong, or unsigned, or unknown key.
Result<void> verify_package(std::string_view bytes,
                            const std::string& name,
                            const Keyring& keyring);

// rpmdb.sqlite (rpm >= 4.16, sqlite backend) for an installed system with exactly these packages,
// as rpm would have written it in one transaction at `install_time`. Same input, same bytes.
Result<std::string> make_rpmdb(const Store& store,
                               const std::vector<Digest>& rpms,
                               std::int64_t install_time);

// What an rpmdb.sqlite says is installed, in the order it was installed in.
struct InstalledPackage {
    PackageInfo info;
    std::string rpm_sha256;  // of the package file; empty when rpm before 6 wrote the database
    std::int64_t install_time = 0;
};
// kCorrupt for what is no such database, or holds a header librpm finds a fault in.
Result<std::vector<InstalledPackage>> read_rpmdb(std::string bytes, const std::string& name);

}  // namespace tarn::rpm
