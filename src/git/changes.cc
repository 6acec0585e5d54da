// SPDX-License-Identifier: MIT
// All paths are followed through the history at once. Each commit on the way has a set of paths
// that are still followed there: nearly always all, or all but a few that a merge sent the other
// way.
#include "git/detail/impl.hh"
#include "git/detail/tree_diff.hh"

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace tarn::git {

using detail::Changes;

namespace {

// A set of paths, or everything but a set of paths.
class PathSet {
  public:
    static PathSet all() {
        PathSet set;
        set.inverted_ = true;
        return set;
    }
    bool empty() const { return !inverted_ && paths_.empty(); }
    bool contains(const std::string& path) const { return paths_.contains(path) != inverted_; }
    void add(const PathSet& other) {
        if (!inverted_ && other.inverted_) {
            PathSet sum = other;
            for (const std::string& path : paths_) {
                sum.paths_.erase(path);
            }
            *this = std::move(sum);
        } else if (!inverted_) {
            paths_.insert(other.paths_.begin(), other.paths_.end());
        } else {
            std::erase_if(paths_, [&](const std::string& path) { return other.contains(path); });
        }
    }
    // Those of this set that `changes` has, and those that it has not.
    PathSet within(const Changes& changes) const {
        PathSet set;
        for (const auto& [path, change] : changes) {
            if (contains(path)) {
                set.paths_.insert(path);
            }
        }
        return set;
    }
    PathSet without(const Changes& changes) const {
        PathSet set = *this;
        for (const auto& [path, change] : changes) {
            if (inverted_) {
                set.paths_.insert(path);
            } else {
                set.paths_.erase(path);
            }
        }
        return set;
    }

  private:
    std::set<std::string> paths_;
    bool inverted_ = false;
};

// Tree objects lately used: a commit's tree is compared with its child's and with its parent's.
class TreeCache {
  public:
    template <class Read>
    Result<detail::TreeBytes> get(const git_oid& id, const Read& read) {
        for (const auto& [known, bytes] : recent_) {
            if (git_oid_equal(&known, &id) == 1) {
                return bytes;
            }
        }
        struct Held {
            detail::OdbObjectHandle object;
            std::string_view bytes;
        };
        auto held = std::make_shared<Held>();
        held->object = TARN_TRY(read(id));
        held->bytes = {static_cast<const char*>(git_odb_object_data(held->object.get())),
                       git_odb_object_size(held->object.get())};
        detail::TreeBytes bytes(held, &held->bytes);
        recent_.emplace_back(id, bytes);
        if (recent_.size() > 8) {
            recent_.pop_front();
        }
        return bytes;
    }

  private:
    std::deque<std::pair<git_oid, detail::TreeBytes>> recent_;
};

using History = std::map<std::string, std::vector<PathChange>>;

class Follower {
  public:
    using Top = std::function<Result<std::optional<git_oid>>(const ObjectId& commit)>;
    Follower(Top top, detail::ReadTree read, const Paths* only)
        : top_(std::move(top)), read_(std::move(read)), only_(only) {}

    // `commits` in an order that has children before parents.
    void start(const ObjectId& tip) { followed_[tip] = PathSet::all(); }
    Result<void> step(const Commit& commit, const std::vector<ObjectId>& parents) {
        const auto at = followed_.find(commit.id);
        if (at == followed_.end()) {
            return {};
        }
        PathSet rest = std::move(at->second);
        followed_.erase(at);
        if (rest.empty()) {
            return {};
        }
        Changes changed;  // against the first parent
        for (std::size_t i = 0; i < std::max<std::size_t>(parents.size(), 1); ++i) {
            Changes changes =
                TARN_TRY(compare(parents.empty() ? ObjectId() : parents[i], commit.id));
            if (parents.size() > 1) {
                followed_[parents[i]].add(rest.without(changes));
                rest = rest.within(changes);
            }
            if (i == 0) {
                changed = std::move(changes);
            }
        }
        for (const auto& [path, change] : changed) {
            if (rest.contains(path)) {
                history_[path].push_back(PathChange{commit.id, change.before, change.after});
            }
        }
        for (const ObjectId& parent : parents) {
            followed_[parent].add(rest);
        }
        return {};
    }
    // Whether something that is followed lies in this commit's tree.
    Result<bool> holds_followed(const ObjectId& commit) {
        const auto at = followed_.find(commit);
        return at != followed_.end() &&
               !at->second.within(TARN_TRY(compare(ObjectId(), commit))).empty();
    }
    History take() { return std::move(history_); }

  private:
    Result<Changes> compare(const ObjectId& before, const ObjectId& after) {
        std::optional<git_oid> old_tree;
        if (!before.empty()) {
            old_tree = TARN_TRY(top_(before));
        }
        const std::optional<git_oid> new_tree = TARN_TRY(top_(after));
        return detail::diff_trees(old_tree, new_tree, read_, only_);
    }

    Top top_;
    detail::ReadTree read_;
    const Paths* only_;
    std::unordered_map<ObjectId, PathSet> followed_;
    History history_;
};

}  // namespace

Result<std::map<std::string, std::vector<PathChange>>> Repository::changes_below(
    const ObjectId& tip, std::string_view directory, const Paths* only) const {
    const Impl& impl = *impl_;
    TreeCache cache;
    std::unordered_map<ObjectId, std::optional<git_oid>> tops;
    const auto top = [&](const ObjectId& commit) -> Result<std::optional<git_oid>> {
        const auto known = tops.find(commit);
        if (known != tops.end()) {
            return known->second;
        }
        std::optional<git_oid> id;
        const std::optional<Entry> entry = TARN_TRY(impl.find(commit, directory));
        if (entry && entry->type == EntryType::kDirectory) {
            id = TARN_TRY(detail::parse_id(entry->id));
        }
        tops[commit] = id;
        return id;
    };
    const auto read = [&](const git_oid& id) {
        return cache.get(id, [&](const git_oid& tree) { return impl.read(tree, GIT_OBJECT_TREE); });
    };
    const std::vector<Commit> commits = TARN_TRY(impl.walk(tip));
    Follower follower(top, read, only);
    follower.start(tip);
    for (const Commit& commit : commits) {
        const bool cut = impl.boundary.contains(commit.id) && !commit.parents.empty();
        const bool hidden = cut && TARN_TRY(follower.holds_followed(commit.id));
        if (hidden) {
            return fail(error(ErrorKind::kFailed,
                              "the history of `{}` in {} ends at commit {}: it is a shallow clone",
                              directory,
                              impl.directory,
                              commit.id)
                            .advise("`git fetch --unshallow` brings the rest"));
        }
        TARN_TRY(follower.step(commit, impl.known_parents(commit)));
    }
    return follower.take();
}

}  // namespace tarn::git
