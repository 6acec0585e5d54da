// SPDX-License-Identifier: MIT
#include "pgp/detail/ed25519.hh"

#include "pgp/pgp.hh"

#include <openssl/evp.h>

#include <memory>

namespace tarn::pgp {
namespace {

constexpr std::string_view kCurve{"\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01", 10};
constexpr char kEdDsa = 22;
constexpr char kVersion = 4;
constexpr unsigned kMaxBits = 1024;

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using HashContext = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const unsigned char* unsigned_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Failure malformed() {
    return fail(ErrorKind::kCorrupt, "no unprotected OpenPGP v4 key of Ed25519");
}

// Takes from the front; a short text gives nothing and stays short.
class Cursor {
  public:
    explicit Cursor(std::string_view bytes) : rest_(bytes) {}
    bool good() const { return good_; }
    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            good_ = false;
            return {};
        }
        const std::string_view out = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return out;
    }
    unsigned byte() {
        const std::string_view one = take(1);
        return one.empty() ? 0 : static_cast<unsigned char>(one[0]);
    }
    std::string_view integer() {
        const unsigned high = byte();
        const unsigned bits = high << 8U | byte();
        good_ = good_ && bits <= kMaxBits;
        return good_ ? take((bits + 7) / 8) : std::string_view();
    }

  private:
    std::string_view rest_;
    bool good_ = true;
};

// Past tag and length, in the old or the new form (RFC 4880, 4.2).
void skip_packet_head(Cursor& cursor) {
    const unsigned tag = cursor.byte();
    if ((tag & 0x40U) == 0) {
        cursor.take(std::size_t{1} << (tag & 3U));
        return;
    }
    const unsigned first = cursor.byte();
    cursor.take(first == 255 ? 4 : first >= 192 ? 1 : 0);
}

}  // namespace

Result<Ed25519Numbers> parse_ed25519_key(std::string_view packet) {
    Cursor cursor(packet);
    skip_packet_head(cursor);
    const std::string_view version = cursor.take(1);
    cursor.take(4);  // time
    const std::string_view algorithm = cursor.take(1);
    const std::string_view curve = cursor.take(kCurve.size());
    const std::string_view point = cursor.integer();
    if (!cursor.good() || version[0] != kVersion || algorithm[0] != kEdDsa || curve != kCurve ||
        point.size() != kEd25519Size + 1 || point[0] != 0x40) {
        return malformed();
    }
    Ed25519Numbers out;
    out.point = point.substr(1);
    const std::size_t tag = static_cast<unsigned char>(packet[0]);
    const std::size_t kind = (tag & 0x40U) != 0 ? tag & 0x3fU : tag >> 2U & 0xfU;
    if (kind != 5) {  // not a secret key
        return out;
    }
    if (cursor.byte() != 0) {
        return malformed();
    }
    const std::string_view seed = cursor.integer();
    if (!cursor.good() || seed.empty() || seed.size() > kEd25519Size) {
        return malformed();
    }
    out.seed = std::string(kEd25519Size - seed.size(), '\0') + std::string(seed);
    return out;
}

Result<std::string> ed25519_sign(std::string_view seed, std::string_view bytes) {
    const Key key(EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, unsigned_bytes(seed), seed.size()));
    const HashContext context(EVP_MD_CTX_new());
    std::string out(64, '\0');
    std::size_t size = out.size();
    if (key == nullptr || context == nullptr ||
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(),
                       reinterpret_cast<unsigned char*>(out.data()),
                       &size,
                       unsigned_bytes(bytes),
                       bytes.size()) != 1 ||
        size != out.size()) {
        return fail(ErrorKind::kFailed, "cannot sign with the Ed25519 key");
    }
    return out;
}

}  // namespace tarn::pgp

namespace tarn {

bool verify_ed25519(std::string_view point, std::string_view bytes, std::string_view signature) {
    using namespace pgp;
    if (point.size() != kEd25519Size || signature.size() != 64) {
        return false;
    }
    const Key key(EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, unsigned_bytes(point), point.size()));
    const HashContext context(EVP_MD_CTX_new());
    return key != nullptr && context != nullptr &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(),
                            unsigned_bytes(signature),
                            signature.size(),
                            unsigned_bytes(bytes),
                            bytes.size()) == 1;
}

}  // namespace tarn
