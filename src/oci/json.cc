// SPDX-License-Identifier: MIT
#include "oci/detail/json.hh"

#include "base/strings.hh"

#include <chrono>

namespace tarn::oci::detail {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::string_view kSha256 = "sha256:";

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (text.size() < at + count) {
        return std::nullopt;
    }
    const std::string_view part = text.substr(at, count);
    if (part.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    return static_cast<unsigned>(*parse_u64(part));
}

}  // namespace

Failure malformed(const std::string& what, std::string_view why) {
    return fail(ErrorKind::kCorrupt, "{}: {}", what, why);
}

Result<Json> parse_document(std::string_view text, const std::string& what, std::uint64_t limit) {
    if (text.size() > limit) {
        return malformed(what, fmt::format("{} bytes, more than {}", text.size(), limit));
    }
    bool deep = false;
    const Json::parser_callback_t check = [&](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > kMaxDepth;
        return !deep;
    };
    Json out = Json::parse(text, check, false);
    if (deep) {
        return malformed(what, fmt::format("nested deeper than {}", kMaxDepth));
    }
    if (!out.is_object()) {
        return malformed(what, "not a JSON object");
    }
    return out;
}

Result<std::string> text_field(const Json& object, const char* key, const std::string& what) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::string();
    }
    if (!found->is_string()) {
        return malformed(what, fmt::format("`{}` is not a string", key));
    }
    return found->get<std::string>();
}

Result<std::vector<std::string>> list_field(const Json& object,
                                            const char* key,
                                            const std::string& what) {
    std::vector<std::string> out;
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return out;
    }
    if (!found->is_array()) {
        return malformed(what, fmt::format("`{}` is not a list", key));
    }
    for (const Json& item : *found) {
        if (!item.is_string()) {
            return malformed(what, fmt::format("`{}` is not a list of strings", key));
        }
        out.push_back(item.get<std::string>());
    }
    return out;
}

Result<Json> object_field(const Json& object, const char* key, const std::string& what) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return Json::object();
    }
    if (!found->is_object()) {
        return malformed(what, fmt::format("`{}` is not an object", key));
    }
    return *found;
}

Result<Annotations> map_field(const Json& object, const char* key, const std::string& what) {
    Annotations out;
    const Json json = TARN_TRY(object_field(object, key, what));
    for (const auto& [name, value] : json.items()) {
        if (!value.is_string()) {
            return malformed(what, fmt::format("`{}`: a value is not a string", key));
        }
        out[name] = value.get<std::string>();
    }
    return out;
}

Result<Descriptor> parse_descriptor(const Json& json, const std::string& what) {
    if (!json.is_object()) {
        return malformed(what, "a descriptor is not an object");
    }
    Descriptor out;
    out.media_type = TARN_TRY(text_field(json, "mediaType", what));
    out.artifact_type = TARN_TRY(text_field(json, "artifactType", what));
    out.annotations = TARN_TRY(map_field(json, "annotations", what));
    const std::string digest = TARN_TRY(text_field(json, "digest", what));
    const auto size = json.find("size");
    if (size == json.end() || !size->is_number_unsigned()) {
        return malformed(what, "a descriptor without a size");
    }
    const auto parsed = digest.starts_with(kSha256)
                            ? Digest::from_hex(digest.substr(kSha256.size()), *size)
                            : std::nullopt;
    if (!parsed) {
        return malformed(what, fmt::format("`{}` is no sha256 digest", digest.substr(0, 100)));
    }
    out.digest = *parsed;
    if (json.contains("platform")) {
        const Json platform = TARN_TRY(object_field(json, "platform", what));
        Platform read;
        read.architecture = TARN_TRY(text_field(platform, "architecture", what));
        read.os = TARN_TRY(text_field(platform, "os", what));
        read.variant = TARN_TRY(text_field(platform, "variant", what));
        out.platform = std::move(read);
    }
    return out;
}

Json descriptor_json(const Descriptor& descriptor) {
    Json out;
    out["mediaType"] = descriptor.media_type;
    out["digest"] = std::string(kSha256) + descriptor.digest.hex();
    out["size"] = descriptor.digest.size;
    if (descriptor.platform) {
        Json platform;
        platform["architecture"] = descriptor.platform->architecture;
        platform["os"] = descriptor.platform->os;
        if (!descriptor.platform->variant.empty()) {
            platform["variant"] = descriptor.platform->variant;
        }
        out["platform"] = std::move(platform);
    }
    if (!descriptor.artifact_type.empty()) {
        out["artifactType"] = descriptor.artifact_type;
    }
    if (!descriptor.annotations.empty()) {
        out["annotations"] = descriptor.annotations;
    }
    return out;
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string rfc3339(std::int64_t seconds) {
    using namespace std::chrono;
    const sys_seconds time{std::chrono::seconds(seconds)};
    const sys_days day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                       static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()),
                       clock.hours().count(),
                       clock.minutes().count(),
                       clock.seconds().count());
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    const auto years = digits(text, 0, 4), months_ = digits(text, 5, 2), days_ = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2),
               second = digits(text, 17, 2);
    if (!years || !months_ || !days_ || !hour || !minute || !second || text[4] != '-' ||
        text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
        text[16] != ':' || *hour > 23 || *minute > 59 || *second > 60) {
        return std::nullopt;
    }
    const year_month_day date{year(static_cast<int>(*years)), month(*months_), day(*days_)};
    std::size_t at = 19;
    if (at < text.size() && text[at] == '.') {
        at = text.find_first_not_of("0123456789", at + 1);
    }
    if (!date.ok() || at >= text.size()) {
        return std::nullopt;
    }
    std::int64_t offset = 0;
    if (const char sign = text[at]; sign == '+' || sign == '-') {
        const auto hours_off = digits(text, at + 1, 2), minutes_off = digits(text, at + 4, 2);
        if (!hours_off || !minutes_off || text[at + 3] != ':' || text.size() != at + 6) {
            return std::nullopt;
        }
        offset = std::int64_t{*hours_off * 60 + *minutes_off} * 60;
        offset = sign == '+' ? offset : -offset;
    } else if ((sign != 'Z' && sign != 'z') || text.size() != at + 1) {
        return std::nullopt;
    }
    const auto day_count = sys_days(date).time_since_epoch().count();
    return std::int64_t{day_count} * 86400 + *hour * 3600 + *minute * 60 + *second - offset;
}

}  // namespace tarn::oci::detail
