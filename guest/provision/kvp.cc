// SPDX-License-Identifier: MIT
#include "provision/kvp.hh"

#include "base/strings.hh"

#include "provision/report.hh"
#include "provision/text.hh"
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tarn::guest {

namespace {

constexpr std::size_t kKey = 512;
constexpr std::size_t kKeyUsed = 254;
constexpr std::size_t kRecords = 1024;
constexpr int kLockTries = 50;  // of 100 ms

std::string until_nul(std::string_view field) {
    return std::string(field.substr(0, field.find('\0')));
}

std::string record_of(std::string_view key, std::string_view value) {
    std::string record(cut_text(key, kKeyUsed));
    record.resize(kKey, '\0');
    record += cut_text(value, kKvpValue);
    record.resize(kKvpRecord, '\0');
    return record;
}

// The daemon locks with fcntl(2), other agents with flock(2): both are taken.
Result<void> lock(int fd) {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    for (int i = 0; i < kLockTries; ++i) {
        if (::fcntl(fd, F_SETLK, &whole) == 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return {};
        }
        ::poll(nullptr, 0, 100);
    }
    return fail(ErrorKind::kFailed, "{}: another program keeps it locked", kKvpPool);
}

Result<std::string> whole_file(int fd) {
    std::string bytes;
    char buffer[16384];
    for (;;) {
        const ssize_t n = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(bytes.size()));
        if (n < 0) {
            return fail(sys_error("read", kKvpPool));
        }
        if (n == 0 || bytes.size() > kRecords * kKvpRecord) {
            return bytes;
        }
        bytes.append(buffer, static_cast<std::size_t>(n));
    }
}

}  // namespace

KvpRecords parse_kvp(std::string_view bytes) {
    KvpRecords records;
    while (bytes.size() >= kKvpRecord && records.size() < kRecords) {
        records.emplace_back(until_nul(bytes.substr(0, kKey)),
                             until_nul(bytes.substr(kKey, kKvpRecord - kKey)));
        bytes.remove_prefix(kKvpRecord);
    }
    return records;
}

Result<void> write_kvp(const Machine& machine,
                       std::string_view key,
                       std::string_view value,
                       std::int64_t boot) {
    TARN_TRY(machine.make_directory("/var/lib/hyperv", 0755, {}));
    const Fd fd = TARN_TRY(machine.open_path(kKvpPool, O_RDWR | O_CREAT | O_NONBLOCK, 0600));
    TARN_TRY(lock(fd.get()));
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return fail(ErrorKind::kFailed, "{}: not a regular file", kKvpPool);
    }
    std::string bytes;
    if (status.st_mtim.tv_sec >= boot) {
        bytes = TARN_TRY(whole_file(fd.get()));
    }
    const KvpRecords records = parse_kvp(bytes);
    // A record that was cut off is written over.
    std::size_t at = records.size();
    for (std::size_t i = 0; i < records.size(); ++i) {
        at = at == records.size() && records[i].first == cut_text(key, kKeyUsed) ? i : at;
    }
    if (at == kRecords) {
        return fail(ErrorKind::kNoSpace, "{}: it is full", kKvpPool);
    }
    // The file's length first: the daemon takes whole records only.
    if (::ftruncate(fd.get(), static_cast<off_t>(records.size() * kKvpRecord)) != 0) {
        return fail(sys_error("write", kKvpPool));
    }
    TARN_TRY(pwrite_all(fd.get(), record_of(key, value), at * kKvpRecord, kKvpPool));
    if (::fsync(fd.get()) != 0) {
        return fail(sys_error("write", kKvpPool));
    }
    return {};
}

std::int64_t boot_epoch(const Machine& machine) {
    const auto text = machine.read("/proc/stat", 4u << 20);
    if (!text) {
        return 0;
    }
    for (const std::string_view line : split_lines(*text)) {
        if (line.starts_with("btime ")) {
            const auto seconds = parse_u64(trim(line.substr(6)));
            return seconds && *seconds < (1ull << 40) ? static_cast<std::int64_t>(*seconds) : 0;
        }
    }
    return 0;
}

}  // namespace tarn::guest
