// SPDX-License-Identifier: MIT
// What an image's declaration adds in tables of its own: units, sysctl, modules, locale, users.
// Each becomes the drop-in an administrator would have written.
#pragma once

#include "image/detail/accounts.hh"
#include "image/detail/overlay.hh"
#include "project/image.hh"

namespace tarn::image {

// /etc/systemd/system-preset/00-image.preset, masks, /etc/sysctl.d/90-image.conf,
// /etc/modules-load.d/image.conf, /etc/modprobe.d/image.conf, /etc/locale.conf,
// /etc/vconsole.conf, /etc/localtime. kUsage names every unit, module or zone `tree` does not
// have, all in one Error.
Result<void> add_declared_settings(const Image& image, const Tree& tree, Overlay& overlay);

// Accounts of declared users behind those of the packages, which lock_accounts() has seen: uid as declared or the next free one
// from 1000 on, a group of the user's name unless one is said. kUsage lists names, numbers and
// groups that clash or are missing. `day`: of the last change of the password, since 1970.
Result<AccountFiles> add_declared_users(const Image& image,
                                        const Tree& tree,
                                        AccountFiles files,
                                        std::int64_t day);

// Home directories with what /etc/skel has and .ssh/authorized_keys. Owners are names.
Result<void> add_homes(const Store& store, const Image& image, const Tree& tree, Overlay& overlay);

}  // namespace tarn::image
