// SPDX-License-Identifier: MIT
// An RPM header (librpm's Header) that frees itself, with typed access. Reading never trusts a
// count: a tag that is not there or has another type reads as empty.
#pragma once

#include "base/result.hh"
#include "rpm/package.hh"

#include <rpm/header.h>
#include <rpm/rpmtag.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tarn::rpm {

// What stands before every header in a package file; part of what is hashed and signed.
inline constexpr std::string_view kHeaderMagic{"\x8e\xad\xe8\x01\0\0\0\0", 8};

class HeaderValue {
  public:
    HeaderValue() : handle_(headerNew()) {}
    // `blob`: index and data without magic, exactly. kCorrupt when librpm finds a fault.
    static Result<HeaderValue> import(std::string_view blob, std::string_view name);
    HeaderValue copy() const { return HeaderValue(headerCopy(handle_.get())); }

    // Empty strings and arrays are left out, as rpm cannot hold them.
    void put_string(rpmTagVal tag, const std::string& value);
    void put_translatable(rpmTagVal tag, const std::string& value);
    void put_strings(rpmTagVal tag, const std::vector<std::string>& values);
    void put_u16(rpmTagVal tag, const std::vector<std::uint16_t>& values);
    void put_u32(rpmTagVal tag, const std::vector<std::uint32_t>& values);
    void put_u64(rpmTagVal tag, const std::vector<std::uint64_t>& values);
    void put_chars(rpmTagVal tag, const std::string& values);
    void put_binary(rpmTagVal tag, std::string_view bytes);
    // `from`'s tag `tag`, whatever its type, under the name `as`; nothing when it has none.
    void put_copy(const HeaderValue& from, rpmTagVal tag, rpmTagVal as);
    void remove(rpmTagVal tag) { headerDel(handle_.get(), tag); }

    bool has(rpmTagVal tag) const { return headerIsEntry(handle_.get(), tag) != 0; }
    std::string string(rpmTagVal tag) const;
    std::vector<std::string> strings(rpmTagVal tag) const;
    // Of any integer width.
    std::vector<std::uint64_t> numbers(rpmTagVal tag) const;
    std::optional<std::uint64_t> number(rpmTagVal tag) const;
    std::string binary(rpmTagVal tag) const;

    // Puts all tags into one immutable region, sorted.
    void seal(rpmTagVal region);
    // Index and data, without magic.
    std::string blob() const;
    Header get() const { return handle_.get(); }

  private:
    struct Free {
        void operator()(Header header) const { headerFree(header); }
    };
    explicit HeaderValue(Header header) : handle_(header) {}
    void put(rpmTagVal tag, rpmTagType type, const void* data, std::size_t count);
    std::unique_ptr<std::remove_pointer_t<Header>, Free> handle_;
};

// Of rpm 6, not in librpm 4.18: header signatures as base64 texts, digests of whole package files.
inline constexpr rpmTagVal kTagOpenPgp = 278;
inline constexpr rpmTagVal kTagPackageDigests = 5118;
inline constexpr rpmTagVal kTagPackageDigestAlgorithms = 5119;

// Which tags hold one kind of dependency.
struct DependencyTags {
    rpmTagVal name, version, flags;
    std::vector<Dependency> PackageMeta::* member;
};
const std::vector<DependencyTags>& dependency_tags();

}  // namespace tarn::rpm
