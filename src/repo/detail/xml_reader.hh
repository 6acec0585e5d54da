// SPDX-License-Identifier: MIT
// A pull reader over XML in memory (libxml2's xmlTextReader) that gives elements and their text.
#pragma once

#include "base/result.hh"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::repo {

class XmlReader {
  public:
    // `xml` must outlive the reader; `name` is for errors.
    XmlReader(std::string_view xml, std::string name);
    ~XmlReader();
    XmlReader(const XmlReader&) = delete;
    XmlReader& operator=(const XmlReader&) = delete;

    enum class Event { kStart, kEnd, kDone };
    // The next element that begins or ends; text is gathered on the way. An empty element ("<a/>")
    // gives kStart and kEnd like any other.
    Result<Event> next();

    std::string_view element() const { return element_; }  // local name
    int depth() const { return depth_; }                   // of the element; the root has 1
    // Of the element that just began.
    std::optional<std::string> attribute(const char* attribute_name) const;
    // At kEnd: the text directly in the element since it began (or since its last child).
    const std::string& text() const { return text_; }

    Failure malformed(std::string_view what) const;  // "<name>:<line>: <what>"

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::string name_;
    std::string element_;
    std::string text_;
    int depth_ = 0;
    bool end_pending_ = false;
};

}  // namespace tarn::repo
