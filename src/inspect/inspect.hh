// SPDX-License-Identifier: MIT
// Images read back: disks (raw, fixed VHD) with their partitions, boot files and root file system
// (ext4, EROFS), OCI layouts, docker-archives, tar archives (.wsl). Nothing is mounted, nothing is
// run, and every length found in an image is checked: images may come from anybody.
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::inspect {

struct Partition {
    unsigned number = 0;  // from 1
    std::string label;
    std::string type, id;                // GUIDs, lower case
    std::uint64_t offset = 0, size = 0;  // bytes
    std::string filesystem;              // "vfat", "ext4", "erofs", "verity" or empty
};

struct BootFile {      // in the ESP
    std::string path;  // "EFI/BOOT/BOOTX64.EFI"
    std::uint64_t size = 0;
    std::string sha256;
};

struct Uki {
    std::string path;  // in the ESP or in the tree
    std::uint64_t size = 0, kernel_bytes = 0, initrd_bytes = 0;
    std::string command_line, os_release, uname;
    std::size_t signatures = 0;
};

struct Artifact {
    std::string path;
    std::string format;  // "raw", "vhd", "oci", "docker-archive", "tar"
    std::uint64_t file_bytes = 0;
    std::vector<Partition> partitions;
    std::vector<BootFile> boot_files;
    std::vector<Uki> ukis;
    std::string root_filesystem;
    // Owners as numbers, contents as digests. Files that read() may be asked for (settings, rpmdb,
    // units, accounts, kernel configuration) are in the store.
    Tree tree;
};

struct Limits {
    std::uint64_t content_bytes = 16ULL << 30;  // of all files together
    std::uint64_t entries = 2'000'000;
    std::uint64_t text_bytes = 1ULL << 30;  // of all paths, link targets and attributes
    std::size_t depth = 256;
    std::uint64_t kept_bytes = 256ULL << 20;  // one file in the store
};

struct ReadOptions {
    std::string tag;  // of an OCI layout with several images
    std::string architecture = "amd64";
    Limits limits{};
    std::stop_token stop{};
};

// A file or a directory (OCI layout). kCorrupt says what in the image is wrong, kUsage that it is
// of no format that is read.
Result<Artifact> read_artifact(const Store& store,
                               const std::string& path,
                               const ReadOptions& options);

// Whether the contents of a file of this path are kept for read().
bool is_of_interest(std::string_view path);
// The text of a file of the tree, links in the tree followed; kNotFound.
Result<std::string> read(const Store& store, const Tree& tree, std::string_view path);
// Where a path leads inside the tree, links followed; nullptr when nowhere.
const TreeEntry* resolve(const Tree& tree, std::string_view path);

}  // namespace tarn::inspect
