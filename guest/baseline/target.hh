// SPDX-License-Identifier: MIT
// What is judged: a live machine, or a tree of files (an image, a directory). Paths are absolute
// and resolved inside the target: a link of a tree never leads out of it.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

enum class FileKind { kFile, kDirectory, kLink, kOther };

struct FileInfo {
    FileKind kind = FileKind::kFile;
    std::uint32_t mode = 0;  // 07777
    std::uint32_t uid = 0, gid = 0;
    std::uint64_t size = 0;
};

struct Package {
    std::string name, evr, arch;
    std::string signature;  // as rpm words it, or the key's id; empty: none
};

// What the kernel's audit system says of itself (AUDIT_GET) and the rules it has
// (AUDIT_LIST_RULES), in auditctl's words.
struct AuditState {
    unsigned enabled = 0;  // 2: locked until the next boot
    unsigned lost = 0, backlog_limit = 0;
    std::string rules;
};

enum class Follow { kYes, kNo };

class Target {
  public:
    virtual ~Target() = default;

    // Whether /proc, /sys and the kernel are those of the machine that is judged. Otherwise a rule
    // is judged by what makes the value at boot, or it is "not checked".
    virtual bool live() const = 0;
    virtual std::string name() const = 0;  // for reports

    // kNotFound; kSystem when it may not be read; kCorrupt beyond `limit` bytes.
    virtual Result<std::string> read(const std::string& path,
                                     std::uint64_t limit = 8u << 20) const = 0;
    virtual Result<FileInfo> info(const std::string& path, Follow follow = Follow::kYes) const = 0;
    virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;  // sorted
    virtual Result<std::string> link(const std::string& path) const = 0;
    virtual Result<std::string> attribute(const std::string& path,
                                          const std::string& name) const = 0;

    // Every entry of the file systems on disks, links not followed. `visit` must not throw.
    using Visit = std::function<void(const std::string& path, const FileInfo& info)>;
    virtual Result<void> walk(const Visit& visit) const = 0;

    virtual Result<std::vector<Package>> packages() const = 0;
    // Lines of `rpm -V`: what differs from these packages. Empty: nothing.
    virtual Result<std::string> verify_packages(const std::vector<std::string>& names) const = 0;
    // Of a live machine only; kNotFound elsewhere.
    virtual Result<AuditState> audit() const = 0;
    // Filter chains on the input hook: their policies ("drop", "accept"). kNotFound when not live.
    virtual Result<std::vector<std::string>> input_policies() const = 0;
    // What the platform says of the machine (the JSON of /instance/compute, from the metadata
    // broker); kNotFound without one.
    virtual Result<std::string> platform() const = 0;
    // As the boot loader hands it over; kNotFound when it is not known.
    virtual Result<std::string> command_line() const = 0;

    bool exists(const std::string& path) const { return info(path).has_value(); }
};

// Paths that match a pattern of absolute parts with '*', '?' and [...]; sorted.
std::vector<std::string> expand(const Target& target, const std::string& pattern);

}  // namespace tarn::guest::baseline
