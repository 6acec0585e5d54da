// SPDX-License-Identifier: MIT
// What makes a tree of packages a system of its own: the files only an image knows (fstab, host
// name, empty machine-id, what its declaration adds), its kernel and its command line.
#pragma once

#include "image/detail/guid.hh"
#include "image/detail/overlay.hh"
#include "project/model.hh"

#include <string>
#include <utility>
#include <vector>

namespace tarn::image {

struct BootFacts {
    Guid root_partition{};
    Guid esp_partition{};
    std::string filesystem;  // "ext4" or "erofs"
    // A verified root (docs/formats/image.md, "immutable"):
    bool verified = false;
    std::string root_hash{};              // known when the file system was written
    std::string image_id{}, image_version{};  // for os-release
    std::vector<std::pair<std::string, std::string>> files{};  // path -> content, for the tree
    std::string update_keyring{};         // binary OpenPGP; empty: updates cannot be verified
};

// Adds what is missing to `overlay`: directories, names, what the image declares. What packages
// bring wins over the defaults, what the image declares wins over both.
Result<void> add_configuration(const Store& store,
                               const Image& image,
                               const Tree& tree,
                               Overlay& overlay);
// What only a machine has: fstab, host name, machine-id.
Result<void> add_machine_configuration(const Image& image,
                                       const BootFacts& facts,
                                       Overlay& overlay);

struct Kernel {
    std::string version;
    Digest image{};  // vmlinuz
};
// kNotFound when the image has no kernel, kFailed when it has several.
Result<Kernel> find_kernel(const Tree& tree);

// Words of /usr/lib/kernel/cmdline.d/*.conf and /etc/kernel/cmdline.d/*.conf (one line or many,
// '#' comments), then the image's, then root=, rootfstype= and rw unless they are said.
Result<std::string> kernel_command_line(const Store& store,
                                        const Image& image,
                                        const Tree& tree,
                                        const BootFacts& facts);

// Where rpm in the image looks for its database: %_dbpath of its macros; without leading "/".
Result<std::string> rpmdb_directory(const Store& store, const Tree& tree);

}  // namespace tarn::image
