// SPDX-License-Identifier: MIT
#include "upstream/debian/detail/tar.hh"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>

namespace tarn::debian::detail {
namespace {

// Room for headers, padding and long names beside the contents.
constexpr std::uint64_t kOverheadPerEntry = 16U << 10;

std::string first_of(const char* plain, const char* utf8) {
    return plain != nullptr ? plain : (utf8 != nullptr ? utf8 : "");
}

}  // namespace

void TarReader::Close::operator()(archive* reader) const {
    archive_read_free(reader);
}

Failure TarReader::broken() const {
    const char* const why = archive_error_string(reader_.get());
    return fail(ErrorKind::kCorrupt,
                "{}: truncated or damaged: {}",
                name_,
                why == nullptr ? "unreadable" : why);
}

Result<TarReader> TarReader::open(std::string_view bytes,
                                  std::string name,
                                  const TarLimits& limits) {
    std::unique_ptr<archive, Close> reader(archive_read_new());
    TARN_CHECK(reader != nullptr);
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_empty(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_filter_gzip(reader.get());
    TarReader tar(std::move(reader), std::move(name), limits);
    if (archive_read_open_memory(tar.reader_.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
        return tar.broken();
    }
    return tar;
}

// Counts what came out of the decompressor, so that headers and gaps count too.
Result<void> TarReader::check_bomb() const {
    const auto unpacked =
        static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_filter_bytes(reader_.get(), 0)));
    if (bytes_ > limits_.bytes || entries_ > limits_.entries ||
        unpacked > limits_.bytes + kOverheadPerEntry * (entries_ + 1)) {
        return fail(ErrorKind::kCorrupt,
                    "{}: more than {} bytes or {} entries; refused",
                    name_,
                    limits_.bytes,
                    limits_.entries);
    }
    return {};
}

Result<archive_entry*> TarReader::next() {
    const int status = archive_read_next_header(reader_.get(), &entry_);
    if (status == ARCHIVE_EOF) {
        return nullptr;
    }
    // A warning is about a name that the locale cannot show; the raw name is there all the same.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
        return broken();
    }
    ++entries_;
    if (archive_entry_size_is_set(entry_) != 0) {
        const auto size = archive_entry_size(entry_);
        if (size < 0 || static_cast<std::uint64_t>(size) > limits_.bytes) {
            bytes_ = limits_.bytes + 1;
        }
    }
    TARN_TRY(check_bomb());
    return entry_;
}

Result<void> TarReader::content(const std::function<Result<void>(std::string_view)>& sink) {
    static constexpr std::array<char, 64U << 10> kZeros{};
    std::uint64_t position = 0;
    const auto fill_to = [&](std::uint64_t offset) -> Result<void> {
        while (position < offset) {
            const std::uint64_t length = std::min<std::uint64_t>(offset - position, kZeros.size());
            bytes_ += length;
            TARN_TRY(check_bomb());
            TARN_TRY(sink({kZeros.data(), static_cast<std::size_t>(length)}));
            position += length;
        }
        return {};
    };
    for (;;) {
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        const int status = archive_read_data_block(reader_.get(), &block, &size, &offset);
        if (status == ARCHIVE_EOF) {
            // A sparse file may end in a hole.
            return fill_to(
                static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry_))));
        }
        if (status != ARCHIVE_OK || offset < 0 || static_cast<std::uint64_t>(offset) < position) {
            return broken();
        }
        TARN_TRY(fill_to(static_cast<std::uint64_t>(offset)));
        bytes_ += size;
        position += size;
        TARN_TRY(check_bomb());
        TARN_TRY(sink({static_cast<const char*>(block), size}));
    }
}

std::string entry_path(archive_entry* entry) {
    return first_of(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
}
std::string entry_hardlink(archive_entry* entry) {
    return first_of(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
}
std::string entry_symlink(archive_entry* entry) {
    return first_of(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
}
std::string entry_user(archive_entry* entry) {
    return first_of(archive_entry_uname(entry), archive_entry_uname_utf8(entry));
}
std::string entry_group(archive_entry* entry) {
    return first_of(archive_entry_gname(entry), archive_entry_gname_utf8(entry));
}

}  // namespace tarn::debian::detail
