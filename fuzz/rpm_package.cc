// rooms: rpm
// SPDX-License-Identifier: MIT
// The bytes are taken as the main header (index and data) of a package whose frame and digests are
// right, so that what lies behind the digest is reached; and once more as a cpio archive.
#include "base/hash.hh"
#include "rpm/detail/cpio.hh"
#include "rpm/detail/frame.hh"
#include "rpm/package.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    static_cast<void>(rpm::read_package(bytes, "whole"));
    const std::string header = std::string(rpm::kHeaderMagic) + std::string(bytes);
    const std::string package = rpm::make_lead({"fuzz", {std::nullopt, "1", "1"}, "noarch"}) +
                                rpm::make_signature_header(sha256_hex(header), {header.size(), 0}) +
                                header;
    static_cast<void>(rpm::read_package(package, "framed"));
    rpm::CpioReader reader(bytes);
    rpm::CpioItem item;
    while (true) {
        const auto more = reader.next(item);
        if (!more || !*more || !reader.contents(item.size)) {
            break;
        }
    }
    return 0;
}
