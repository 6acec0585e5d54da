// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "render/detail/archive.hh"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

namespace tarn::overlay {
namespace {

constexpr std::size_t kMemberLimit = 500'000;
constexpr std::size_t kPathLimit = 4096;
constexpr std::size_t kDepthLimit = 128;

struct Close {
    void operator()(::archive* reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<::archive, Close>;

// pax names are UTF-8, which the C locale cannot spell otherwise.
std::string first_of(const char* native, const char* utf8) {
    if (native != nullptr) {
        return native;
    }
    return utf8 == nullptr ? std::string() : std::string(utf8);
}

// The path of a member; empty for the top itself, an error when it leads outside.
Result<std::string> member_path(const std::string& written, const std::string& name) {
    if (written.empty() || written.size() > kPathLimit) {
        return fail(ErrorKind::kCorrupt, "{}: a member has no path, or one over 4096 bytes", name);
    }
    std::string path;
    std::size_t depth = 0;
    bool outside = written.starts_with('/');
    for (std::string_view part : split(written, '/')) {
        outside = outside || part == "..";
        if (part.empty() || part == ".") {
            continue;
        }
        path += path.empty() ? "" : "/";
        path += part;
        ++depth;
    }
    if (outside || depth > kDepthLimit) {
        return fail(error(ErrorKind::kCorrupt, "{}: member {} leaves the archive", name, written)
                        .advise("an archive with such a member cannot be repacked"));
    }
    return path;
}

class Loader {
  public:
    Loader(Reader reader, const std::string& name, std::uint64_t limit)
        : reader_(std::move(reader)), name_(name), limit_(limit) {}

    Result<void> load(Archive& archive) {
        for (;;) {
            archive_entry* entry = nullptr;
            const int status = ::archive_read_next_header(reader_.get(), &entry);
            if (status == ARCHIVE_EOF) {
                break;
            }
            if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
                return fail(broken());
            }
            TARN_TRY(member(entry, archive));
            if (archive.members.size() > kMemberLimit) {
                return fail(
                    ErrorKind::kCorrupt, "{} has more than {} members", name_, kMemberLimit);
            }
        }
        return parents(archive);
    }

  private:
    Error broken() const {
        const char* const why = ::archive_error_string(reader_.get());
        return error(ErrorKind::kCorrupt,
                     "{} is no tar archive: {}",
                     name_,
                     why == nullptr ? "damaged" : why);
    }

    Result<void> member(archive_entry* entry, Archive& archive) {
        const std::string written =
            first_of(::archive_entry_pathname(entry), ::archive_entry_pathname_utf8(entry));
        const std::string path = TARN_TRY(member_path(written, name_));
        ArchiveMember made;
        made.mode = static_cast<std::uint32_t>(::archive_entry_perm(entry)) & 0777U;
        const bool linked = ::archive_entry_hardlink(entry) != nullptr ||
                            ::archive_entry_hardlink_utf8(entry) != nullptr;
        const auto type = ::archive_entry_filetype(entry);
        if (!linked && type == AE_IFDIR) {
            made.kind = EntryKind::kDirectory;
        } else if (!linked && type == AE_IFLNK) {
            made.kind = EntryKind::kSymlink;
            made.mode = 0777;
            made.target =
                first_of(::archive_entry_symlink(entry), ::archive_entry_symlink_utf8(entry));
        } else if (!linked && type == AE_IFREG) {
            made.bytes = TARN_TRY(content());
        } else {
            return fail(error(ErrorKind::kCorrupt,
                              "{}: member {} is {}",
                              name_,
                              written,
                              linked ? "a link to another member" : "a device, pipe or socket")
                            .advise("only files, directories and symbolic links can be repacked"));
        }
        if (!path.empty()) {
            archive.members.insert_or_assign(path, std::move(made));
        }
        return {};
    }

    Result<std::string> content() {
        std::string bytes;
        int status = ARCHIVE_OK;
        while (status != ARCHIVE_EOF) {
            const void* block = nullptr;
            std::size_t size = 0;
            la_int64_t offset = 0;
            status = ::archive_read_data_block(reader_.get(), &block, &size, &offset);
            if (status != ARCHIVE_OK && status != ARCHIVE_WARN && status != ARCHIVE_EOF) {
                return fail(broken());
            }
            // Holes of a sparse file lie between the blocks, and behind the last one.
            auto at = static_cast<std::uint64_t>(std::max<la_int64_t>(0, offset));
            if (status == ARCHIVE_EOF) {
                at = std::max<std::uint64_t>(at, bytes.size());
            }
            if (at < bytes.size() || unpacked_ + at + size > limit_) {
                return fail(ErrorKind::kCorrupt, "{} unpacks to more than 2 GiB", name_);
            }
            bytes.resize(at);
            bytes.append(static_cast<const char*>(block), size);
        }
        unpacked_ += bytes.size();
        return bytes;
    }

    // Every member lies in directories of the archive, which are made where they are not named.
    Result<void> parents(Archive& archive) const {
        std::vector<std::string> missing;
        for (const auto& [path, member] : archive.members) {
            for (std::string up = parent_path(path); !up.empty(); up = parent_path(up)) {
                const auto found = archive.members.find(up);
                if (found == archive.members.end()) {
                    missing.push_back(up);
                } else if (found->second.kind != EntryKind::kDirectory) {
                    return fail(error(ErrorKind::kCorrupt,
                                      "{}: member {} lies below {}, which is no directory",
                                      name_,
                                      path,
                                      up)
                                    .advise("an archive with such a member cannot be repacked"));
                } else {
                    break;
                }
            }
            if (missing.size() > kMemberLimit) {
                return fail(ErrorKind::kCorrupt, "{} has too many directories", name_);
            }
        }
        for (const std::string& path : missing) {
            archive.members.try_emplace(path, ArchiveMember{EntryKind::kDirectory, 0755});
        }
        return {};
    }

    Reader reader_;
    const std::string& name_;
    std::uint64_t limit_;
    std::uint64_t unpacked_ = 0;
};

}  // namespace

bool ByParts::operator()(std::string_view a, std::string_view b) const {
    const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (left == a.end() || right == b.end()) {
        return left == a.end() && right != b.end();
    }
    const auto rank = [](char c) { return c == '/' ? 0 : 1 + static_cast<unsigned char>(c); };
    return rank(*left) < rank(*right);
}

std::string Archive::top() const {
    std::string found;
    for (const auto& [path, member] : members) {
        const std::string first = path.substr(0, path.find('/'));
        if (found.empty()) {
            found = first;
        }
        if (first != found) {
            return {};
        }
    }
    const auto own = members.find(found);
    return own != members.end() && own->second.kind == EntryKind::kDirectory ? found + "/" : "";
}

bool is_archive_name(std::string_view name) {
    for (std::string_view end :
         {".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst"}) {
        if (name.size() > end.size() && name.ends_with(end)) {
            return true;
        }
    }
    return false;
}

Result<Archive> read_archive(std::string_view bytes,
                             const std::string& name,
                             std::uint64_t unpacked_limit) {
    Archive made;
    // The first member's name may begin as a compressed file does.
    const bool plain = bytes.size() >= 512 && bytes.substr(257, 5) == "ustar";
    made.compression = plain ? Compression::kNone : detect_compression(bytes);
    std::string unpacked;
    std::string_view tar = bytes;
    if (made.compression == Compression::kBzip2) {
        return fail(ErrorKind::kCorrupt, "{} is compressed by bzip2: gzip, xz or zstd work", name);
    }
    if (made.compression != Compression::kNone) {
        auto text = decompress(bytes, made.compression, unpacked_limit);
        if (!text) {
            return fail(std::move(text.error()).context("unpack " + name));
        }
        unpacked = std::move(*text);
        tar = unpacked;
    }
    Reader reader(::archive_read_new());
    TARN_CHECK(reader != nullptr);
    ::archive_read_support_format_tar(reader.get());
    ::archive_read_support_filter_none(reader.get());
    if (::archive_read_open_memory(reader.get(), tar.data(), tar.size()) != ARCHIVE_OK) {
        return fail(ErrorKind::kCorrupt, "{} is no tar archive", name);
    }
    TARN_TRY(Loader(std::move(reader), name, unpacked_limit).load(made));
    return made;
}

}  // namespace tarn::overlay
