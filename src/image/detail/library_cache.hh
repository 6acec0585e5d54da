// SPDX-License-Identifier: MIT
// /etc/ld.so.cache as glibc's `ldconfig -X -i` writes it, for architectures whose ldconfig does not
// run on this machine. Source of the format: sysdeps/generic/dl-cache.h of glibc ("1.1").
#pragma once

#include "base/result.hh"
#include "store/store.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::image {

struct CachedLibrary {
    std::string soname;
    std::string path;  // absolute, as ld.so.conf names its directory
    bool operator==(const CachedLibrary&) const = default;
};

// The directories of /etc/ld.so.conf and what it includes, then those the C library knows by itself
// (/lib and /usr/lib, multiarch ones first); each once, however many links lead there.
Result<std::vector<std::string>> library_directories(const Store& store,
                                                     const Tree& tree,
                                                     std::string_view architecture);
// The libraries of `architecture` in them, in the order of the cache.
Result<std::vector<CachedLibrary>> find_libraries(const Store& store,
                                                  const Tree& tree,
                                                  std::string_view architecture);
// Whether the machine's own ldconfig is not needed for it.
bool has_library_cache(std::string_view architecture);
std::string library_cache(const std::vector<CachedLibrary>& libraries,
                          std::string_view architecture);

}  // namespace tarn::image
