// SPDX-License-Identifier: MIT
// A machine, or a directory that holds one: everything below the root is opened with openat2(2) and
// RESOLVE_IN_ROOT, so a tree's links stay in it.
#pragma once

#include "base/fd.hh"

#include "baseline/target.hh"

#include <string>
#include <vector>

namespace tarn::guest::baseline {

class LiveTarget final : public Target {
  public:
    static Result<LiveTarget> open(const std::string& root = "/");

    bool live() const override { return root_ == "/"; }
    std::string name() const override { return root_; }
    Result<std::string> read(const std::string& path, std::uint64_t limit) const override;
    Result<FileInfo> info(const std::string& path, Follow follow) const override;
    Result<std::vector<std::string>> list(const std::string& path) const override;
    Result<std::string> link(const std::string& path) const override;
    Result<std::string> attribute(const std::string& path, const std::string& name) const override;
    Result<void> walk(const Visit& visit) const override;
    Result<std::vector<Package>> packages() const override;
    Result<std::string> verify_packages(const std::vector<std::string>& names) const override;
    Result<AuditState> audit() const override;
    Result<std::vector<std::string>> input_policies() const override;
    Result<std::string> platform() const override;
    Result<std::string> command_line() const override;

  private:
    LiveTarget(std::string root, Fd fd) : root_(std::move(root)), fd_(std::move(fd)) {}
    Result<Fd> open_path(const std::string& path, int flags) const;
    std::string root_;
    Fd fd_;
};

}  // namespace tarn::guest::baseline
