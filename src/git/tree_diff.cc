// SPDX-License-Identifier: MIT
#include "git/detail/tree_diff.hh"

#include <algorithm>
#include <cstring>

namespace tarn::git::detail {
namespace {

using Side = std::optional<git_oid>;

struct Pair {
    std::string prefix;
    Side before, after;
    std::size_t depth = 0;
};

// One tree object being read entry by entry.
class Cursor {
  public:
    static Result<Cursor> open(const Side& tree, const ReadTree& read) {
        Cursor cursor;
        if (tree) {
            cursor.id_ = *tree;
            cursor.bytes_ = TARN_TRY(read(*tree));
            cursor.rest_ = *cursor.bytes_;
        }
        TARN_TRY(cursor.next());
        return cursor;
    }
    bool at_end() const { return at_end_; }
    const TreeEntry& entry() const { return entry_; }
    Result<void> next() {
        at_end_ = rest_.empty();
        if (!at_end_ && !next_entry(rest_, entry_)) {
            return fail(ErrorKind::kCorrupt, "git tree {} is malformed", hex(id_));
        }
        return {};
    }

  private:
    git_oid id_{};
    TreeBytes bytes_;
    std::string_view rest_;
    TreeEntry entry_;
    bool at_end_ = true;
};

// Git sorts a directory as if its name ended in '/'.
int compare(const Cursor& a, const Cursor& b) {
    if (a.at_end() || b.at_end()) {
        return int{a.at_end()} - int{b.at_end()};
    }
    const std::string_view left = a.entry().name;
    const std::string_view right = b.entry().name;
    const std::size_t common = std::min(left.size(), right.size());
    const int order = std::memcmp(left.data(), right.data(), common);
    if (order != 0) {
        return order;
    }
    const auto after = [common](const TreeEntry& entry) {
        return entry.name.size() > common ? static_cast<unsigned char>(entry.name[common])
               : entry.directory()        ? static_cast<unsigned char>('/')
                                          : static_cast<unsigned char>('\0');
    };
    return int{after(a.entry())} - int{after(b.entry())};
}

bool same(const TreeEntry& a, const TreeEntry& b) {
    return a.mode == b.mode && std::memcmp(a.id.id, b.id.id, GIT_OID_RAWSZ) == 0;
}

class Differ {
  public:
    Differ(const ReadTree& read, const Paths* only) : read_(read), only_(only) {}

    Result<Changes> run(const Side& before, const Side& after) {
        pending_.push_back(Pair{"", before, after, 0});
        while (!pending_.empty()) {
            const Pair pair = std::move(pending_.back());
            pending_.pop_back();
            if (++trees_ + changes_.size() > kMostEntries) {
                return fail(
                    ErrorKind::kCorrupt, "git trees differ in more than {} entries", kMostEntries);
            }
            TARN_TRY(compare_trees(pair));
        }
        return std::move(changes_);
    }

  private:
    Result<void> compare_trees(const Pair& pair) {
        if (pair.depth > kDeepest) {
            return fail(ErrorKind::kCorrupt,
                        "git tree below {} is deeper than {} directories",
                        pair.prefix.substr(0, 100),
                        kDeepest);
        }
        Cursor before = TARN_TRY(Cursor::open(pair.before, read_));
        Cursor after = TARN_TRY(Cursor::open(pair.after, read_));
        while (!before.at_end() || !after.at_end()) {
            const int order = compare(before, after);
            const TreeEntry* left = order <= 0 ? &before.entry() : nullptr;
            const TreeEntry* right = order >= 0 ? &after.entry() : nullptr;
            if (left == nullptr || right == nullptr || !same(*left, *right)) {
                add(pair, left, right);
            }
            if (order <= 0) {
                TARN_TRY(before.next());
            }
            if (order >= 0) {
                TARN_TRY(after.next());
            }
        }
        return {};
    }

    void add(const Pair& pair, const TreeEntry* left, const TreeEntry* right) {
        std::string path = pair.prefix + std::string(left != nullptr ? left->name : right->name);
        const TreeEntry& any = left != nullptr ? *left : *right;
        if (!wanted(path, any.directory())) {
            return;
        }
        if (any.directory()) {
            pending_.push_back(Pair{path + "/",
                                    left != nullptr ? Side(left->id) : std::nullopt,
                                    right != nullptr ? Side(right->id) : std::nullopt,
                                    pair.depth + 1});
            return;
        }
        BlobChange& change = changes_[std::move(path)];
        if (left != nullptr) {
            change.before = hex(left->id);
        }
        if (right != nullptr) {
            change.after = hex(right->id);
        }
    }

    bool wanted(const std::string& path, bool directory) const {
        if (only_ == nullptr) {
            return true;
        }
        const std::string below = path + "/";
        const auto first = directory ? only_->lower_bound(below) : only_->find(path);
        return first != only_->end() && (!directory || first->starts_with(below));
    }

    const ReadTree& read_;
    const Paths* only_;
    std::vector<Pair> pending_;
    Changes changes_;
    std::size_t trees_ = 0;
};

}  // namespace

bool next_entry(std::string_view& bytes, TreeEntry& entry) {
    std::size_t at = 0;
    unsigned mode = 0;
    while (at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '7' && at < 7) {
        mode = mode * 8 + static_cast<unsigned>(bytes[at] - '0');
        ++at;
    }
    if (at == 0 || at >= bytes.size() || bytes[at] != ' ') {
        return false;
    }
    const std::size_t name = at + 1;
    const std::size_t end = bytes.find('\0', name);
    if (end == std::string_view::npos || end == name || bytes.size() - end - 1 < GIT_OID_RAWSZ) {
        return false;
    }
    entry.mode = mode;
    entry.name = bytes.substr(name, end - name);
    std::memcpy(entry.id.id, bytes.data() + end + 1, GIT_OID_RAWSZ);
    bytes.remove_prefix(end + 1 + GIT_OID_RAWSZ);
    return true;
}

Result<Changes> diff_trees(const std::optional<git_oid>& before,
                           const std::optional<git_oid>& after,
                           const ReadTree& read,
                           const Paths* only) {
    if (before && after && std::memcmp(before->id, after->id, GIT_OID_RAWSZ) == 0) {
        return Changes{};
    }
    return Differ(read, only).run(before, after);
}

}  // namespace tarn::git::detail
