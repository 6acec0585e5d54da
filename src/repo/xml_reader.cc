// SPDX-License-Identifier: MIT
#include "repo/detail/xml_reader.hh"

#include "base/strings.hh"

#include <libxml/xmlreader.h>

#include <climits>
#include <mutex>

namespace tarn::repo {

namespace {

constexpr std::size_t kMaxText = 16u << 20;  // of one element

struct FreeReader {
    void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
};

std::string_view view(const xmlChar* text) {
    return text == nullptr ? std::string_view{}
                           : std::string_view(reinterpret_cast<const char*>(text));
}

}  // namespace

struct XmlReader::Impl {
    std::unique_ptr<xmlTextReader, FreeReader> reader;
    std::string problem;

    // libxml2 2.12 made the error const in this signature.
#if LIBXML_VERSION >= 21200
    static void on_error(void* data, const xmlError* error){
#else
    static void on_error(void* data, xmlError* error) {
#endif
        auto* self = static_cast<Impl*>(data);
    if (self->problem.empty() && error != nullptr && error->message != nullptr) {
        self->problem = trim(error->message);
    }
}
};  // namespace tarn::repo

XmlReader::XmlReader(std::string_view xml, std::string name)
    : impl_(std::make_unique<Impl>()), name_(std::move(name)) {
    static std::once_flag once;
    std::call_once(once, xmlInitParser);
    if (xml.size() > INT_MAX) {
        impl_->problem = "larger than 2 GiB";
        return;
    }
    // Entities stay unexpanded, nothing is loaded, and next() refuses a document type.
    impl_->reader.reset(xmlReaderForMemory(
        xml.data(), static_cast<int>(xml.size()), nullptr, "UTF-8", XML_PARSE_NONET));
    if (impl_->reader) {
        xmlTextReaderSetStructuredErrorHandler(impl_->reader.get(), &Impl::on_error, impl_.get());
    }
}

XmlReader::~XmlReader() = default;

Failure XmlReader::malformed(std::string_view what) const {
    const int line = impl_->reader ? xmlTextReaderGetParserLineNumber(impl_->reader.get()) : 0;
    return fail(ErrorKind::kCorrupt, "{}:{}: {}", name_, line, what);
}

Result<XmlReader::Event> XmlReader::next() {
    if (end_pending_) {
        end_pending_ = false;
        return Event::kEnd;
    }
    while (true) {
        const int got = impl_->reader ? xmlTextReaderRead(impl_->reader.get()) : -1;
        if (got == 0) {
            return Event::kDone;
        }
        if (got < 0) {
            return malformed(impl_->problem.empty() ? "not well-formed XML" : impl_->problem);
        }
        xmlTextReader* reader = impl_->reader.get();
        switch (xmlTextReaderNodeType(reader)) {
            case XML_READER_TYPE_ELEMENT:
                element_ = view(xmlTextReaderConstLocalName(reader));
                depth_ = xmlTextReaderDepth(reader) + 1;
                text_.clear();
                end_pending_ = xmlTextReaderIsEmptyElement(reader) == 1;
                return Event::kStart;
            case XML_READER_TYPE_END_ELEMENT:
                element_ = view(xmlTextReaderConstLocalName(reader));
                depth_ = xmlTextReaderDepth(reader) + 1;
                return Event::kEnd;
            case XML_READER_TYPE_TEXT:
            case XML_READER_TYPE_CDATA:
                text_ += view(xmlTextReaderConstValue(reader));
                if (text_.size() > kMaxText) {
                    return malformed("an element with too much text");
                }
                break;
            case XML_READER_TYPE_DOCUMENT_TYPE:
            case XML_READER_TYPE_ENTITY_REFERENCE:
                return malformed("document types and entities are not allowed here");
            default:
                break;
        }
    }
}

std::optional<std::string> XmlReader::attribute(const char* attribute_name) const {
    xmlTextReader* reader = impl_->reader.get();
    const auto* wanted = reinterpret_cast<const xmlChar*>(attribute_name);
    xmlChar* value = xmlTextReaderGetAttribute(reader, wanted);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string out(view(value));
    xmlFree(value);
    return out;
}

}  // namespace tarn::repo
