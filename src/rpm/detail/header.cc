// SPDX-License-Identifier: MIT
#include "rpm/detail/header.hh"

#include <rpm/rpmtd.h>

#include <cstdlib>

namespace tarn::rpm {

namespace {

// Filled by headerGet(), freed at the end of the scope.
class TagData {
  public:
    TagData(Header header, rpmTagVal tag) {
        // RAW: the text itself, not its translation into the locale of this run.
        found_ = headerGet(header, tag, &data_, HEADERGET_MINMEM | HEADERGET_RAW) != 0;
    }
    TagData(const TagData&) = delete;
    TagData& operator=(const TagData&) = delete;
    ~TagData() {
        if (found_) {
            rpmtdFreeData(&data_);
        }
    }
    bool found() const { return found_; }
    bool is(rpmTagType type) { return found_ && rpmtdType(&data_) == type; }
    rpmtd get() { return &data_; }

  private:
    rpmtd_s data_{};
    bool found_ = false;
};

}  // namespace

Result<HeaderValue> HeaderValue::import(std::string_view blob, std::string_view name) {
    // librpm wants a buffer from malloc that it may keep; COPY makes its own.
    void* bytes = const_cast<char*>(blob.data());
    Header header = headerImport(bytes, static_cast<unsigned>(blob.size()), HEADERIMPORT_COPY);
    if (header == nullptr) {
        return fail(ErrorKind::kCorrupt, "{}: the RPM header is malformed", name);
    }
    return HeaderValue(header);
}

void HeaderValue::put(rpmTagVal tag, rpmTagType type, const void* data, std::size_t count) {
    if (count == 0) {
        return;
    }
    if (has(tag)) {
        remove(tag);  // headerPut() would add a second one
    }
    rpmtd_s value{};
    rpmtdReset(&value);
    value.tag = tag;
    value.type = type;
    value.data = const_cast<void*>(data);
    value.count = static_cast<rpm_count_t>(count);
    headerPut(handle_.get(), &value, HEADERPUT_DEFAULT);
}

void HeaderValue::put_string(rpmTagVal tag, const std::string& value) {
    if (!value.empty()) {
        put(tag, RPM_STRING_TYPE, value.c_str(), 1);
    }
}

void HeaderValue::put_translatable(rpmTagVal tag, const std::string& value) {
    headerAddI18NString(handle_.get(), tag, value.c_str(), "C");
}

void HeaderValue::put_strings(rpmTagVal tag, const std::vector<std::string>& values) {
    std::vector<const char*> pointers;
    pointers.reserve(values.size());
    for (const std::string& value : values) {
        pointers.push_back(value.c_str());
    }
    put(tag, RPM_STRING_ARRAY_TYPE, pointers.data(), pointers.size());
}

void HeaderValue::put_u16(rpmTagVal tag, const std::vector<std::uint16_t>& values) {
    put(tag, RPM_INT16_TYPE, values.data(), values.size());
}

void HeaderValue::put_u32(rpmTagVal tag, const std::vector<std::uint32_t>& values) {
    put(tag, RPM_INT32_TYPE, values.data(), values.size());
}

void HeaderValue::put_u64(rpmTagVal tag, const std::vector<std::uint64_t>& values) {
    put(tag, RPM_INT64_TYPE, values.data(), values.size());
}

void HeaderValue::put_chars(rpmTagVal tag, const std::string& values) {
    put(tag, RPM_CHAR_TYPE, values.data(), values.size());
}

void HeaderValue::put_binary(rpmTagVal tag, std::string_view bytes) {
    put(tag, RPM_BIN_TYPE, bytes.data(), bytes.size());
}

void HeaderValue::put_copy(const HeaderValue& from, rpmTagVal tag, rpmTagVal as) {
    TagData data(from.get(), tag);
    if (data.found()) {
        put(as, rpmtdType(data.get()), data.get()->data, data.get()->count);
    }
}

std::string HeaderValue::string(rpmTagVal tag) const {
    auto all = strings(tag);
    return all.empty() ? std::string() : std::move(all.front());
}

std::vector<std::string> HeaderValue::strings(rpmTagVal tag) const {
    std::vector<std::string> values;
    TagData data(handle_.get(), tag);
    if (data.is(RPM_STRING_TYPE) || data.is(RPM_STRING_ARRAY_TYPE) ||
        data.is(RPM_I18NSTRING_TYPE)) {
        values.reserve(rpmtdCount(data.get()));
        while (const char* text = rpmtdNextString(data.get())) {
            values.emplace_back(text);
        }
    }
    return values;
}

std::vector<std::uint64_t> HeaderValue::numbers(rpmTagVal tag) const {
    std::vector<std::uint64_t> values;
    TagData data(handle_.get(), tag);
    if (data.found() && rpmtdClass(data.get()) == RPM_NUMERIC_CLASS) {
        values.reserve(rpmtdCount(data.get()));
        while (rpmtdNext(data.get()) >= 0) {
            values.push_back(rpmtdGetNumber(data.get()));
        }
    }
    return values;
}

std::optional<std::uint64_t> HeaderValue::number(rpmTagVal tag) const {
    const auto all = numbers(tag);
    return all.empty() ? std::nullopt : std::optional(all.front());
}

std::string HeaderValue::binary(rpmTagVal tag) const {
    TagData data(handle_.get(), tag);
    if (!data.is(RPM_BIN_TYPE)) {
        return {};
    }
    // rpmtdCount() counts all the bytes as one.
    return {static_cast<const char*>(data.get()->data), data.get()->count};
}

void HeaderValue::seal(rpmTagVal region) {
    // headerReload() frees what it is given.
    handle_.reset(headerReload(handle_.release(), region));
    TARN_CHECK(handle_ != nullptr);
}

std::string HeaderValue::blob() const {
    unsigned size = 0;
    void* bytes = headerExport(handle_.get(), &size);
    TARN_CHECK(bytes != nullptr);
    std::string blob(static_cast<const char*>(bytes), size);
    std::free(bytes);
    return blob;
}

const std::vector<DependencyTags>& dependency_tags() {
    static const std::vector<DependencyTags> kTags{
        {RPMTAG_PROVIDENAME, RPMTAG_PROVIDEVERSION, RPMTAG_PROVIDEFLAGS, &PackageMeta::provides},
        {RPMTAG_REQUIRENAME, RPMTAG_REQUIREVERSION, RPMTAG_REQUIREFLAGS, &PackageMeta::requires_},
        {RPMTAG_CONFLICTNAME,
         RPMTAG_CONFLICTVERSION,
         RPMTAG_CONFLICTFLAGS,
         &PackageMeta::conflicts},
        {RPMTAG_OBSOLETENAME,
         RPMTAG_OBSOLETEVERSION,
         RPMTAG_OBSOLETEFLAGS,
         &PackageMeta::obsoletes},
        {RPMTAG_RECOMMENDNAME,
         RPMTAG_RECOMMENDVERSION,
         RPMTAG_RECOMMENDFLAGS,
         &PackageMeta::recommends},
        {RPMTAG_SUGGESTNAME, RPMTAG_SUGGESTVERSION, RPMTAG_SUGGESTFLAGS, &PackageMeta::suggests},
        {RPMTAG_SUPPLEMENTNAME,
         RPMTAG_SUPPLEMENTVERSION,
         RPMTAG_SUPPLEMENTFLAGS,
         &PackageMeta::supplements},
        {RPMTAG_ENHANCENAME, RPMTAG_ENHANCEVERSION, RPMTAG_ENHANCEFLAGS, &PackageMeta::enhances},
    };
    return kTags;
}

}  // namespace tarn::rpm
