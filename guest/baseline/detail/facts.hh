// SPDX-License-Identifier: MIT
// What is known of a target, each thing read once and only when a rule asks.
#pragma once

#include "baseline/detail/parsers.hh"
#include "baseline/target.hh"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::guest::baseline {

enum class UnitState { kMissing, kDisabled, kEnabled, kMasked };

// What one walk over the file systems brought; paths at most kWalkLimit each.
struct WalkFacts {
    static constexpr std::size_t kWalkLimit = 64;
    struct Places {
        std::size_t count = 0;
        std::vector<std::string> some;
        void add(const std::string& path);
    };
    Places no_sticky, world_writable, unowned, privileged;
    std::vector<std::string> privileged_all;  // set-user-ID and set-group-ID programs
    std::size_t entries = 0;
};

class Facts {
  public:
    Facts(const Target& judged, std::vector<std::string> active_roles)
        : target(judged), roles(std::move(active_roles)) {}
    const Target& target;
    const std::vector<std::string> roles;

    bool has_role(std::string_view role) const;
    // Files "*.conf" of directories, an earlier directory hiding a later one's file of the same
    // name; in the order of their names.
    std::vector<std::string> drop_ins(const std::vector<std::string>& directories,
                                      std::string_view suffix = ".conf") const;

    const SysctlConfig& sysctl() const;
    const Result<std::vector<Mount>>& mounts() const;  // now; kNotFound when not live
    const std::vector<Mount>& fstab() const;
    const Result<std::vector<SshdOption>>& sshd() const;
    const ModprobeConfig& modprobe() const;
    const Result<std::vector<Account>>& accounts() const;
    const Result<std::vector<Shadow>>& shadows() const;
    const Result<std::vector<Group>>& groups() const;
    const Result<std::map<std::string, std::string>>& kernel_config() const;
    const std::string& kernel_release() const;  // running, or the newest of the tree
    const Result<std::vector<std::string>>& arguments() const;  // of the kernel
    const AuditRules& audit_rules() const;
    const Result<AuditState>& audit() const;
    const Result<std::vector<Package>>& packages() const;
    const Result<WalkFacts>& walk() const;
    const std::vector<SudoersLine>& sudoers() const;

    UnitState unit_state(const std::string& unit) const;
    bool unit_runs(const std::string& unit) const;  // has a control group
    // Settings of [Mount], [Service] ... of a unit and its drop-ins; empty when there is none.
    std::vector<Setting> unit_settings(const std::string& unit) const;

  private:
    template <class T>
    using Once = std::unique_ptr<T>;
    mutable Once<SysctlConfig> sysctl_;
    mutable Once<Result<std::vector<Mount>>> mounts_;
    mutable Once<std::vector<Mount>> fstab_;
    mutable Once<Result<std::vector<SshdOption>>> sshd_;
    mutable Once<ModprobeConfig> modprobe_;
    mutable Once<Result<std::vector<Account>>> accounts_;
    mutable Once<Result<std::vector<Shadow>>> shadows_;
    mutable Once<Result<std::vector<Group>>> groups_;
    mutable Once<Result<std::map<std::string, std::string>>> kernel_config_;
    mutable Once<std::string> release_;
    mutable Once<Result<std::vector<std::string>>> arguments_;
    mutable Once<AuditRules> audit_rules_;
    mutable Once<Result<AuditState>> audit_;
    mutable Once<Result<std::vector<Package>>> packages_;
    mutable Once<Result<WalkFacts>> walk_;
    mutable Once<std::vector<SudoersLine>> sudoers_;
    mutable Once<std::map<std::string, UnitState>> units_;
    const std::map<std::string, UnitState>& units() const;
};

}  // namespace tarn::guest::baseline
