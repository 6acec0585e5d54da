// SPDX-License-Identifier: MIT
#include "efi/variables.hh"

#include "base/hash.hh"
#include "efi/detail/bytes.hh"
#include "efi/detail/pkcs7.hh"

#include <algorithm>
#include <chrono>

namespace tarn::efi {
namespace {

constexpr std::string_view kCertX509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072";
constexpr std::string_view kCertPkcs7 = "4aafd29d-68df-49ee-8aa9-347d375665a7";
constexpr std::string_view kSecureBootEnable = "f0a30bc7-af08-4556-99c4-001009c93a44";
constexpr std::size_t kListHeader = 28, kOwner = 16;
constexpr std::size_t kTime = 16, kGuidCertificate = 24;
constexpr std::uint64_t kRevision2 = 0x0200, kCertificateTypeGuid = 0x0ef1;

std::string owner_of(const Certificate& certificate) {
    const Sha256Sum sum = sha256(certificate.der);
    std::string out(sum.begin(), sum.begin() + 16);
    out[7] = static_cast<char>((out[7] & 0x0f) | 0x80);  // version 8; this group is little-endian
    out[8] = static_cast<char>((out[8] & 0x3f) | 0x80);
    return out;
}

// What an authorized update signs (UEFI 2.10, 8.2.2).
std::string update_text(const Variable& variable) {
    std::string out = utf16(variable.name) + guid_bytes(variable.vendor);
    append_le(out, variable.attributes, 4);
    return out + efi_time(variable.time) + variable.data;
}

}  // namespace

std::string signature_lists(const std::vector<Certificate>& certificates) {
    std::string out;
    for (const Certificate& certificate : certificates) {
        const std::size_t entry = kOwner + certificate.der.size();
        out += guid_bytes(kCertX509);
        append_le(out, kListHeader + entry, 4);
        append_le(out, 0, 4);
        append_le(out, entry, 4);
        out += owner_of(certificate) + certificate.der;
    }
    return out;
}

Result<std::vector<std::string>> certificates_in(std::string_view lists) {
    std::vector<std::string> out;
    while (!lists.empty()) {
        const std::uint64_t size = take_le(lists, 16, 4);
        const std::uint64_t header = take_le(lists, 20, 4);
        const std::uint64_t entry = take_le(lists, 24, 4);
        if (size < kListHeader || size > lists.size() || header > size - kListHeader ||
            entry <= kOwner || (size - kListHeader - header) % entry != 0) {
            return fail(ErrorKind::kCorrupt, "a list of signatures is malformed");
        }
        if (lists.substr(0, 16) == guid_bytes(kCertX509)) {
            for (std::uint64_t at = kListHeader + header; at < size; at += entry) {
                out.emplace_back(lists.substr(at + kOwner, entry - kOwner));
            }
        }
        lists.remove_prefix(size);
    }
    return out;
}

std::vector<Variable> enrolled_variables(const SecureBootKeys& keys, std::int64_t time) {
    const std::string global(kGlobalVariable);
    return {
        {"PK", global, kKeyAttributes, signature_lists({keys.platform}), time},
        {"KEK", global, kKeyAttributes, signature_lists({keys.exchange}), time},
        {"db",
         std::string(kImageSecurityDatabase),
         kKeyAttributes,
         signature_lists(keys.database),
         time},
        {"SecureBootEnable", std::string(kSecureBootEnable), kNonVolatile | kBootServices, "\1", 0},
    };
}

std::string efi_time(std::int64_t seconds) {
    using namespace std::chrono;
    const sys_seconds when{std::chrono::seconds(
        std::clamp<std::int64_t>(seconds, -2208988800, 253402300799))};  // 1900 to 9999
    const auto day = floor<days>(when);
    const year_month_day ymd(day);
    const hh_mm_ss clock(when - day);
    std::string out;
    append_le(out, static_cast<std::uint64_t>(static_cast<int>(ymd.year())), 2);
    append_le(out, static_cast<unsigned>(ymd.month()), 1);
    append_le(out, static_cast<unsigned>(ymd.day()), 1);
    append_le(out, static_cast<std::uint64_t>(clock.hours().count()), 1);
    append_le(out, static_cast<std::uint64_t>(clock.minutes().count()), 1);
    append_le(out, static_cast<std::uint64_t>(clock.seconds().count()), 1);
    out.resize(kTime, '\0');
    return out;
}

Result<std::string> signed_update(const Variable& variable,
                                  const Key& key,
                                  const Certificate& certificate) {
    const std::string data = TARN_TRY(sign_detached(update_text(variable), key, certificate));
    std::string out = efi_time(variable.time);
    append_le(out, kGuidCertificate + data.size(), 4);
    append_le(out, kRevision2, 2);
    append_le(out, kCertificateTypeGuid, 2);
    return out + guid_bytes(kCertPkcs7) + data + variable.data;
}

Result<void> verify_update(const Variable& variable,
                           std::string_view update,
                           const std::vector<Certificate>& trusted) {
    const std::uint64_t length = take_le(update, kTime, 4);
    if (update.size() < kTime + kGuidCertificate || length < kGuidCertificate ||
        length > update.size() - kTime || take_le(update, kTime + 4, 2) != kRevision2 ||
        take_le(update, kTime + 6, 2) != kCertificateTypeGuid ||
        update.substr(kTime + 8, 16) != guid_bytes(kCertPkcs7)) {
        return fail(ErrorKind::kCorrupt, "this is no authenticated update of a variable");
    }
    if (update.substr(0, kTime) != efi_time(variable.time) ||
        update.substr(kTime + length) != variable.data) {
        return fail(ErrorKind::kCorrupt, "the update is not one of this value at this time");
    }
    const std::string_view data =
        update.substr(kTime + kGuidCertificate, length - kGuidCertificate);
    return verify_detached(data, update_text(variable), trusted);
}

}  // namespace tarn::efi
