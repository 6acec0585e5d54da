// SPDX-License-Identifier: MIT
#include "rpm/detail/frame.hh"
#include "rpm/detail/temporary_file.hh"
#include "rpm/package.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace tarn::rpm {

namespace {

constexpr std::string_view kRoom = "signed";
constexpr std::string_view kJsonHead = "{\"rpm\":\"";
constexpr std::string_view kJsonTail = "\"}";

Digest result_key(const Digest& rpm, const SigningKey& key, std::int64_t when) {
    return KeyBuilder("signed", 1)
        .field("rpm", rpm)
        .field("key", key.info().fingerprint)
        .field("when", std::to_string(when))
        .key();
}

std::optional<Digest> remembered(const Store& store, const Digest& key) {
    const auto json = store.result(kRoom, key);
    if (!json || !json->starts_with(kJsonHead) || !json->ends_with(kJsonTail)) {
        return std::nullopt;
    }
    const auto digest = Digest::parse(std::string_view(*json).substr(
        kJsonHead.size(), json->size() - kJsonHead.size() - kJsonTail.size()));
    return digest && store.has(*digest) ? digest : std::nullopt;
}

// Bytes [from, end) of one file to the end of another, shared between both where the file system
// can do so.
Result<void> copy_rest(
    int from_fd, std::uint64_t from, std::uint64_t end, TemporaryFile& to, std::string_view rest) {
    auto in = static_cast<off64_t>(from);
    while (static_cast<std::uint64_t>(in) < end) {
        const ssize_t copied = ::copy_file_range(
            from_fd, &in, to.fd(), nullptr, end - static_cast<std::uint64_t>(in), 0);
        if (copied < 0 && errno == EINTR) {
            continue;
        }
        if (copied <= 0) {
            // Not between these file systems, or not at all here: write what is mapped anyway.
            return write_all(
                to.fd(), rest.substr(static_cast<std::uint64_t>(in) - from), to.path());
        }
    }
    return {};
}

Result<Digest> sign_anew(const Store& store,
                         const Digest& rpm,
                         const SigningKey& key,
                         std::int64_t when) {
    const Fd source = TARN_TRY(open_file(store.blob_path(rpm), O_RDONLY));
    const MemoryMap map = TARN_TRY(store.map(rpm));
    const std::string name = "package " + rpm.hex();
    const Opened package = TARN_TRY(open_package(map.bytes(), name));
    const Frame& frame = package.frame;
    const std::string signature = TARN_TRY(key.sign_detached(frame.header, when));
    const std::string head = std::string(frame.lead) +
                             make_signed_header(package.signature,
                                                frame.header_start - kLeadSize,
                                                signature,
                                                key.info().algorithm == KeyAlgorithm::kRsa4096);
    TemporaryFile file = TARN_TRY(TemporaryFile::make(store));
    TARN_TRY(write_all(file.fd(), head, file.path()));
    TARN_TRY(copy_rest(source.get(),
                       frame.header_start,
                       map.bytes().size(),
                       file,
                       map.bytes().substr(frame.header_start)));
    return file.adopt(store);
}

}  // namespace

Result<Digest> sign_package(const Store& store,
                            const Digest& rpm,
                            const SigningKey& key,
                            std::int64_t when) {
    const Digest kept_under = result_key(rpm, key, when);
    if (const auto digest = remembered(store, kept_under)) {
        return *digest;
    }
    const Digest digest = TARN_TRY(sign_anew(store, rpm, key, when));
    TARN_TRY(store.put_result(
        kRoom, kept_under, fmt::format("{}{}{}", kJsonHead, digest.to_string(), kJsonTail)));
    return digest;
}

Result<void> verify_package(std::string_view bytes,
                            const std::string& name,
                            const Keyring& keyring) {
    const Opened package = TARN_TRY(open_package(bytes, name));
    TARN_TRY(check_payload(package, name));
    std::string signature = package.signature.binary(RPMSIGTAG_RSA);
    if (signature.empty()) {
        signature = package.signature.binary(RPMSIGTAG_DSA);
    }
    if (signature.empty()) {
        return fail(error(ErrorKind::kCorrupt, "{} is not signed", name)
                        .note("digests of header and payload are as they should be"));
    }
    auto signers = keyring.verify_detached(package.frame.header, signature);
    if (!signers) {
        return fail(std::move(signers.error()).context(name));
    }
    return {};
}

}  // namespace tarn::rpm
