// SPDX-License-Identifier: MIT
// Tree: an immutable directory as a sorted manifest. Contents are blobs named by Digest; owners,
// modes, times, xattrs live here and never on the disk of the host.
//
// The canonical text form (docs/formats/tree.md) is what a tree's digest is taken of: one entry a
// line, sorted by path bytewise, so equal trees have equal digests everywhere.
#pragma once

#include "base/result.hh"
#include "store/digest.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

enum class EntryKind : std::uint8_t {
    kFile,
    kDirectory,
    kSymlink,
    kCharDevice,
    kBlockDevice,
    kFifo
};

struct TreeEntry {
    std::string path;  // "usr/bin/bash": relative, no "." or ".." part; the root itself is ""
    EntryKind kind = EntryKind::kFile;
    std::uint32_t mode = 0;  // permission bits and setuid, setgid, sticky: 07777
    // Owner. A name wins over the number when not empty: it is resolved against the composed
    // /etc/passwd and /etc/group when an image is made (resolve_owners in image).
    std::string user{};
    std::string group{};
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime = 0;  // seconds
    Digest content{};        // kFile
    std::string target{};    // kSymlink; for a hard link see below
    // kFile: when not empty, the path of the entry (in the same tree, sorted before) whose inode
    // this shares; content and attributes are equal to that entry's.
    std::string hardlink{};
    std::uint32_t device_major = 0;
    std::uint32_t device_minor = 0;
    std::map<std::string, std::string> xattrs{};  // "security.capability" -> raw bytes, ...
    bool operator==(const TreeEntry&) const = default;
};

// What keeps an entry out of every Tree ("is a link with an empty, too long or broken target"); nullptr
// when nothing does.
const char* entry_problem(const TreeEntry& entry);

// Sorted by path, unique. Every entry's parent need not be present: writers make missing parents
// as root-owned 0755 directories.
class Tree {
  public:
    Tree() = default;
    // Sorts; kFailed on a duplicate or unsafe path, or a hardlink without its target.
    static Result<Tree> make(std::vector<TreeEntry> entries);

    const std::vector<TreeEntry>& entries() const { return entries_; }
    bool empty() const { return entries_.empty(); }
    const TreeEntry* find(std::string_view path) const;
    // Entries at or below a directory path.
    std::vector<const TreeEntry*> below(std::string_view path) const;
    std::uint64_t content_bytes() const;  // sum of file sizes, hard links once

    std::string serialize() const;  // the canonical form
    static Result<Tree> parse(std::string_view text);
    Digest digest() const;

    // The entries for which `keep` says so.
    Tree filter(const std::function<bool(const TreeEntry&)>& keep) const;

  private:
    std::vector<TreeEntry> entries_;
};

// A path that two trees give differently.
struct TreeConflict {
    std::string path;
    std::size_t first = 0;  // index of the trees that differ
    std::size_t second = 0;
};

struct MergeResult {
    Tree tree;
    std::vector<std::size_t> owner;       // owner[i]: index of the tree entries()[i] came from
    std::vector<TreeConflict> conflicts;  // later tree won
};

// Lays trees over each other, later ones win. Directories given several times are no conflict
// (last attributes win); files that are equal in content and attributes are none either.
MergeResult merge(const std::vector<const Tree*>& trees);

struct TreeDiff {
    std::vector<std::string> added, removed, changed;
};
TreeDiff diff(const Tree& before, const Tree& after);

}  // namespace tarn
