// SPDX-License-Identifier: MIT
#include "kiwi/detail/element.hh"

#include "base/strings.hh"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

namespace tarn::kiwi {
namespace {

constexpr std::size_t kMaxBytes = 4U << 20;
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxElements = 100'000;

struct FreeDocument {
    void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};
struct FreeContext {
    void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
};
struct FreeText {
    void operator()(xmlChar* text) const { xmlFree(text); }
};

std::string to_text(const xmlChar* text) {
    return text == nullptr ? std::string()
                           : std::string(reinterpret_cast<const char*>(text));
}

struct Walk {
    const std::string& path;
    std::size_t elements = 0;

    Result<Element> element(xmlNode* node, int depth) {
        if (depth > kMaxDepth || ++elements > kMaxElements) {
            return fail(ErrorKind::kCorrupt,
                        "{}:{}: too deep or too large for an image description",
                        path,
                        xmlGetLineNo(node));
        }
        Element out;
        out.name = to_text(node->name);
        out.line = static_cast<std::uint32_t>(std::max(0L, xmlGetLineNo(node)));
        for (xmlAttr* attribute = node->properties; attribute != nullptr;
             attribute = attribute->next) {
            const std::unique_ptr<xmlChar, FreeText> value(
                xmlNodeListGetString(node->doc, attribute->children, 1));
            out.attributes[to_text(attribute->name)] = to_text(value.get());
        }
        for (xmlNode* child = node->children; child != nullptr; child = child->next) {
            if (child->type == XML_ELEMENT_NODE) {
                out.children.push_back(TARN_TRY(element(child, depth + 1)));
            } else if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) {
                out.text += to_text(child->content);
            } else if (child->type == XML_ENTITY_REF_NODE) {
                return fail(ErrorKind::kCorrupt,
                            "{}:{}: the entity `{}` is not defined",
                            path,
                            out.line,
                            to_text(child->name));
            }
        }
        out.text = trim(out.text);
        return out;
    }
};

}  // namespace

const std::string& Element::attribute(const std::string& key) const {
    static const std::string none;
    const auto found = attributes.find(key);
    return found == attributes.end() ? none : found->second;
}

Result<Element> parse_xml(std::string_view xml, const std::string& path) {
    if (xml.size() > kMaxBytes) {
        return fail(ErrorKind::kCorrupt,
                    "{} is too large for an image description: {}",
                    path,
                    human_size(xml.size()));
    }
    const std::unique_ptr<xmlParserCtxt, FreeContext> context(xmlNewParserCtxt());
    if (context == nullptr) {
        return fail(ErrorKind::kSystem, "{}: no memory to read it", path);
    }
    const std::unique_ptr<xmlDoc, FreeDocument> document(
        xmlCtxtReadMemory(context.get(),
                          xml.data(),
                          static_cast<int>(xml.size()),
                          nullptr,
                          nullptr,
                          XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                              XML_PARSE_BIG_LINES));
    const xmlError* problem = xmlCtxtGetLastError(context.get());
    if (document == nullptr || xmlDocGetRootElement(document.get()) == nullptr) {
        return fail(ErrorKind::kCorrupt,
                    "{}:{}:{}: not XML: {}",
                    path,
                    problem != nullptr ? problem->line : 1,
                    problem != nullptr ? std::max(1, problem->int2) : 1,
                    problem != nullptr && problem->message != nullptr
                        ? trim(problem->message)
                        : std::string_view("nothing in it"));
    }
    // Entities of an own DTD could be made to grow without bound; no description has one.
    if (document->intSubset != nullptr || document->extSubset != nullptr) {
        return fail(ErrorKind::kCorrupt, "{}:1: a document type has no place here", path);
    }
    return Walk{path}.element(xmlDocGetRootElement(document.get()), 1);
}

}  // namespace tarn::kiwi
