// SPDX-License-Identifier: MIT
#include "provision/payload.hh"

#include "base/strings.hh"

#include "provision/mime.hh"
#include "provision/template.hh"
#include <zlib.h>

#include <algorithm>

namespace tarn::guest {
namespace {

constexpr std::size_t kLimit = 1u << 20;
constexpr std::size_t kUnpacked = 8u << 20;
constexpr std::size_t kRatio = 200;
constexpr std::string_view kGzip("\x1f\x8b", 2);
constexpr std::string_view kCloudConfig = "#cloud-config";

struct OtherKind {
    std::string_view start, what;
};
// Longer beginnings first.
constexpr OtherKind kOthers[] = {
    {"#cloud-config-archive", "a cloud-config archive"},
    {"#cloud-config-jsonp", "a JSON patch"},
    {"#cloud-boothook", "a boothook"},
    {"#include-once", "an #include"},
    {"#include", "an #include"},
    {"#part-handler", "a part handler"},
    {"#upstart-job", "an upstart job"},
};

// Types whose bodies say themselves what they are, as for cloud-init.
constexpr std::string_view kLookInside[] = {
    "text/plain", "text/x-not-multipart", "application/octet-stream"};
constexpr std::string_view kCloudConfigType = "text/cloud-config";
constexpr std::string_view kScriptType = "text/x-shellscript";

bool is_cloud_config(std::string_view text) {
    if (!text.starts_with(kCloudConfig)) {
        return false;
    }
    const std::string_view rest = text.substr(kCloudConfig.size());
    return rest.empty() || rest[0] == '\n' || rest[0] == '\r' || rest[0] == ' ' || rest[0] == '\t';
}

bool has_binary(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

// A first line that was meant to be "#cloud-config".
bool nearly_cloud_config(std::string_view text) {
    const std::string_view line = trim(text.substr(0, std::min<std::size_t>(text.find('\n'), 40)));
    if (!line.starts_with('#') && !line.starts_with("cloud")) {
        return false;
    }
    const std::string compact = replace_all(replace_all(to_lower(line), " ", ""), "_", "-");
    return edit_distance(compact, kCloudConfig) <= 2;
}

std::string safe_file_name(std::string_view name, std::size_t number) {
    std::string result;
    for (const char c : name.substr(name.find_last_of('/') + 1)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        result += plain ? c : '_';
    }
    if (result.empty() || result[0] == '.' || result.size() > 100 || result == "runcmd") {
        return fmt::format("part-{:03}", number);
    }
    return result;
}

class Reader {
  public:
    Reader(std::string_view document, const std::map<std::string, std::string>& variables)
        : document_(document), variables_(variables) {}

    Result<Payload> read(std::string_view bytes) {
        packed_ = bytes.starts_with(kGzip);
        const std::string text = TARN_TRY(unpack(document_, bytes));
        if (trim(text).empty()) {
            return std::move(payload_);
        }
        if (!looks_like_mime(text)) {
            TARN_TRY(part(document_, "", text, true));
            return std::move(payload_);
        }
        const auto parts = TARN_TRY(parse_mime(document_, text));
        for (const MimePart& each : parts) {
            TARN_TRY(mime_part(each, parts.size() == 1));
        }
        return std::move(payload_);
    }

  private:
    // gzip may be around gzip, once.
    Result<std::string> unpack(std::string_view what, std::string_view bytes) {
        std::string text(bytes);
        for (int i = 0; i < 2 && text.starts_with(kGzip); ++i) {
            const std::size_t limit = std::min(kUnpacked, text.size() * kRatio + 4096);
            text = TARN_TRY(gunzip(what, text, limit));
        }
        if (text.starts_with(kGzip)) {
            return fail(ErrorKind::kUsage, "{}: gzip within gzip within gzip", what);
        }
        return text;
    }

    void hand_over(const std::string& name, std::string text, std::string help = {}) {
        payload_.problems.push_back({Problem::Weight::kHandOver,
                                     {},
                                     1,
                                     name == document_ ? text : fmt::format("{}: {}", name, text),
                                     std::move(help),
                                     false});
    }

    // Places count in the part, which is not what a person has in front of them.
    void place_problems(std::size_t first, const std::string& name, bool whole) {
        for (std::size_t i = first; i < payload_.problems.size(); ++i) {
            Problem& each = payload_.problems[i];
            if (!whole || packed_) {
                each.text = fmt::format("{}, line {}: {}", name, each.mark.line, each.text);
                each.mark = {};
            }
        }
    }

    Result<void> mime_part(const MimePart& each, bool alone) {
        std::string name = document_;
        if (!alone) {
            name += fmt::format(", part {}", number_ + 1);
        }
        if (!each.filename.empty()) {
            name += fmt::format(" ({})", each.filename);
        }
        if (each.merge_rules) {
            hand_over(name, "rules for merging are not read natively");
        }
        const std::string body = TARN_TRY(unpack(name, each.body));
        if (std::find(std::begin(kLookInside), std::end(kLookInside), each.type) !=
            std::end(kLookInside)) {
            return part(name, each.filename, body, false);
        }
        if (each.type == "text/jinja2") {
            return part(name, each.filename, "## template: jinja\n" + body, false);
        }
        if (each.type == kCloudConfigType) {
            return add(PayloadPart::Kind::kCloudConfig, name, each.filename, body);
        }
        if (each.type == kScriptType) {
            return add(PayloadPart::Kind::kScript, name, each.filename, body);
        }
        ++number_;
        hand_over(name, fmt::format("the type `{}` is not read natively", each.type));
        return {};
    }

    Result<void> part(const std::string& name,
                      std::string_view file,
                      std::string_view text,
                      bool whole) {
        // An editor's byte order mark.
        if (text.starts_with("\xef\xbb\xbf")) {
            text.remove_prefix(3);
        }
        std::string_view body;
        if (is_template(text, body)) {
            const std::size_t before = payload_.problems.size();
            const std::string filled = fill_template(body, variables_, payload_.problems);
            if (payload_.problems.size() != before) {
                ++number_;
                place_problems(before, name, whole);
                return {};
            }
            // A line for the header that is gone, so that messages name the right ones.
            if (is_cloud_config(filled)) {
                return add(PayloadPart::Kind::kCloudConfig, name, file, "#\n" + filled);
            }
            return inner(name, file, filled, whole);
        }
        return inner(name, file, text, whole);
    }

    Result<void> inner(const std::string& name,
                       std::string_view file,
                       std::string_view text,
                       bool whole) {
        if (is_cloud_config(text)) {
            return add(PayloadPart::Kind::kCloudConfig, name, file, text);
        }
        if (text.starts_with("#!")) {
            return add(PayloadPart::Kind::kScript, name, file, text);
        }
        for (const OtherKind& each : kOthers) {
            if (text.starts_with(each.start)) {
                ++number_;
                hand_over(name, fmt::format("{} is not read natively", each.what));
                return {};
            }
        }
        if (nearly_cloud_config(text)) {
            return fail(
                error(ErrorKind::kUsage, "{}:1:1: the first line is not `#cloud-config`", name)
                    .advise("write it without blanks, in lower case, as the first line"));
        }
        ++number_;
        if (!whole) {
            hand_over(name, "it is neither #cloud-config nor a script with `#!`");
            return {};
        }
        payload_.ignored = fmt::format(
            "{} is neither #cloud-config nor a script nor MIME: it is left to applications", name);
        return {};
    }

    Result<void> add(PayloadPart::Kind kind,
                     const std::string& name,
                     std::string_view file,
                     std::string_view text) {
        ++number_;
        if (kind == PayloadPart::Kind::kCloudConfig && has_binary(text)) {
            return fail(ErrorKind::kUsage, "{}: binary bytes in #cloud-config", name);
        }
        if (kind == PayloadPart::Kind::kScript && !text.starts_with("#!")) {
            return fail(
                error(ErrorKind::kUsage, "{}:1:1: the script does not begin with `#!`", name)
                    .advise("begin it with `#!/bin/sh`"));
        }
        payload_.parts.push_back({kind, name, safe_file_name(file, number_), std::string(text)});
        return {};
    }

    std::string document_;
    const std::map<std::string, std::string>& variables_;
    Payload payload_;
    std::size_t number_ = 0;
    bool packed_ = false;
};

}  // namespace

Result<std::string> gunzip(std::string_view what, std::string_view bytes, std::size_t limit) {
    z_stream stream{};
    TARN_CHECK(::inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::string result;
    char buffer[16384];
    int status = Z_OK;
    while (status == Z_OK && result.size() <= limit) {
        stream.next_out = reinterpret_cast<Bytef*>(buffer);
        stream.avail_out = sizeof buffer;
        status = ::inflate(&stream, Z_NO_FLUSH);
        result.append(buffer, sizeof buffer - stream.avail_out);
        // Members one after another are one text (RFC 1952).
        if (status == Z_STREAM_END && stream.avail_in > 0 && stream.next_in[0] == 0x1f) {
            status = ::inflateReset(&stream);
        }
    }
    ::inflateEnd(&stream);
    if (result.size() > limit) {
        return fail(ErrorKind::kUsage,
                    "{}: more than {} bytes come out of {} bytes of gzip",
                    what,
                    limit,
                    bytes.size());
    }
    if (status != Z_STREAM_END) {
        return fail(ErrorKind::kUsage, "{}: the gzip data is broken or cut off", what);
    }
    return result;
}

Result<Payload> read_payload(std::string_view document,
                             std::string_view bytes,
                             const std::map<std::string, std::string>& variables) {
    if (bytes.size() > kLimit) {
        return fail(ErrorKind::kUsage,
                    "{}: {} bytes, at most {} are accepted",
                    document,
                    bytes.size(),
                    kLimit);
    }
    return Reader(document, variables).read(bytes);
}

}  // namespace tarn::guest
