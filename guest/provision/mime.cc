// SPDX-License-Identifier: MIT
#include "provision/mime.hh"

#include "base/base64.hh"
#include "base/strings.hh"

#include <algorithm>
#include <utility>

namespace tarn::guest {
namespace {

constexpr std::size_t kLimit = 4u << 20;
constexpr std::size_t kParts = 100;
constexpr unsigned kDepth = 5;
constexpr std::size_t kHeaders = 100;

struct Header {
    std::string name;  // lower case
    std::string value;
};

// A text with the number of its first line in the message.
struct Piece {
    std::string_view text;
    unsigned line = 1;
};

// One line without its "\n" or "\r\n"; false at the end.
bool take_line(Piece& rest, std::string_view& line) {
    if (rest.text.empty()) {
        return false;
    }
    const std::size_t end = rest.text.find('\n');
    line = rest.text.substr(0, end);
    rest.text.remove_prefix(end == std::string_view::npos ? rest.text.size() : end + 1);
    ++rest.line;
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return true;
}

std::string_view value_of(const std::vector<Header>& headers, std::string_view name) {
    for (const Header& each : headers) {
        if (each.name == name) {
            return each.value;
        }
    }
    return {};
}

// A parameter of `text/x; name="value"; other=value`.
std::string parameter(std::string_view value, std::string_view name) {
    std::size_t at = value.find(';');
    while (at != std::string_view::npos && at < value.size()) {
        std::string_view rest = trim(value.substr(at + 1));
        const std::size_t equals = rest.find('=');
        if (equals == std::string_view::npos) {
            return {};
        }
        const std::string key = to_lower(trim(rest.substr(0, equals)));
        rest = trim(rest.substr(equals + 1));
        std::string result;
        std::size_t i = 0;
        if (!rest.empty() && rest[0] == '"') {
            for (i = 1; i < rest.size() && rest[i] != '"'; ++i) {
                if (rest[i] == '\\' && i + 1 < rest.size()) {
                    ++i;
                }
                result += rest[i];
            }
        } else {
            i = std::min(rest.find(';'), rest.size());
            result = trim(rest.substr(0, i));
        }
        if (key == name) {
            return result;
        }
        const std::size_t next = rest.find(';', i);
        value = next == std::string_view::npos ? std::string_view() : rest.substr(next);
        at = value.empty() ? std::string_view::npos : 0;
    }
    return {};
}

std::string type_of(std::string_view value) {
    const std::string type = to_lower(trim(value.substr(0, value.find(';'))));
    return type.empty() ? "text/plain" : type;
}

int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

// RFC 2045, 6.7. What is no escape stays as it is, as the RFC advises readers.
std::string from_quoted_printable(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            result += text[i];
            continue;
        }
        std::size_t end = i + 1;
        while (end < text.size() && (text[end] == ' ' || text[end] == '\t' || text[end] == '\r')) {
            ++end;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (end >= text.size() || text[end] == '\n') {
            i = end;  // a soft line break
        } else if (high >= 0 && low >= 0) {
            result += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            result += '=';
        }
    }
    return result;
}

class Reader {
  public:
    explicit Reader(std::string_view document) : document_(document) {}

    Result<void> entity(Piece piece, unsigned depth) {
        const auto headers = TARN_TRY(read_headers(piece));
        const std::string_view content_type = value_of(headers, "content-type");
        const std::string type = type_of(content_type);
        if (type.starts_with("multipart/")) {
            if (depth >= kDepth) {
                return wrong(piece.line, fmt::format("multipart nested deeper than {}", kDepth));
            }
            const std::string boundary = parameter(content_type, "boundary");
            if (boundary.empty() || boundary.size() > 200) {
                return wrong(piece.line, "a multipart without a usable boundary");
            }
            return multipart(piece, boundary, depth);
        }
        if (parts.size() == kParts) {
            return wrong(piece.line, fmt::format("more than {} parts", kParts));
        }
        MimePart part;
        part.type = type;
        part.line = piece.line;
        part.filename = parameter(value_of(headers, "content-disposition"), "filename");
        if (part.filename.empty()) {
            part.filename = parameter(content_type, "name");
        }
        part.merge_rules =
            !value_of(headers, "merge-type").empty() || !value_of(headers, "x-merge-type").empty();
        part.body = TARN_TRY(decode(piece, value_of(headers, "content-transfer-encoding")));
        parts.push_back(std::move(part));
        return {};
    }

    std::vector<MimePart> parts;

  private:
    Failure wrong(unsigned line, std::string_view what) const {
        return fail(ErrorKind::kUsage, "{}:{}: {}", document_, line, what);
    }

    // Ends behind the empty line.
    Result<std::vector<Header>> read_headers(Piece& piece) {
        std::vector<Header> headers;
        std::string_view line;
        while (take_line(piece, line) && !line.empty()) {
            if ((line[0] == ' ' || line[0] == '\t') && !headers.empty()) {
                headers.back().value += " " + std::string(trim(line));
                continue;
            }
            // The envelope line of a mailbox, which Python's reader skips as well.
            if (headers.empty() && line.starts_with("From ")) {
                continue;
            }
            const std::size_t colon = line.find(':');
            if (colon == std::string_view::npos || colon == 0) {
                return wrong(piece.line - 1, "a MIME header `Name: value` was expected");
            }
            if (headers.size() == kHeaders) {
                return wrong(piece.line - 1, fmt::format("more than {} headers", kHeaders));
            }
            headers.push_back(
                {to_lower(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
        }
        return headers;
    }

    Result<void> multipart(Piece piece, const std::string& boundary, unsigned depth) {
        const std::string separator = "--" + boundary;
        const std::string end = separator + "--";
        const unsigned first_line = piece.line;
        const char* begin = nullptr;  // of the part being read
        unsigned begin_line = 0;
        for (;;) {
            const char* here = piece.text.data();
            std::string_view line;
            const bool more = take_line(piece, line);
            const std::string_view mark = trim(line);
            const bool last = more && mark == end;
            if (more && !last && mark != separator) {
                continue;
            }
            if (begin != nullptr) {
                std::string_view body(begin, static_cast<std::size_t>(here - begin));
                // The line break before a boundary belongs to the boundary.
                body = body.substr(0,
                                   body.size() - (body.ends_with("\r\n") ? 2
                                                  : body.ends_with('\n') ? 1
                                                                         : 0));
                if (!more) {
                    return wrong(piece.line, "the multipart ends without its last boundary");
                }
                TARN_TRY(entity({body, begin_line}, depth + 1));
            }
            if (!more) {
                return wrong(first_line, "the boundary of the multipart does not occur");
            }
            if (last) {
                return {};
            }
            begin = piece.text.data();
            begin_line = piece.line;
        }
    }

    Result<std::string> decode(const Piece& piece, std::string_view encoding) {
        const std::string name = to_lower(trim(encoding));
        if (name.empty() || name == "7bit" || name == "8bit" || name == "binary") {
            return std::string(piece.text);
        }
        if (name == "quoted-printable") {
            return from_quoted_printable(piece.text);
        }
        if (name != "base64") {
            return wrong(piece.line,
                         fmt::format("the Content-Transfer-Encoding `{}` is unknown", name));
        }
        std::string compact;
        for (const char c : piece.text) {
            if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
                compact += c;
            }
        }
        auto bytes = from_base64(compact);
        if (!bytes) {
            return wrong(piece.line, "this part is not base64 as its header says");
        }
        return std::move(*bytes);
    }

    std::string document_;
};

}  // namespace

bool looks_like_mime(std::string_view text) {
    const std::string start = to_lower(text.substr(0, 13));
    return start.starts_with("content-type:") || start.starts_with("mime-version:");
}

Result<std::vector<MimePart>> parse_mime(std::string_view document, std::string_view text) {
    if (text.size() > kLimit) {
        return fail(ErrorKind::kUsage,
                    "{}: {} bytes of MIME, at most {} are accepted",
                    document,
                    text.size(),
                    kLimit);
    }
    Reader reader(document);
    TARN_TRY(reader.entity({text, 1}, 0));
    return std::move(reader.parts);
}

}  // namespace tarn::guest
