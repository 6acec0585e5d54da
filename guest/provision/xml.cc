// SPDX-License-Identifier: MIT
#include "provision/xml.hh"

#include "base/strings.hh"

#include <expat.h>

#include <memory>

namespace tarn::guest {

namespace {

constexpr std::size_t kBytes = 1u << 20;
constexpr std::size_t kDepth = 32;
constexpr std::size_t kElements = 4096;

struct Builder {
    XML_Parser parser = nullptr;
    XmlNode root;                // its one child is the document's element
    std::vector<XmlNode*> open;  // no node moves while it is open: only the last one's list grows
    std::size_t elements = 0;
    std::string problem;

    void stop(std::string why) {
        if (problem.empty()) {
            problem = std::move(why);
            XML_StopParser(parser, XML_FALSE);
        }
    }
};

void on_start(void* user, const XML_Char* qualified, const XML_Char**) {
    auto& builder = *static_cast<Builder*>(user);
    if (!builder.problem.empty()) {
        return;
    }
    if (builder.open.size() > kDepth || ++builder.elements > kElements) {
        builder.stop(builder.open.size() > kDepth
                         ? fmt::format("nested deeper than {}", kDepth)
                         : fmt::format("more than {} elements", kElements));
        return;
    }
    const std::string_view name = qualified;
    const std::size_t at = name.rfind('\n');
    XmlNode node;
    node.name = to_lower(at == std::string_view::npos ? name : name.substr(at + 1));
    node.space = at == std::string_view::npos ? std::string() : to_lower(name.substr(0, at));
    node.line = XML_GetCurrentLineNumber(builder.parser);
    node.column = XML_GetCurrentColumnNumber(builder.parser) + 1;
    std::vector<XmlNode>& siblings = builder.open.back()->children;
    siblings.push_back(std::move(node));
    builder.open.push_back(&siblings.back());
}

void on_end(void* user, const XML_Char*) {
    // After a stop a call or two may still come: the end of an empty element.
    auto& builder = *static_cast<Builder*>(user);
    if (builder.problem.empty()) {
        builder.open.pop_back();
    }
}

void on_text(void* user, const XML_Char* text, int size) {
    static_cast<Builder*>(user)->open.back()->text.append(text, static_cast<std::size_t>(size));
}

void on_doctype(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    static_cast<Builder*>(user)->stop("a document type declaration is not allowed");
}

}  // namespace

const XmlNode* XmlNode::child(std::string_view lower_name) const {
    for (const XmlNode& each : children) {
        if (each.name == lower_name) {
            return &each;
        }
    }
    return nullptr;
}

std::string_view XmlNode::text_of(std::string_view lower_name) const {
    const XmlNode* node = child(lower_name);
    return node == nullptr ? std::string_view() : trim(node->text);
}

Result<XmlNode> parse_xml(std::string_view what, std::string_view bytes) {
    if (bytes.size() > kBytes) {
        return fail(ErrorKind::kCorrupt, "{}: larger than {} bytes", what, kBytes);
    }
    // Some writers end the text with NUL bytes, as a C string or a padded block.
    while (!bytes.empty() && bytes.back() == '\0') {
        bytes.remove_suffix(1);
    }
    const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
        XML_ParserCreateNS(nullptr, '\n'), XML_ParserFree);
    if (!parser) {
        return fail(ErrorKind::kSystem, "no memory for {}", what);
    }
    Builder builder;
    builder.parser = parser.get();
    builder.open.push_back(&builder.root);
    XML_SetUserData(parser.get(), &builder);
    XML_SetElementHandler(parser.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
    const auto status =
        XML_Parse(parser.get(), bytes.data(), static_cast<int>(bytes.size()), XML_TRUE);
    if (status != XML_STATUS_OK || !builder.problem.empty()) {
        const std::string why = !builder.problem.empty()
                                    ? builder.problem
                                    : XML_ErrorString(XML_GetErrorCode(parser.get()));
        return fail(ErrorKind::kCorrupt,
                    "{}:{}:{}: {}",
                    what,
                    XML_GetCurrentLineNumber(parser.get()),
                    XML_GetCurrentColumnNumber(parser.get()) + 1,
                    why);
    }
    return std::move(builder.root.children.front());
}

std::string escape_xml(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') {
                    out += c;
                }
        }
    }
    return out;
}

}  // namespace tarn::guest
