// SPDX-License-Identifier: MIT
#include "image/detail/update.hh"

#include "base/compress.hh"
#include "base/fs.hh"
#include "base/hash.hh"

#include <fcntl.h>

#include <algorithm>

namespace tarn::image {
namespace {

constexpr int kLevel = 3;
constexpr std::uint64_t kChunk = 1 << 20;

// Returns the SHA-256 of what was written.
Result<std::string> write_piece(const UpdateInput& input,
                                const UpdatePiece& piece,
                                const std::string& path) {
    const Fd file = TARN_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
    Hasher hasher;
    ZstdWriter writer(kLevel, [&](std::string_view bytes) {
        hasher.update(bytes);
        return write_all(file.get(), bytes, path);
    });
    for (std::uint64_t at = 0; at < piece.size;) {
        if (input.stop.stop_requested()) {
            return fail(ErrorKind::kInterrupted, "interrupted");
        }
        const std::uint64_t size = std::min(kChunk, piece.size - at);
        const std::string bytes =
            TARN_TRY(pread_exact(input.disk, piece.offset + at, size, input.path));
        TARN_TRY(writer.write(bytes));
        at += size;
    }
    TARN_TRY(writer.finish());
    return hasher.finish_hex();
}

}  // namespace

Result<Artifacts> write_update(const UpdateInput& input) {
    const std::string directory = join_path(input.directory, input.name);
    TARN_TRY(make_directories(directory));
    const std::string root = UpdateNames::root(input.system, input.root.partition);
    const std::string tree = UpdateNames::hash_tree(input.system, input.hash_tree.partition);
    const std::string uki = UpdateNames::uki(input.system);
    std::vector<std::pair<std::string, std::string>> sums;
    sums.emplace_back(root, TARN_TRY(write_piece(input, input.root, join_path(directory, root))));
    sums.emplace_back(tree,
                      TARN_TRY(write_piece(input, input.hash_tree, join_path(directory, tree))));
    TARN_TRY(write_file_atomic(join_path(directory, uki), input.uki));
    sums.emplace_back(uki, sha256_hex(input.uki));
    std::ranges::sort(sums);

    // As sha256sum(1) writes it for binary files.
    std::string list;
    for (const auto& [name, sum] : sums) {
        list += sum + " *" + name + "\n";
    }
    const std::string signature = TARN_TRY(input.signer->sign_detached(list, input.time));
    TARN_TRY(write_file_atomic(join_path(directory, "SHA256SUMS"), list));
    TARN_TRY(write_file_atomic(join_path(directory, "SHA256SUMS.gpg"), signature));
    sums.emplace_back("SHA256SUMS", sha256_hex(list));
    sums.emplace_back("SHA256SUMS.gpg", sha256_hex(signature));
    Artifacts out;
    for (const auto& [name, sum] : sums) {
        out.emplace_back(input.name + "/" + name, sum);
    }
    return out;
}

}  // namespace tarn::image
