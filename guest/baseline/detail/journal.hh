// SPDX-License-Identifier: MIT
// What a remediation changed, written down before it is changed, so that it can be taken back: one
// JSON file a remediation below /var/lib/tarn/baseline/changes.
#pragma once

#include "base/fd.hh"
#include "base/result.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

enum class PlaceKind { kFile, kRuntime, kMode, kLink };

// One place before and after. `before` and `after`: content, value or link target.
struct Place {
    PlaceKind kind = PlaceKind::kFile;
    std::string path;
    bool existed = false;
    std::string before, after;
    std::uint32_t mode = 0644, uid = 0, gid = 0;              // before; of a new file, of it
    std::uint32_t new_mode = 0644, new_uid = 0, new_gid = 0;  // after
};

struct Record {
    std::string name;  // of its file; numbers that grow
    bool unconfirmed = false;
    std::vector<Place> places;
    std::vector<std::vector<std::string>> activate;
};
std::string write_record(const Record& record);
Result<Record> parse_record(std::string_view text, const std::string& name);

// Files of the machine below a root, for writing; no link leads out of it.
class Files {
  public:
    static Result<Files> open(const std::string& root);
    bool live() const { return root_ == "/"; }
    const std::string& root() const { return root_; }

    // As it is now, for the journal: existed, before, mode, owner.
    Result<Place> look(PlaceKind kind, const std::string& path) const;
    // `place.after` where it belongs; files whole or not at all, and on the disk.
    Result<void> apply(const Place& place) const;
    // `place.before` again. True when it was done, false when somebody changed it since.
    Result<bool> revert(const Place& place) const;

    Result<void> write(const std::string& path,
                       std::string_view bytes,
                       std::uint32_t mode,
                       std::uint32_t uid,
                       std::uint32_t gid) const;
    Result<std::string> read(const std::string& path) const;
    Result<void> remove(const std::string& path) const;
    Result<std::vector<std::string>> list(const std::string& path) const;

  private:
    Files(std::string root, Fd fd) : root_(std::move(root)), fd_(std::move(fd)) {}
    Result<Fd> open_path(const std::string& path, int flags) const;
    Result<Fd> parent_of(const std::string& path) const;  // made when it is not there
    Result<void> link(const std::string& path, const std::string& target) const;
    std::string root_;
    Fd fd_;
};

}  // namespace tarn::guest::baseline
