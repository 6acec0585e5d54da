// SPDX-License-Identifier: MIT
// tmpfiles.d(5) over a Tree: what `systemd-tmpfiles --create --root` would do to it, for images
// that no systemd starts. Lines that ask for the running machine (boot only, credentials, its host
// name or boot id) or for what a Tree cannot hold (ACLs, chattr) are left to it.
#pragma once

#include "image/detail/accounts.hh"
#include "image/detail/overlay.hh"

namespace tarn::image {

struct TmpfilesLine {
    std::string where;                        // "/usr/lib/tmpfiles.d/dbus.conf:3"
    char type = 0;                            // 'd', 'L', ...
    std::string modifiers;                    // of "!+-=~^$?"
    std::string path;                         // absolute, specifiers expanded
    std::string mode, user, group, argument;  // "" for "-"
};

// Files of /usr/lib/tmpfiles.d and /etc/tmpfiles.d by name, one in /etc hiding its twin. Lines that
// are left to the machine are not among them. kCorrupt lists every line that is none.
Result<std::vector<TmpfilesLine>> read_tmpfiles(const Store& store, const Tree& tree);

// Adds to `overlay` what the lines make of `tree`, but for /dev, /proc and /sys. Of two lines for a
// path the first one counts. Owners stay names; kFailed lists lines with accounts `ids` lacks, and
// copies and links that cannot be made.
Result<void> add_tmpfiles(const Store& store,
                          const Tree& tree,
                          const AccountIds& ids,
                          Overlay& overlay);

}  // namespace tarn::image
