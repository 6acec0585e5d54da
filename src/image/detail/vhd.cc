// SPDX-License-Identifier: MIT
#include "image/detail/vhd.hh"

#include "image/detail/bytes.hh"
#include "image/detail/gpt.hh"

#include <algorithm>
#include <numeric>

namespace tarn::image {
namespace {

constexpr std::int64_t kEpoch2000 = 946684800;

// The largest geometry there is. Any other would be an approximation of the size, and some readers
// (QEMU for creators it does not know) take the product of these for the size.
constexpr std::uint64_t kCylinders = 65535, kHeads = 16, kSectorsPerTrack = 255;

}  // namespace

Result<std::string> make_vhd_footer(std::uint64_t size, std::int64_t time, const Guid& id) {
    if (size == 0 || size % kMiB != 0) {
        return fail(
            error(ErrorKind::kUsage, "a VHD must be a whole number of MiB, not {} bytes", size)
                .advise("give the image a `size` in whole MiB"));
    }
    std::string out(kVhdFooterSize, '\0');
    put_bytes(out, 0, "conectix");
    put_be(out, 8, 2, 4);            // features: the reserved bit that is always set
    put_be(out, 12, 0x00010000, 4);  // format version 1.0
    put_be(out, 16, ~0ULL, 8);       // fixed disks have no dynamic header
    put_be(out, 24, static_cast<std::uint64_t>(std::max(time, kEpoch2000) - kEpoch2000), 4);
    put_bytes(out, 28, "tarn");
    put_be(out, 32, 0x00010000, 4);
    put_bytes(out, 36, "Wi2k");
    put_be(out, 40, size, 8);
    put_be(out, 48, size, 8);
    put_be(out, 56, kCylinders, 2);
    put_be(out, 58, kHeads, 1);
    put_be(out, 59, kSectorsPerTrack, 1);
    put_be(out, 60, 2, 4);  // fixed
    put_bytes(out, 68, id.wire_bytes());
    const auto sum =
        std::accumulate(out.begin(), out.end(), std::uint32_t{0}, [](std::uint32_t total, char c) {
            return total + static_cast<unsigned char>(c);
        });
    put_be(out, 64, ~sum, 4);
    return out;
}

}  // namespace tarn::image
