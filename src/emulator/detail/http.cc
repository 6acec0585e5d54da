// SPDX-License-Identifier: MIT
#include "emulator/detail/http.hh"

#include "base/hash.hh"
#include "base/strings.hh"

#include <fmt/format.h>

#include <algorithm>

namespace tarn::emulator {

namespace {

const std::string* find(const Pairs& pairs, std::string_view name) {
    const auto found = std::ranges::find(pairs, name, &Pairs::value_type::first);
    return found == pairs.end() ? nullptr : &found->second;
}

ParsedRequest bad(int status, std::string why) {
    ParsedRequest parsed;
    parsed.progress = Progress::kBad;
    parsed.refusal = Answer::text(status, std::move(why) + "\n");
    return parsed;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte < 0x7f;
    });
}

bool read_query(std::string_view text, Pairs& out) {
    for (const std::string_view part : split(text, '&')) {
        if (part.empty()) {
            continue;
        }
        const std::size_t equals = part.find('=');
        std::string name, value;
        if (!percent_decode(part.substr(0, equals), true, name) ||
            (equals != std::string_view::npos &&
             !percent_decode(part.substr(equals + 1), true, value))) {
            return false;
        }
        out.emplace_back(std::move(name), std::move(value));
    }
    return true;
}

std::string read_request_line(std::string_view line, Request& request) {
    const auto words = split(line, ' ');
    if (words.size() != 3 || !is_token(words[0]) || !is_printable(words[1])) {
        return "the request line is not METHOD TARGET HTTP/1.1";
    }
    if (words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0") {
        return "only HTTP/1.1 is spoken here";
    }
    request.method = words[0];
    request.keep_alive = words[2] == "HTTP/1.1";
    std::string_view target = words[1];
    if (!target.starts_with('/')) {
        return "the target of the request must be a path";
    }
    const std::size_t mark = target.find('?');
    if (!percent_decode(target.substr(0, mark), false, request.path)) {
        return "the path has an escape that is none";
    }
    if (mark != std::string_view::npos && !read_query(target.substr(mark + 1), request.query)) {
        return "the query has an escape that is none";
    }
    return {};
}

std::string read_headers(const std::vector<std::string_view>& lines, Request& request) {
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::string_view line =
            lines[i].substr(0, lines[i].size() - (lines[i].ends_with('\r') ? 1 : 0));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
            return "a header is not NAME: VALUE";
        }
        const std::string_view value = trim(line.substr(colon + 1));
        if (value.find('\0') != std::string_view::npos ||
            value.find('\r') != std::string_view::npos) {
            return "a header has a control character";
        }
        request.headers.emplace_back(to_lower(line.substr(0, colon)), value);
    }
    return {};
}

const char* reason(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 410:
            return "Gone";
        case 413:
            return "Content Too Large";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        default:
            return "Status";
    }
}

}  // namespace

const std::string* Request::header(std::string_view name) const {
    return find(headers, name);
}

const std::string* Request::parameter(std::string_view name) const {
    return find(query, name);
}

bool percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            std::string byte;
            if (!from_hex(text.substr(i + 1, 2), byte) || byte.size() != 1 || byte[0] == '\0') {
                return false;
            }
            out += byte;
            i += 2;
        } else {
            out += plus_is_space && text[i] == '+' ? ' ' : text[i];
        }
    }
    return true;
}

ParsedRequest parse_request(std::string_view bytes) {
    const std::size_t end = bytes.substr(0, kMaxHead).find("\r\n\r\n");
    if (end == std::string_view::npos) {
        if (bytes.size() >= kMaxHead) {
            return bad(431,
                       fmt::format("the head of the request is longer than {} bytes", kMaxHead));
        }
        return {};
    }
    ParsedRequest parsed;
    Request& request = parsed.request;
    const std::vector<std::string_view> lines = split(bytes.substr(0, end), '\n');
    std::string_view first = lines.front();
    first.remove_suffix(first.ends_with('\r') ? 1 : 0);
    if (std::string why = read_request_line(first, request); !why.empty()) {
        return bad(400, std::move(why));
    }
    if (std::string why = read_headers(lines, request); !why.empty()) {
        return bad(400, std::move(why));
    }
    if (request.header("transfer-encoding") != nullptr) {
        return bad(501, "a body needs a Content-Length");
    }
    std::size_t length = 0;
    for (const auto& [name, value] : request.headers) {
        if (name != "content-length") {
            continue;
        }
        const auto number = parse_u64(value);
        if (!number || (length != 0 && *number != length)) {
            return bad(400, "Content-Length is no number, or several");
        }
        if (*number > kMaxBody) {
            return bad(413, fmt::format("the body is longer than {} bytes", kMaxBody));
        }
        length = *number;
    }
    if (const std::string* connection = request.header("connection")) {
        const std::string wish = to_lower(*connection);
        request.keep_alive = wish == "keep-alive" || (request.keep_alive && wish != "close");
    }
    const std::size_t whole = end + 4 + length;
    if (bytes.size() < whole) {
        return {};
    }
    request.body = bytes.substr(end + 4, length);
    parsed.used = whole;
    parsed.progress = Progress::kWhole;
    return parsed;
}

std::string render(const Answer& answer, bool keep_alive) {
    std::string out = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nServer: Emulator/1\r\n",
                                  answer.status,
                                  reason(answer.status),
                                  answer.type);
    for (const auto& [name, value] : answer.headers) {
        out += name + ": " + value + "\r\n";
    }
    out += fmt::format("Content-Length: {}\r\nConnection: {}\r\n\r\n",
                       answer.body.size(),
                       keep_alive ? "keep-alive" : "close");
    return out + answer.body;
}

}  // namespace tarn::emulator
