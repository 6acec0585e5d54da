// SPDX-License-Identifier: MIT
// qcow2 against qemu-img, which checks it and compares it with the raw disk.
#include "image/detail/qcow2.hh"

#include "base/fd.hh"
#include "base/hash.hh"
#include "image/detail/gpt.hh"
#include "image/detail/testing.hh"

#include <fcntl.h>
#include <unistd.h>

#include <random>

namespace tarn::image {
namespace {

using testing::run_tool;
using testing::temporary;

// Holes, zeros that are written, text that shrinks, noise that does not, and a last cluster that is
// not whole.
struct Disk {
    TempDir dir = temporary();
    std::string raw = dir.path() + "/disk.raw";
    std::string out = dir.path() + "/disk.qcow2";
    std::uint64_t size;
    Fd fd;

    explicit Disk(std::uint64_t bytes) : size(bytes) {
        auto opened = open_file(raw, O_RDWR | O_CREAT);
        EXPECT_TRUE(opened.has_value());
        fd = std::move(*opened);
        EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    }
    void write(std::uint64_t at, const std::string& bytes) const {
        EXPECT_TRUE(pwrite_all(fd.get(), bytes, at, raw).has_value());
    }
    void fill() const {
        std::mt19937 random(7);  // NOLINT: the same noise every time
        std::string noise(700'000, '\0');
        for (char& c : noise) {
            c = static_cast<char>(random());
        }
        write(0, "first");
        write(300'000, std::string(400'000, '\0'));
        write(5 * kMiB + 100, noise);
        write(9 * kMiB, std::string(900'000, 'a'));
        write(size - 4, "last");
    }
};

void expect_same(const Disk& disk) {
    const auto check = run_tool({"qemu-img", "check", "-f", "qcow2", disk.out});
    EXPECT_EQ(check.exit_code, 0) << check.text;
    EXPECT_NE(check.text.find("No errors were found"), std::string::npos) << check.text;
    const auto same =
        run_tool({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk.raw, disk.out});
    EXPECT_EQ(same.exit_code, 0) << same.text;
}

TEST(Qcow2, QemuReadsTheSameDisk) {
    TARN_NEED_TOOL("qemu-img");
    for (const std::uint64_t size : {16 * kMiB, 16 * kMiB + 1536, 700 * kMiB}) {
        const Disk disk(size);
        disk.fill();
        ASSERT_TRUE(write_qcow2(disk.fd.get(), disk.size, disk.out, {}).has_value());
        expect_same(disk);
    }
}

TEST(Qcow2, QemuReadsTheSameCompressedDisk) {
    TARN_NEED_TOOL("qemu-img");
    for (const std::uint64_t size : {16 * kMiB, 16 * kMiB + 1536, 700 * kMiB}) {
        const Disk disk(size);
        disk.fill();
        const Qcow2Options options{Qcow2Compression::kZstd, 2, {}};
        ASSERT_TRUE(write_qcow2(disk.fd.get(), disk.size, disk.out, options).has_value());
        expect_same(disk);
        EXPECT_LT(read_file(disk.out)->size(), 1'300'000u);  // the noise, and little else
    }
}

TEST(Qcow2, ADiskOfZerosIsTablesAlone) {
    TARN_NEED_TOOL("qemu-img");
    const Disk disk(64 * kMiB);
    ASSERT_TRUE(write_qcow2(disk.fd.get(), disk.size, disk.out, {}).has_value());
    expect_same(disk);
    EXPECT_EQ(read_file(disk.out)->size(), 4u * 65536);  // header, L1, counts, their table
}

TEST(Qcow2, SameDiskSameBytesWhateverTheHolesAndJobs) {
    const Disk holes(16 * kMiB);
    holes.fill();
    const Disk zeros(16 * kMiB);
    zeros.write(0, std::string(16 * kMiB, '\0'));
    zeros.fill();
    for (const auto compression : {Qcow2Compression::kNone, Qcow2Compression::kZstd}) {
        const auto one = write_qcow2(holes.fd.get(), holes.size, holes.out, {compression, 1, {}});
        const auto two = write_qcow2(zeros.fd.get(), zeros.size, zeros.out, {compression, 4, {}});
        ASSERT_TRUE(one && two);
        EXPECT_EQ(*one, *two);
        EXPECT_EQ(*one, sha256_hex(*read_file(zeros.out)));
        ASSERT_EQ(unlink(holes.out.c_str()), 0);
        ASSERT_EQ(unlink(zeros.out.c_str()), 0);
    }
}

TEST(Qcow2, SizesThatCannotBeAreRefused) {
    const Disk disk(kMiB);
    for (const std::uint64_t size : {std::uint64_t{0}, kMiB + 1, std::uint64_t{16} << 40}) {
        EXPECT_EQ(write_qcow2(disk.fd.get(), size, disk.out, {}).error().kind, ErrorKind::kUsage);
    }
    EXPECT_FALSE(write_qcow2(disk.fd.get(), 2 * kMiB, disk.out, {}).has_value());  // ends before
}

TEST(Qcow2, AStopRequestEndsIt) {
    const Disk disk(16 * kMiB);
    disk.fill();
    std::stop_source stop;
    stop.request_stop();
    const auto made = write_qcow2(
        disk.fd.get(), disk.size, disk.out, {Qcow2Compression::kNone, 1, stop.get_token()});
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace tarn::image
