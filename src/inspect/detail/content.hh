// SPDX-License-Identifier: MIT
// Files of a root file system on their way into a Tree: every one is hashed, those of interest are
// kept in the store, and the limits of the whole are watched.
#pragma once

#include "base/hash.hh"
#include "inspect/inspect.hh"

namespace tarn::inspect {

// Takes a file piece by piece, in order.
class ContentWriter {
  public:
    ContentWriter(const Store& store, bool keep) : store_(store), keep_(keep) {}
    void add(std::string_view bytes) {
        hasher_.update(bytes);
        size_ += bytes.size();
        if (keep_) {
            kept_ += bytes;
        }
    }
    Result<Digest> finish() {
        if (keep_) {
            return store_.put(kept_);
        }
        Digest out;
        out.sha256 = hasher_.finish();
        out.size = size_;
        return out;
    }

  private:
    const Store& store_;
    bool keep_;
    Hasher hasher_{};
    std::string kept_{};
    std::uint64_t size_ = 0;
};

// Entries as a file system lists them, with the number of the inode of each.
class TreeMaker {
  public:
    TreeMaker(std::string name, const Limits& limits) : name_(std::move(name)), limits_(limits) {}

    // Room for one more entry, and for so many bytes of its content.
    Result<void> admit(std::uint64_t bytes) {
        if (++count_ > limits_.entries || bytes > limits_.content_bytes - total_) {
            return too_much();
        }
        total_ += bytes;
        return {};
    }
    // Names, link targets and attributes count too: an inode may be named often.
    Result<void> add(TreeEntry entry, std::uint64_t inode) {
        if (entry.path.size() > kMaxPath) {
            return fail(ErrorKind::kCorrupt, "{}: a path of {} bytes", name_, entry.path.size());
        }
        text_ += entry.path.size() + entry.target.size();
        for (const auto& [name, value] : entry.xattrs) {
            text_ += name.size() + value.size();
        }
        if (text_ > limits_.text_bytes) {
            return too_much();
        }
        entries_.push_back(std::move(entry));
        inodes_.push_back(inode);
        return {};
    }
    std::size_t size() const { return entries_.size(); }
    // Files of one inode become hard links of the first by path.
    Result<Tree> finish();

  private:
    static constexpr std::size_t kMaxPath = 4096;  // PATH_MAX
    Failure too_much() const {
        return fail(ErrorKind::kCorrupt, "{}: it holds more than is read of an image", name_);
    }

    std::string name_;
    const Limits& limits_;
    std::uint64_t count_ = 0, total_ = 0, text_ = 0;
    std::vector<TreeEntry> entries_;
    std::vector<std::uint64_t> inodes_;
};

// A file name as it may stand in a tree.
inline bool is_entry_name(std::string_view name) {
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

}  // namespace tarn::inspect
