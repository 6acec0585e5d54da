// SPDX-License-Identifier: MIT
// An image whose root is verified and never written (integrity = "verity"): what its tree gets so
// that the machine makes a second slot and /var on its first boot (repart.d), fetches and keeps two
// versions (sysupdate.d), and fills an empty /var (tmpfiles.d). docs/formats/image.md, "immutable".
#pragma once

#include "image/detail/layout.hh"
#include "store/store.hh"

#include <string>
#include <utility>
#include <vector>

namespace tarn::image {

struct SystemVersion {
    std::string id;       // the image's name: IMAGE_ID
    std::string version;  // IMAGE_VERSION
    // "<id>_<version>": label of the root partition, and the boot entry's name.
    std::string entry() const { return id + "_" + version; }
};
// kUsage for names that partition labels, file names or version comparison cannot hold.
Result<SystemVersion> system_version(const Image& image, std::string_view distro_version);

using TextFiles = std::vector<std::pair<std::string, std::string>>;  // path -> content, sorted

// For systemd-repart: one definition a partition of the layout, in its order, and what it lacks: a
// second slot for root and hash tree, and /var.
TextFiles repart_definitions(const Layout& layout);

// For systemd-sysupdate: hash tree, root and UKI from `url`, which holds what UpdateNames says and
// a signed SHA256SUMS. The UKI comes last: with it the new version is bootable.
TextFiles sysupdate_transfers(const SystemVersion& system, const std::string& url);

// File names of an update directory; `uuid` is the partition's.
struct UpdateNames {
    static std::string root(const SystemVersion& system, const Guid& uuid);
    static std::string hash_tree(const SystemVersion& system, const Guid& uuid);
    static std::string uki(const SystemVersion& system);
};

// The tree with an empty /var: its directories, links and files come back through tmpfiles.d, files
// from /usr/share/factory. What other lines of tmpfiles.d make is left to them. os-release says
// which image it is; `keyring` (binary OpenPGP) is what updates are verified against.
Result<Tree> make_immutable(const Store& store,
                            const Tree& tree,
                            const SystemVersion& system,
                            const TextFiles& files,
                            std::string_view keyring,
                            std::int64_t time);

// The bytes in an ASCII armor (RFC 9580, 6.2); kCorrupt for what is none. The checksum is not
// looked at: signatures inside do that work.
Result<std::string> dearmor(std::string_view armored);

}  // namespace tarn::image
