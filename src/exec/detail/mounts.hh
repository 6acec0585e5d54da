// SPDX-License-Identifier: MIT
// How a sandbox's file system is put together, as arguments of bubblewrap.
//
// Where every mount point exists in the root, the root is bound read-only as "/". Where one is
// missing (a root without /build), bubblewrap cannot make it in a read-only mount: each directory
// on the way to it is then built anew on a tmpfs, its entries bound one by one.
#pragma once

#include "base/result.hh"
#include "exec/sandbox.hh"

#include <string>
#include <vector>

namespace tarn::detail {

enum class MountKind { kBind, kProc, kDev, kTmpfs };

struct Mount {
    MountKind kind = MountKind::kBind;
    std::string target;  // absolute, folded, links within the root followed
    std::string source{};
    bool writable = false;
};

// What every sandbox has of its own: /proc, /dev, /tmp, /var/tmp and /run.
std::vector<Mount> own_mounts();

// `path` with the links of the root followed, never leaving it; what is missing stays as it is.
// kFailed on a loop.
Result<std::string> resolve_in_root(const std::string& root, const std::string& path);

// All mounts below "/", parents first.
Result<std::vector<Mount>> plan_mounts(const Sandbox& sandbox);

// The arguments for root and mounts.
Result<std::vector<std::string>> mount_arguments(const Sandbox& sandbox);

// Whether `path` is `directory` or lies below it.
bool lies_in(std::string_view path, std::string_view directory);

}  // namespace tarn::detail
