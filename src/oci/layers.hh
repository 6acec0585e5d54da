// SPDX-License-Identifier: MIT
// Which file goes into which layer, so that updating one package leaves the other layers' digests
// as they were.
//
//   1. Packages of one source package form a group: they change together.
//   2. A group of at least `own_layer_bytes` has a layer of its own, named after it.
//   3. Every other group lies in bucket `first 8 bytes of SHA-256(group) mod buckets`. Only names
//      decide, so a package that comes, goes or grows never moves another one.
//   4. What belongs to no package, or is not as its package has it (configuration, accounts,
//   caches,
//      the rpmdb), is the last layer.
//   5. With more than `max_layers`, the smallest own layers (ties: by name) fall back to buckets;
//      this is the one place where a package can move another. When even the buckets are too many,
//      there are fewer of them.
//
// The order is by the newest file of each layer, oldest first, and the system last: what changed
// lately is likely to change next, and an update gives new chain ids only to layers above it. A
// layer holds the directories above its entries with their owner and mode, but with the time of the
// newest entry below them in this layer: a directory's own time depends on packages of other
// layers. A directory with nothing in it keeps its time and lies in the layer of its package. Every
// other path lies in one layer only; hard links lie with their target.
#pragma once

#include "base/result.hh"
#include "store/tree.hh"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tarn::oci {

struct LayerPlan {
    std::size_t max_layers = 16;  // at least 1
    std::size_t buckets = 4;
    std::uint64_t own_layer_bytes = 4ULL << 20;
};

struct PlannedLayer {
    std::string title;                // "glibc", "packages 3 of 4", "system"
    std::vector<std::string> groups;  // sorted; empty for the last one
    Tree tree;
};

// `group_of` gives the index into `groups` of what an entry belongs to, nullopt for the system's
// own. Group names need not be unique: equal ones are one group. Layers without entries are left
// out. kUsage for max_layers 0.
Result<std::vector<PlannedLayer>> plan_layers(
    const Tree& tree,
    const std::vector<std::string>& groups,
    const std::function<std::optional<std::size_t>(const TreeEntry&)>& group_of,
    const LayerPlan& plan);

}  // namespace tarn::oci
