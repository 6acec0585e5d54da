// SPDX-License-Identifier: MIT
// An image read back, as the guest's baseline judges it.
#pragma once

#include "inspect/facts.hh"

#include "baseline/target.hh"

namespace tarn::cli {

class TreeTarget final : public guest::baseline::Target {
  public:
    // All three outlive the target.
    TreeTarget(const Store& store, const inspect::System& system, std::string name);

    bool live() const override { return false; }
    std::string name() const override { return name_; }
    Result<std::string> read(const std::string& path, std::uint64_t limit) const override;
    Result<guest::baseline::FileInfo> info(const std::string& path,
                                           guest::baseline::Follow follow) const override;
    Result<std::vector<std::string>> list(const std::string& path) const override;
    Result<std::string> link(const std::string& path) const override;
    Result<std::string> attribute(const std::string& path, const std::string& name) const override;
    Result<void> walk(const Visit& visit) const override;
    Result<std::vector<guest::baseline::Package>> packages() const override;
    Result<std::string> verify_packages(const std::vector<std::string>& names) const override;
    Result<guest::baseline::AuditState> audit() const override;
    Result<std::vector<std::string>> input_policies() const override;
    Result<std::string> platform() const override;
    // Of the image's UKI.
    Result<std::string> command_line() const override;

  private:
    // The entry of a path whose last part is not followed; nullptr when there is none.
    const TreeEntry* entry(const std::string& path) const;
    const Store& store_;
    const inspect::System& system_;
    std::string name_;
    std::map<std::string, std::vector<std::string>> names_;  // of directories
};

}  // namespace tarn::cli
