// SPDX-License-Identifier: MIT
#include "rpm/capabilities.hh"

#include <linux/capability.h>
#include <sys/capability.h>

#include <array>
#include <cstdint>
#include <memory>

namespace tarn::rpm {

namespace {

struct FreeCapabilities {
    void operator()(void* memory) const { cap_free(memory); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

constexpr std::size_t kWords = 5;  // flags, then permitted and inheritable, low and high
constexpr std::size_t kSize = kWords * 4;
constexpr cap_value_t kBits = 64;

std::uint32_t little_endian(std::string_view bytes, std::size_t word) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = value << 8U | static_cast<unsigned char>(bytes[word * 4 + i]);
    }
    return value;
}

bool is_set(cap_t capabilities, cap_value_t bit, cap_flag_t flag) {
    cap_flag_value_t value = CAP_CLEAR;
    return cap_get_flag(capabilities, bit, flag, &value) == 0 && value == CAP_SET;
}

}  // namespace

Result<std::string> capabilities_to_text(std::string_view attribute) {
    if (attribute.size() != kSize ||
        (little_endian(attribute, 0) & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_2) {
        return fail(ErrorKind::kFailed, "file capabilities of an unknown form");
    }
    const bool effective = (little_endian(attribute, 0) & VFS_CAP_FLAGS_EFFECTIVE) != 0;
    const Capabilities capabilities(cap_init());
    TARN_CHECK(capabilities != nullptr);
    for (cap_value_t bit = 0; bit < kBits; ++bit) {
        const auto index = static_cast<std::size_t>(bit);
        const std::uint32_t mask = 1U << (index % 32);
        const bool permitted = (little_endian(attribute, 1 + 2 * (index / 32)) & mask) != 0;
        const bool inheritable = (little_endian(attribute, 2 + 2 * (index / 32)) & mask) != 0;
        int problem = 0;
        if (permitted) {
            problem |= cap_set_flag(capabilities.get(), CAP_PERMITTED, 1, &bit, CAP_SET);
        }
        if (inheritable) {
            problem |= cap_set_flag(capabilities.get(), CAP_INHERITABLE, 1, &bit, CAP_SET);
        }
        if (effective && (permitted || inheritable)) {
            problem |= cap_set_flag(capabilities.get(), CAP_EFFECTIVE, 1, &bit, CAP_SET);
        }
        if (problem != 0) {
            return fail(ErrorKind::kFailed, "unknown file capability {}", bit);
        }
    }
    const std::unique_ptr<char, FreeCapabilities> text(cap_to_text(capabilities.get(), nullptr));
    if (text == nullptr) {
        return fail(ErrorKind::kFailed, "file capabilities that have no words");
    }
    return std::string(text.get());
}

Result<std::string> capabilities_to_attribute(const std::string& text) {
    const Capabilities capabilities(cap_from_text(text.c_str()));
    if (capabilities == nullptr) {
        return fail(ErrorKind::kCorrupt, "`{}` are no file capabilities", text);
    }
    std::array<std::uint32_t, kWords> words{VFS_CAP_REVISION_2};
    for (cap_value_t bit = 0; bit < kBits; ++bit) {
        const auto index = static_cast<std::size_t>(bit);
        const std::uint32_t mask = 1U << (index % 32);
        if (is_set(capabilities.get(), bit, CAP_PERMITTED)) {
            words[1 + 2 * (index / 32)] |= mask;
        }
        if (is_set(capabilities.get(), bit, CAP_INHERITABLE)) {
            words[2 + 2 * (index / 32)] |= mask;
        }
        if (is_set(capabilities.get(), bit, CAP_EFFECTIVE)) {
            words[0] |= VFS_CAP_FLAGS_EFFECTIVE;
        }
    }
    std::string attribute;
    for (const std::uint32_t word : words) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            attribute.push_back(static_cast<char>(word >> shift & 0xffU));
        }
    }
    return attribute;
}

}  // namespace tarn::rpm
