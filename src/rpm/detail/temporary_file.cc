// SPDX-License-Identifier: MIT
#include "rpm/detail/temporary_file.hh"

#include "base/fs.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace tarn::rpm {

Result<TemporaryFile> TemporaryFile::make(const Store& store) {
    std::string path = join_path(store.temporary_directory(), "rpm-XXXXXX");
    Fd fd(::mkostemp(path.data(), O_CLOEXEC));
    if (!fd) {
        return fail(sys_error("create", path));
    }
    return TemporaryFile(std::move(path), std::move(fd));
}

TemporaryFile::~TemporaryFile() {
    if (!path_.empty()) {
        ::unlink(path_.c_str());
    }
}

Result<Digest> TemporaryFile::adopt(const Store& store) {
    fd_.reset();
    Digest digest;
    {
        const MemoryMap map = TARN_TRY(MemoryMap::open(path_));
        digest = Digest::of(map.bytes());
    }
    TARN_TRY(store.adopt(path_, digest));
    path_.clear();
    return digest;
}

}  // namespace tarn::rpm
