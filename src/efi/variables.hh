// SPDX-License-Identifier: MIT
// UEFI variables: the keys of Secure Boot (UEFI 2.10, 32.4), the updates that enrol them on a real
// machine, and OVMF's variable store with them enrolled (EDK2, MdeModulePkg VariableFormat.h).
#pragma once

#include "efi/certificate.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::efi {

// Vendor GUIDs.
inline constexpr std::string_view kGlobalVariable = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
inline constexpr std::string_view kImageSecurityDatabase = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";

// Attributes: non-volatile, boot services, run time, time-based authenticated write.
inline constexpr std::uint32_t kNonVolatile = 1, kBootServices = 2, kRuntime = 4,
                               kTimeBasedAuth = 0x20;
inline constexpr std::uint32_t kKeyAttributes =
    kNonVolatile | kBootServices | kRuntime | kTimeBasedAuth;

struct Variable {
    std::string name;    // ASCII
    std::string vendor;  // GUID, 36 characters
    std::uint32_t attributes = 0;
    std::string data;
    std::int64_t time = 0;  // of an authenticated variable: seconds, UTC
    bool operator==(const Variable&) const = default;
};

// Whose signatures a machine accepts. Each may be the same certificate.
struct SecureBootKeys {
    Certificate platform;               // PK
    Certificate exchange;               // KEK
    std::vector<Certificate> database;  // db
};

// An EFI_SIGNATURE_LIST for each certificate (EFI_CERT_X509). The owner is a GUID made of the
// certificate.
std::string signature_lists(const std::vector<Certificate>& certificates);
// The certificates in signature lists; other kinds of entries are left out. kCorrupt.
Result<std::vector<std::string>> certificates_in(std::string_view lists);

// PK, KEK and db, and the switch that turns Secure Boot on: what a machine in user mode has.
std::vector<Variable> enrolled_variables(const SecureBootKeys& keys, std::int64_t time);

// The bytes of EFI_TIME; years 1900 to 9999.
std::string efi_time(std::int64_t seconds);

// EFI_VARIABLE_AUTHENTICATION_2 and the new value: what SetVariable() takes (an .auth file),
// authorized by a key that the machine trusts for this variable.
Result<std::string> signed_update(const Variable& variable,
                                  const Key& key,
                                  const Certificate& certificate);
// Whether the update is authorized by one of these. kCorrupt.
Result<void> verify_update(const Variable& variable,
                           std::string_view update,
                           const std::vector<Certificate>& trusted);

// ---- OVMF's variable store --------------------------------------------------------------------

// OVMF_VARS_4M.fd as it comes from EDK2, without variables; and what AAVMF makes of the empty flash
// it comes with.
enum class VariableFlash { kOvmf, kAavmf };
std::string blank_variable_store(VariableFlash flash = VariableFlash::kOvmf);
// A copy of `store` (a flash image: OVMF_VARS*.fd, AAVMF_VARS.fd) with these variables instead of
// what it had under their names. kNoSpace, kCorrupt.
Result<std::string> with_variables(std::string_view store, const std::vector<Variable>& variables);
// Those that are valid, in their order. kCorrupt.
Result<std::vector<Variable>> read_variables(std::string_view store);

}  // namespace tarn::efi
