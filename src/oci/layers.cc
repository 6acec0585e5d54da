// SPDX-License-Identifier: MIT
#include "oci/layers.hh"

#include "base/fs.hh"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace tarn::oci {
namespace {

constexpr std::string_view kSystemTitle = "system";
constexpr std::size_t kSystem = static_cast<std::size_t>(-1);

std::uint64_t bucket_hash(std::string_view group) {
    const Digest digest = Digest::of(group);
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        out = out << 8 | digest.sha256[i];
    }
    return out;
}

std::int64_t newest_file(const Tree& tree) {
    std::int64_t out = 0;
    for (const TreeEntry& entry : tree.entries()) {
        out = std::max(out, entry.kind == EntryKind::kFile ? entry.mtime : 0);
    }
    return out;
}

struct Group {
    std::string name;
    std::uint64_t bytes = 0;
    std::size_t layer = 0;
};

class Planner {
  public:
    Planner(const Tree& tree, const LayerPlan& plan) : tree_(tree), plan_(plan) {}

    void assign(const std::vector<std::string>& groups,
                const std::function<std::optional<std::size_t>(const TreeEntry&)>& group_of);
    void choose_layers();
    Result<std::vector<PlannedLayer>> layers();

  private:
    Result<Tree> tree_of(std::size_t layer) const;
    void add_directories(std::map<std::string, TreeEntry>& entries) const;

    const Tree& tree_;
    const LayerPlan& plan_;
    std::vector<Group> groups_;         // by name
    std::vector<std::size_t> entries_;  // by entry: index into groups_, kSystem
    std::vector<PlannedLayer> layers_;
    std::vector<std::size_t> layer_of_;  // by entry
    std::set<std::string, std::less<>> parents_;
};

void Planner::assign(const std::vector<std::string>& groups,
                     const std::function<std::optional<std::size_t>(const TreeEntry&)>& group_of) {
    std::map<std::string, std::size_t> index;
    for (const std::string& name : groups) {
        index.emplace(name, 0);
    }
    for (auto& [name, at] : index) {
        at = groups_.size();
        groups_.push_back({name});
    }
    std::map<std::string_view, std::size_t> links;
    for (const TreeEntry& entry : tree_.entries()) {
        parents_.insert(parent_path(entry.path));
        const auto found = group_of(entry);
        std::size_t group = found ? index.at(groups.at(*found)) : kSystem;
        if (!entry.hardlink.empty()) {
            group = links.at(entry.hardlink);
        } else if (entry.kind == EntryKind::kFile) {
            links.emplace(entry.path, group);
            if (group != kSystem) {
                groups_[group].bytes += entry.content.size;
            }
        }
        entries_.push_back(group);
    }
}

void Planner::choose_layers() {
    const std::size_t room = plan_.max_layers - 1;  // the last one is the system's
    const std::size_t buckets = std::max<std::size_t>(1, std::min(plan_.buckets, room));
    std::vector<Group*> own;
    for (Group& group : groups_) {
        if (group.bytes >= plan_.own_layer_bytes) {
            own.push_back(&group);
        }
    }
    std::ranges::stable_sort(own,
                             [](const Group* a, const Group* b) { return a->bytes > b->bytes; });
    own.resize(std::min(own.size(), room > buckets ? room - buckets : 0));
    std::ranges::sort(own, {}, [](const Group* group) { return group->name; });
    std::set<const Group*> chosen(own.begin(), own.end());
    for (Group* group : own) {
        group->layer = layers_.size();
        layers_.push_back({group->name, {group->name}, {}});
    }
    const std::size_t first = layers_.size();
    for (std::size_t i = 0; room != 0 && i < buckets; ++i) {
        layers_.push_back({fmt::format("packages {} of {}", i + 1, buckets), {}, {}});
    }
    for (Group& group : groups_) {
        if (!chosen.contains(&group)) {
            group.layer = room == 0 ? first : first + bucket_hash(group.name) % buckets;
            if (room != 0) {
                layers_[group.layer].groups.push_back(group.name);
            }
        }
    }
    layers_.push_back({std::string(kSystemTitle), {}, {}});
    for (const std::size_t group : entries_) {
        layer_of_.push_back(group == kSystem ? layers_.size() - 1 : groups_[group].layer);
    }
}

// The way to each entry, as it is in the whole tree but for the times.
void Planner::add_directories(std::map<std::string, TreeEntry>& entries) const {
    std::map<std::string, std::int64_t> newest;
    for (const auto& [path, entry] : entries) {
        for (std::string above = path; !above.empty();) {
            above = parent_path(above);
            const auto [at, fresh] = newest.try_emplace(above, entry.mtime);
            at->second = std::max(at->second, entry.mtime);
        }
    }
    newest.erase("");
    for (const auto& [path, time] : newest) {
        const TreeEntry* known = tree_.find(path);
        TreeEntry directory;
        if (known != nullptr) {
            directory = *known;
        } else {
            directory.path = path;
            directory.kind = EntryKind::kDirectory;
            directory.mode = 0755;
        }
        directory.mtime = time;
        entries.insert_or_assign(path, std::move(directory));
    }
}

Result<Tree> Planner::tree_of(std::size_t layer) const {
    const auto& all = tree_.entries();
    std::map<std::string, TreeEntry> chosen;
    for (std::size_t i = 0; i < all.size(); ++i) {
        // A directory with something in it comes along with that.
        const bool way = all[i].kind == EntryKind::kDirectory && parents_.contains(all[i].path);
        if (layer_of_[i] == layer && !way) {
            chosen.emplace(all[i].path, all[i]);
        }
    }
    add_directories(chosen);
    std::vector<TreeEntry> entries;
    for (auto& [path, entry] : chosen) {
        entries.push_back(std::move(entry));
    }
    return Tree::make(std::move(entries));
}

Result<std::vector<PlannedLayer>> Planner::layers() {
    std::vector<PlannedLayer> out;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i].tree = TARN_TRY(tree_of(i));
        if (!layers_[i].tree.empty()) {
            out.push_back(std::move(layers_[i]));
        }
    }
    std::ranges::sort(out, {}, [](const PlannedLayer& layer) {
        return std::tuple(layer.title == kSystemTitle, newest_file(layer.tree), layer.title);
    });
    return out;
}

}  // namespace

Result<std::vector<PlannedLayer>> plan_layers(
    const Tree& tree,
    const std::vector<std::string>& groups,
    const std::function<std::optional<std::size_t>(const TreeEntry&)>& group_of,
    const LayerPlan& plan) {
    if (plan.max_layers == 0) {
        return fail(error(ErrorKind::kUsage, "an image of no layers at all")
                        .advise("set `max-layers` to 1 or more"));
    }
    Planner planner(tree, plan);
    planner.assign(groups, group_of);
    planner.choose_layers();
    return planner.layers();
}

}  // namespace tarn::oci
