// SPDX-License-Identifier: MIT
#include "render/pack.hh"

#include "render/detail/archive.hh"

namespace tarn {

namespace {

Compression compression_of(std::string_view name) {
    if (name.ends_with(".tgz")) {
        return Compression::kGzip;
    }
    if (name.ends_with(".txz")) {
        return Compression::kXz;
    }
    return name.ends_with(".tzst") ? Compression::kZstd : compression_of_name(name);
}

}  // namespace

bool can_pack(std::string_view filename) {
    return overlay::is_archive_name(filename);
}

Result<std::string> pack_tree(const Store& store, const Tree& tree, std::string_view filename) {
    if (!can_pack(filename)) {
        return fail(error(ErrorKind::kUsage, "`{}` is no archive that can be packed", filename)
                        .advise("its name must end in .tar .tar.gz .tgz .tar.xz .txz .tar.zst or .tzst"));
    }
    overlay::Archive archive;
    archive.compression = compression_of(filename);
    for (const TreeEntry& entry : tree.entries()) {
        if (entry.path.empty()) {
            continue;
        }
        overlay::ArchiveMember member;
        member.kind = entry.kind;
        member.mode = entry.mode & 0777;
        if (entry.kind == EntryKind::kFile) {
            member.bytes = TARN_TRY(store.read(entry.content));
        } else if (entry.kind == EntryKind::kSymlink) {
            member.target = entry.target;
        } else if (entry.kind != EntryKind::kDirectory) {
            return fail(ErrorKind::kFailed, "{} is neither file, directory nor link", entry.path);
        }
        archive.members.emplace(entry.path, std::move(member));
    }
    return overlay::write_archive(archive);
}

}  // namespace tarn
