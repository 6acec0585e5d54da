// SPDX-License-Identifier: MIT
#include "diag/diagnostic.hh"

#include <algorithm>
#include <deque>

#include "base/strings.hh"

namespace tarn {

struct SourceMap::Impl {
    struct Indexed {
        File file;
        std::vector<std::uint32_t> line_starts;
    };
    std::deque<Indexed> files;
    std::uint32_t next = 1;

    const Indexed* find(const File& file) const {
        for (const Indexed& each : files) {
            if (&each.file == &file) {
                return &each;
            }
        }
        return nullptr;
    }
    const Indexed* find(Pos pos) const {
        auto after = std::upper_bound(
            files.begin(), files.end(), pos.id, [](std::uint32_t id, const Indexed& each) {
                return id < each.file.base;
            });
        return after == files.begin() ? nullptr : &*std::prev(after);
    }
};

SourceMap::SourceMap() : impl_(new Impl) {}
SourceMap::SourceMap(SourceMap&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
SourceMap& SourceMap::operator=(SourceMap&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
}
SourceMap::~SourceMap() {
    delete impl_;
}

const SourceMap::File& SourceMap::add(std::string name, std::string text) {
    Impl::Indexed& added = impl_->files.emplace_back();
    added.file = {std::move(name), std::move(text), impl_->next};
    added.line_starts.push_back(0);
    for (std::size_t i = 0; i < added.file.text.size(); ++i) {
        if (added.file.text[i] == '\n') {
            added.line_starts.push_back(static_cast<std::uint32_t>(i + 1));
        }
    }
    // One id more than bytes: the position after the last byte exists too.
    impl_->next += static_cast<std::uint32_t>(added.file.text.size()) + 1;
    return added.file;
}

Pos SourceMap::at(const File& file, std::uint32_t line, std::uint32_t column) const {
    const Impl::Indexed* indexed = impl_->find(file);
    if (indexed == nullptr || line == 0 || line > indexed->line_starts.size()) {
        return {};
    }
    const std::size_t offset_in_file = indexed->line_starts[line - 1] + std::max(column, 1u) - 1;
    return offset(file, offset_in_file);
}

Pos SourceMap::offset(const File& file, std::size_t bytes) const {
    return {file.base + static_cast<std::uint32_t>(std::min(bytes, file.text.size()))};
}

Location SourceMap::locate(Pos pos) const {
    const Impl::Indexed* indexed = pos ? impl_->find(pos) : nullptr;
    if (indexed == nullptr) {
        return {};
    }
    const std::uint32_t byte = pos.id - indexed->file.base;
    const auto& starts = indexed->line_starts;
    const auto line = static_cast<std::size_t>(
        std::upper_bound(starts.begin(), starts.end(), byte) - starts.begin());
    const std::string_view text = indexed->file.text;
    const std::uint32_t begin = starts[line - 1];
    std::string_view line_text = text.substr(begin, text.find('\n', begin) - begin);
    if (line_text.ends_with('\r')) {
        line_text.remove_suffix(1);
    }
    return {indexed->file.name,
            static_cast<std::uint32_t>(line),
            byte - begin + 1,
            line_text};
}

void Diagnostics::add(Diagnostic diagnostic) {
    errors_ += diagnostic.severity == Severity::kError ? 1 : 0;
    all_.push_back(std::move(diagnostic));
}

namespace {

Diagnostic simple(Severity severity, Span where, std::string message, std::string help) {
    Diagnostic result;
    result.severity = severity;
    result.message = std::move(message);
    result.primary = where;
    if (!help.empty()) {
        result.help.push_back(std::move(help));
    }
    return result;
}

constexpr std::size_t kMaxShown = 200;  // a line of a megabyte is not drawn whole

// Length of the well-formed UTF-8 character at `at`; 0 when the bytes are none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80U                      ? 1
                               : first >= 0xc2U && first < 0xe0U ? 2
                               : first >= 0xe0U && first < 0xf0U ? 3
                               : first >= 0xf0U && first < 0xf5U ? 4
                                                                 : 0;
    if (length == 0 || at + length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[at + i]) & 0xc0U) != 0x80U) {
            return 0;
        }
    }
    return length;
}

// The source line and the caret line under it.
void draw_snippet(std::string& out, const Location& where, std::uint32_t length, unsigned width) {
    std::string_view text = where.line_text;
    std::size_t column = where.column - 1;
    if (column > text.size()) {
        column = text.size();
    }
    if (column > kMaxShown / 2 && text.size() > kMaxShown) {
        const std::size_t cut = column - kMaxShown / 2;
        text.remove_prefix(cut);
        column -= cut;
    }
    text = text.substr(0, kMaxShown);
    // What could move a terminal's cursor is shown as a blank, what is no UTF-8 as "?".
    std::string shown;
    std::string blank;
    std::size_t carets = 0;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t size = utf8_length(text, i);
        const auto byte = static_cast<unsigned char>(text[i]);
        if (size == 0) {
            shown += '?';
        } else if (byte < 0x20 || byte == 0x7f) {
            shown += ' ';
        } else {
            shown += text.substr(i, size);
        }
        if (i < column) {
            blank += ' ';
        } else if (i < column + length) {
            ++carets;
        }
        i += std::max<std::size_t>(1, size);
    }
    out += fmt::format("  {:>{}} | {}\n", where.line, width, shown);
    out += fmt::format("  {:>{}} | {}{}\n",
                       "",
                       width,
                       blank,
                       std::string(std::max<std::size_t>(1, carets), '^'));
}

std::string_view severity_name(Severity severity) {
    switch (severity) {
        case Severity::kNote:
            return "note";
        case Severity::kWarning:
            return "warning";
        case Severity::kError:
            break;
    }
    return "error";
}

}  // namespace

void Diagnostics::error(Span where, std::string message, std::string help) {
    add(simple(Severity::kError, where, std::move(message), std::move(help)));
}

void Diagnostics::warning(Span where, std::string message, std::string help) {
    add(simple(Severity::kWarning, where, std::move(message), std::move(help)));
}

std::string draw(const Diagnostic& diagnostic, const SourceMap& map) {
    const Location where = map.locate(diagnostic.primary.begin);
    std::string out;
    if (!where.file.empty()) {
        out += fmt::format("{}:{}:{}: ", where.file, where.line, where.column);
    }
    out += fmt::format("{}: {}\n", severity_name(diagnostic.severity), diagnostic.message);
    const unsigned width = 3;
    if (!where.file.empty()) {
        draw_snippet(out, where, diagnostic.primary.length, width);
    }
    for (const Label& label : diagnostic.labels) {
        const Location place = map.locate(label.span.begin);
        if (!place.file.empty()) {
            out += fmt::format(
                "  {}:{}:{}: note: {}\n", place.file, place.line, place.column, label.text);
            draw_snippet(out, place, label.span.length, width);
        }
    }
    for (const std::string& note : diagnostic.notes) {
        out += fmt::format("  {:>{}} = note: {}\n", "", width, note);
    }
    for (const std::string& help : diagnostic.help) {
        out += fmt::format("  {:>{}} = help: {}\n", "", width, help);
    }
    return out;
}

std::string Diagnostics::draw(std::size_t cap) const {
    std::vector<const Diagnostic*> ordered;
    ordered.reserve(all_.size());
    for (const Diagnostic& each : all_) {
        ordered.push_back(&each);
    }
    // By place; at one place in the order they were found.
    std::sort(ordered.begin(), ordered.end(), [](const Diagnostic* a, const Diagnostic* b) {
        return std::pair(a->primary.begin, a) < std::pair(b->primary.begin, b);
    });
    std::string out;
    std::size_t drawn = 0;
    for (const Diagnostic* each : ordered) {
        if (each->severity == Severity::kError && drawn++ >= cap) {
            continue;
        }
        out += tarn::draw(*each, *map_);
    }
    if (errors_ > cap) {
        out += fmt::format("... and {} more errors\n", errors_ - cap);
    }
    return out;
}

Result<void> Diagnostics::checkpoint(ErrorKind kind) const {
    if (errors_ == 0) {
        return {};
    }
    Error problem = tarn::error(
        kind, "{} error{}; nothing was changed", errors_, errors_ == 1 ? "" : "s");
    problem.rendered = draw();
    return fail(std::move(problem));
}

}  // namespace tarn
