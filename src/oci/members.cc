// SPDX-License-Identifier: MIT
#include "oci/detail/members.hh"

#include <sys/stat.h>

namespace tarn::oci::detail {
namespace {

// Links within `docker save` archives of old lead from one layer to another, once.
constexpr int kMaxHops = 4;

bool regular_file(const std::string& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

Result<Members> Members::open(const std::string& path, const ReadLimits& limits) {
    Members out;
    out.path_ = path;
    out.directory_ = is_directory(path);
    if (out.directory_) {
        return out;
    }
    if (path_exists(path) && !regular_file(path)) {
        return fail(ErrorKind::kUsage, "{}: neither a directory nor a file", path);
    }
    out.maps_.push_back(TARN_TRY(MemoryMap::open(path)));
    TARN_TRY(out.index_archive(limits));
    return out;
}

Result<void> Members::index_archive(const ReadLimits& limits) {
    std::string_view bytes = maps_.front().bytes();
    const Compression kind = detect_compression(bytes);
    if (kind != Compression::kNone) {
        auto plain = decompress(bytes, kind, limits.layer_bytes);
        if (!plain) {
            return fail(std::move(plain.error()).context(path_));
        }
        unpacked_ = std::move(*plain);
        bytes = unpacked_;
    }
    TarReader reader(bytes, path_, limits.tar);
    TarMember member;
    while (TARN_TRY(reader.next(member))) {
        const auto name = safe_relative_path(member.path, Absolute::kStrip);
        if (!name) {
            return fail(ErrorKind::kCorrupt, "{}: a member is named {}", path_, member.path);
        }
        if (member.type == '0') {
            members_.insert_or_assign(*name, member.content);
        } else if (member.type == '2') {
            const std::string target = absolute_path(member.link, "/" + parent_path(*name));
            links_.insert_or_assign(*name, target.substr(1));
        } else if (member.type == '1') {
            links_.insert_or_assign(*name, member.link);
        }
    }
    return {};
}

bool Members::has(std::string_view name) const {
    return directory_ ? regular_file(join_path(path_, name))
                      : members_.contains(name) || links_.contains(name);
}

Result<std::string_view> Members::bytes(std::string_view name, std::uint64_t limit) {
    std::string_view out;
    if (directory_) {
        const std::string file = join_path(path_, name);
        if (!regular_file(file)) {
            return fail(ErrorKind::kCorrupt, "{}: {} is missing", path_, name);
        }
        maps_.push_back(TARN_TRY(MemoryMap::open(file)));
        out = maps_.back().bytes();
    } else {
        std::string at(name);
        for (int hops = 0; hops < kMaxHops && links_.contains(at); ++hops) {
            at = links_.find(at)->second;
        }
        const auto found = members_.find(at);
        if (found == members_.end()) {
            return fail(ErrorKind::kCorrupt, "{}: {} is missing", path_, name);
        }
        out = found->second;
    }
    if (out.size() > limit) {
        return fail(ErrorKind::kCorrupt,
                    "{}: {} has {} bytes, more than {}",
                    path_,
                    name,
                    out.size(),
                    limit);
    }
    return out;
}

Result<std::string_view> Members::blob(const Digest& digest, std::uint64_t limit) {
    const std::string name = "blobs/sha256/" + digest.hex();
    const std::string_view out = TARN_TRY(bytes(name, limit));
    const Digest found = Digest::of(out);
    if (found != digest) {
        return fail(error(ErrorKind::kCorrupt, "{}: {} is not what its name says", path_, name)
                        .note(fmt::format("expected {}", digest.to_string()))
                        .note(fmt::format("found    {}", found.to_string()))
                        .advise("copy or build the image again"));
    }
    return out;
}

}  // namespace tarn::oci::detail
