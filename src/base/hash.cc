// SPDX-License-Identifier: MIT
#include "base/hash.hh"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/fd.hh"

namespace tarn {

struct Hasher::Impl {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { EVP_MD_CTX_free(context); }
};

namespace {

const EVP_MD* algorithm(HashKind kind) {
    switch (kind) {
        case HashKind::kMd5:
            return EVP_md5();
        case HashKind::kSha1:
            return EVP_sha1();
        case HashKind::kSha512:
            return EVP_sha512();
        case HashKind::kSha256:
            break;
    }
    return EVP_sha256();
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

}  // namespace

Hasher::Hasher(HashKind kind) : impl_(std::make_unique<Impl>()) {
    TARN_CHECK(EVP_DigestInit_ex(impl_->context, algorithm(kind), nullptr) == 1);
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view bytes) {
    TARN_CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

std::string Hasher::finish_hex() {
    std::string raw(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    TARN_CHECK(EVP_DigestFinal_ex(impl_->context,
                                  reinterpret_cast<unsigned char*>(raw.data()),
                                  &size) == 1);
    raw.resize(size);
    return to_hex(raw);
}

Sha256Sum Hasher::finish() {
    Sha256Sum sum{};
    unsigned size = 0;
    TARN_CHECK(EVP_MD_CTX_get_size(impl_->context) == static_cast<int>(sum.size()));
    TARN_CHECK(EVP_DigestFinal_ex(impl_->context, sum.data(), &size) == 1);
    return sum;
}

Sha256Sum sha256(std::string_view bytes) {
    Hasher hasher;
    hasher.update(bytes);
    return hasher.finish();
}

std::string sha256_hex(std::string_view bytes) {
    return hash_hex(HashKind::kSha256, bytes);
}

std::string hash_hex(HashKind kind, std::string_view bytes) {
    Hasher hasher(kind);
    hasher.update(bytes);
    return hasher.finish_hex();
}

namespace {

// The holes of a sparse file: not read, for they are zeros.
class Holes {
  public:
    explicit Holes(int fd) : fd_(fd) {
        struct stat info {};
        sparse_ = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                  info.st_blocks * 512 < info.st_size;
        size_ = info.st_size;
    }
    // Goes on to the end of a hole that begins at `at`, where the file stands, but not beyond `most`
    // bytes; how far.
    std::size_t skip(off_t at, std::size_t most) {
        if (!sparse_ || at < data_end_ || at >= size_) {
            return 0;
        }
        const off_t data = ::lseek(fd_, at, SEEK_DATA);
        sparse_ = data >= 0 || errno == ENXIO;
        const off_t end = !sparse_ ? at : data < 0 ? size_ : data;
        if (end == at) {
            data_end_ = ::lseek(fd_, at, SEEK_HOLE);
        }
        const std::size_t hole = std::min<std::size_t>(static_cast<std::size_t>(end - at), most);
        ::lseek(fd_, at + static_cast<off_t>(hole), SEEK_SET);
        return hole;
    }

  private:
    int fd_;
    bool sparse_ = false;
    off_t size_ = 0, data_end_ = 0;
};

}  // namespace

Result<std::string> hash_file_hex(HashKind kind, const std::string& path) {
    const Fd fd = TARN_TRY(open_file(path, O_RDONLY));
    Hasher hasher(kind);
    Holes holes(fd.get());
    std::string buffer(1 << 18, '\0');
    const std::string zeros(buffer);
    for (off_t at = 0;;) {
        if (const std::size_t hole = holes.skip(at, zeros.size()); hole > 0) {
            hasher.update({zeros.data(), hole});
            at += static_cast<off_t>(hole);
            continue;
        }
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail(sys_error("read", path));
        }
        if (n == 0) {
            return hasher.finish_hex();
        }
        hasher.update({buffer.data(), static_cast<std::size_t>(n)});
        at += n;
    }
}

std::string to_hex(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string result;
    result.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        result += kDigits[byte >> 4];
        result += kDigits[byte & 15];
    }
    return result;
}

bool from_hex(std::string_view hex, std::string& out) {
    out.clear();
    if (hex.size() % 2 != 0) {
        return false;
    }
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_value(hex[i]);
        const int low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out += static_cast<char>(high * 16 + low);
    }
    return true;
}

}  // namespace tarn
