// SPDX-License-Identifier: MIT
// A compressed tar in memory, entry by entry, with bounds on what comes out of it.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct archive;
struct archive_entry;

namespace tarn::debian::detail {

struct TarLimits {
    std::uint64_t bytes = 0;
    std::size_t entries = 0;
};

class TarReader {
  public:
    // `name` is for errors: "libc6.deb: data.tar.xz".
    static Result<TarReader> open(std::string_view bytes,
                                  std::string name,
                                  const TarLimits& limits);

    // The next entry; nullptr at the end.
    Result<archive_entry*> next();
    // The content of the current entry, piece by piece; never more than its size.
    Result<void> content(const std::function<Result<void>(std::string_view)>& sink);
    const std::string& name() const { return name_; }

  private:
    struct Close {
        void operator()(archive* reader) const;
    };
    TarReader(std::unique_ptr<archive, Close> reader, std::string name, const TarLimits& limits)
        : reader_(std::move(reader)), name_(std::move(name)), limits_(limits) {}
    Result<void> check_bomb() const;
    Failure broken() const;

    std::unique_ptr<archive, Close> reader_;
    std::string name_;
    TarLimits limits_;
    archive_entry* entry_ = nullptr;
    std::size_t entries_ = 0;
    std::uint64_t bytes_ = 0;
};

// The entry's path as raw bytes, whatever the locale; empty when there is none.
std::string entry_path(archive_entry* entry);
std::string entry_hardlink(archive_entry* entry);
std::string entry_symlink(archive_entry* entry);
std::string entry_user(archive_entry* entry);
std::string entry_group(archive_entry* entry);

}  // namespace tarn::debian::detail
