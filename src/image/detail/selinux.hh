// SPDX-License-Identifier: MIT
// SELinux in an image: /etc/selinux/config, the labels of all files, the kernel command line.
#pragma once

#include "base/events.hh"
#include "image/detail/overlay.hh"
#include "project/model.hh"

#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

inline constexpr std::string_view kDefaultPolicy = "targeted";

// Whether files carry labels: enforcing or permissive.
bool labels_files(const Image& image);

// /etc/selinux/config, when the image says anything of SELinux and no package's file says the same.
// kUsage for a mode that is none.
Result<void> add_selinux_configuration(const Image& image, const Tree& tree, Overlay& overlay);

// Every entry with the label the policy in the tree has for it; the tree as it is when the image
// has no SELinux. What is odd but harmless goes to `reporter`.
Result<Tree> label_system(const Store& store,
                          const Image& image,
                          const Tree& tree,
                          std::int64_t time,
                          Reporter& reporter);

// Options that make SELinux the kernel's security module, by the kernel's configuration where the
// tree has it (/boot/config-VERSION or /usr/lib/modules/VERSION/config).
Result<std::vector<std::string>> selinux_options(const Store& store,
                                                 const Image& image,
                                                 const Tree& tree);

}  // namespace tarn::image
