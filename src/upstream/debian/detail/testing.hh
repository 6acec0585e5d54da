// SPDX-License-Identifier: MIT
// For tests only: .deb files made by hand and a small signed archive on disk.
#pragma once

#include "base/fs.hh"
#include "base/strings.hh"
#include "pgp/pgp.hh"
#include "store/digest.hh"

#include <archive.h>
#include <archive_entry.h>

#include <map>
#include <string>
#include <vector>

namespace tarn::debian::testing_support {

// ---- .deb -------------------------------------------------------------------------------------

struct TarItem {
    std::string path;
    std::string content{};
    unsigned type = AE_IFREG;
    unsigned mode = 0644;
    std::string link{};  // symbolic link's target
    std::string hardlink{};
    std::string user = "root";
    std::string group = "root";
};

inline std::string make_tar(const std::vector<TarItem>& items, const std::string& filter) {
    std::size_t room = 64U << 10;
    for (const TarItem& item : items) {
        room += 4096 + item.content.size() + item.content.size() / 8;
    }
    std::string out(room, '\0');
    std::size_t used = 0;
    archive* const writer = archive_write_new();
    archive_write_set_format_gnutar(writer);
    archive_write_set_bytes_per_block(writer, 0);
    if (!filter.empty()) {
        archive_write_add_filter_by_name(writer, filter.c_str());
    }
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    for (const TarItem& item : items) {
        archive_entry* const entry = archive_entry_new();
        archive_entry_set_pathname(entry, item.path.c_str());
        archive_entry_set_filetype(entry, item.type);
        archive_entry_set_perm(entry, item.mode);
        archive_entry_set_uname(entry, item.user.c_str());
        archive_entry_set_gname(entry, item.group.c_str());
        archive_entry_set_mtime(entry, 1'700'000'000, 0);
        if (item.type == AE_IFLNK) {
            archive_entry_set_symlink(entry, item.link.c_str());
        }
        if (!item.hardlink.empty()) {
            archive_entry_set_hardlink(entry, item.hardlink.c_str());
        }
        const bool has_content = item.type == AE_IFREG && item.hardlink.empty();
        archive_entry_set_size(entry,
                               has_content ? static_cast<la_int64_t>(item.content.size()) : 0);
        archive_write_header(writer, entry);
        if (has_content) {
            archive_write_data(writer, item.content.data(), item.content.size());
        }
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

inline std::string ar_member(const std::string& name, const std::string& content) {
    return fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n{}{}",
                       name,
                       1700000000,
                       0,
                       0,
                       "100644",
                       content.size(),
                       content,
                       content.size() % 2 == 1 ? "\n" : "");
}

inline std::string suffix_of(const std::string& filter) {
    return filter == "gzip" ? ".gz" : (filter == "xz" ? ".xz" : (filter == "zstd" ? ".zst" : ""));
}

inline std::string make_deb(const std::vector<TarItem>& control,
                            const std::vector<TarItem>& data,
                            const std::string& filter = "xz") {
    return "!<arch>\n" + ar_member("debian-binary", "2.0\n") +
           ar_member("control.tar" + suffix_of(filter), make_tar(control, filter)) +
           ar_member("data.tar" + suffix_of(filter), make_tar(data, filter));
}

inline std::vector<TarItem> control_of(const std::string& package) {
    return {
        {"./", "", AE_IFDIR, 0755},
        {"./control", fmt::format("Package: {}\nVersion: 1.0-1\nArchitecture: amd64\n", package)}};
}

// ---- archive ----------------------------------------------------------------------------------

inline void put(const std::string& path, const std::string& bytes) {
    TARN_CHECK(make_directories(parent_path(path)).has_value());
    TARN_CHECK(write_file_atomic(path, bytes).has_value());
}

// A cleartext signature is made over the text with CRLF line ends, without the last one.
inline std::string clearsign(const SigningKey& key, std::string text) {
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    const auto signature =
        key.sign_detached_armored(replace_all(text, "\n", "\r\n"), 1'700'000'000);
    TARN_CHECK(signature.has_value());
    return fmt::format(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{}\n{}", text, *signature);
}

class TestArchive {
  public:
    TestArchive()
        : directory_(*TempDir::make()),
          key_(*SigningKey::create(directory_.path() + "/keys",
                                   "archive",
                                   "Archive <archive@example.org>",
                                   KeyAlgorithm::kEd25519,
                                   1'600'000'000)) {
        put(keyring(), key_.public_key_armored());
    }

    std::string path() const { return directory_.path() + "/mirror"; }
    std::string url() const { return "file://" + path(); }
    std::string keyring() const { return directory_.path() + "/archive.asc"; }
    std::string in_release(const std::string& suite) const {
        return fmt::format("{}/dists/{}/InRelease", path(), suite);
    }
    const SigningKey& key() const { return key_; }

    // `fields`: further control fields, "Depends: b\n".
    void add(const std::string& suite,
             const std::string& name,
             const std::string& version,
             const std::string& fields = {}) {
        const std::string deb = make_deb(control_of(name), {{"./usr/share/" + name, version}});
        const std::string file = fmt::format("pool/{}_{}_amd64.deb", name, version);
        put(path() + "/" + file, deb);
        packages_[suite] += fmt::format(
            "Package: {}\nVersion: {}\nArchitecture: amd64\n{}Filename: {}\nSize: {}\n"
            "SHA256: {}\n\n",
            name,
            version,
            fields,
            file,
            deb.size(),
            Digest::of(deb).hex());
        sources_[suite];
    }
    void add_source(const std::string& suite,
                    const std::string& name,
                    const std::vector<std::string>& files) {
        std::string list;
        for (const std::string& file : files) {
            const std::string content = "content of " + file;
            put(fmt::format("{}/pool/{}/{}", path(), name, file), content);
            list += fmt::format("\n {} {} {}", Digest::of(content).hex(), content.size(), file);
        }
        sources_[suite] += fmt::format(
            "Package: {}\nFormat: 3.0 (quilt)\nVersion: 1.0-1\nDirectory: pool/{}\n"
            "Checksums-Sha256:{}\n\n",
            name,
            name,
            list);
    }

    // Writes the indexes and the signed Release. `extra` fields: "Valid-Until: ...\n".
    void publish(const std::string& suite, const std::string& extra = {}) {
        put(in_release(suite), clearsign(key_, release_text(suite, extra)));
    }
    std::string release_text(const std::string& suite, const std::string& extra = {}) {
        const std::string base = fmt::format("{}/dists/{}/", path(), suite);
        std::string list;
        for (const auto& [name, text] :
             {std::pair{std::string("main/binary-amd64/Packages"), packages_[suite]},
              std::pair{std::string("main/source/Sources"), sources_[suite]}}) {
            put(base + name, text);
            list += fmt::format("\n {} {} {}", Digest::of(text).hex(), text.size(), name);
        }
        return fmt::format(
            "Origin: Test\nSuite: {}\nCodename: {}\nDate: Fri, 30 Oct 2026 08:08:01 UTC\n{}"
            "SHA256:{}\n",
            suite,
            suite,
            extra,
            list);
    }

  private:
    TempDir directory_;
    SigningKey key_;
    std::map<std::string, std::string> packages_, sources_;
};

}  // namespace tarn::debian::testing_support
