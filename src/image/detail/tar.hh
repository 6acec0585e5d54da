// SPDX-License-Identifier: MIT
// A Tree as a tar stream (POSIX.1-2001 pax over ustar): numeric owners, times, hard links, devices,
// extended attributes as SCHILY.xattr records. Same tree, same bytes.
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <functional>
#include <string_view>

namespace tarn::image {

using ByteSink = std::function<Result<void>(std::string_view)>;

struct TarOptions {
    std::int64_t default_mtime = 0;  // of directories that are made because a child needs them
};

// Owner names are not written: they must be numbers already.
Result<void> write_tar(const Store& store,
                       const Tree& tree,
                       const TarOptions& options,
                       const ByteSink& sink);

// "<length> <key>=<value>\n" where length counts itself.
std::string pax_record(std::string_view key, std::string_view value);

}  // namespace tarn::image
