// SPDX-License-Identifier: MIT
// The machine that is being provisioned, as files below a root: "/" on a real one, any directory in
// a test. No path of a payload ever leaves it: every file is opened below the root with openat2(2)
// (RESOLVE_IN_ROOT), and below a home without following links (RESOLVE_NO_SYMLINKS).
#pragma once

#include "base/fd.hh"
#include "base/result.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest {

struct Owner {
    std::uint32_t uid = 0, gid = 0;
};
enum class Links { kFollowBelowRoot, kRefuse };

class Machine {
  public:
    static Result<Machine> open(const std::string& root = "/");

    const std::string& root() const { return root_; }
    bool is_live() const { return root_ == "/"; }  // programs may be run, the kernel told things

    Result<Fd> open_path(const std::string& path,
                         int flags,
                         unsigned mode = 0,
                         Links links = Links::kFollowBelowRoot) const;
    Result<std::string> read(const std::string& path, std::uint64_t limit = 16u << 20) const;
    bool exists(const std::string& path) const;
    // Whole or not at all, and on the disk when it returns (fsync of file and directory). A file
    // that was there keeps its SELinux label; a new one is made under its final name's label.
    Result<void> write(const std::string& path,
                       std::string_view bytes,
                       unsigned mode,
                       Owner owner,
                       Links links = Links::kFollowBelowRoot) const;
    Result<void> make_directory(const std::string& path,
                                unsigned mode,
                                Owner owner,
                                Links links = Links::kFollowBelowRoot) const;  // with its parents
    Result<void> remove(const std::string& path) const;  // a file; nothing there is no error
    Result<std::vector<std::string>> list(const std::string& directory) const;

  private:
    Machine(std::string root, Fd fd) : root_(std::move(root)), fd_(std::move(fd)) {}
    std::string root_;
    Fd fd_;
};

}  // namespace tarn::guest
