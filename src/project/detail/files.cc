// SPDX-License-Identifier: MIT
#include "project/detail/files.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "project/detail/patterns.hh"

namespace tarn::declaration {

std::string FileReader::shown(const std::string& path) const {
    return relative_to(path, shown_from_);
}

Reading FileReader::reading_in(const std::string& path) {
    return Reading{diagnostics_, parent_path(path), permissive_, references_, distro_references_};
}

std::optional<Value> FileReader::parse(const std::string& path, Span where) {
    if (++files_ > kFileCountLimit) {
        if (!limit_reported_) {
            limit_reported_ = true;
            diagnostics_.error(where, fmt::format("more than {} files", kFileCountLimit));
        }
        incomplete_ = true;
        return std::nullopt;
    }
    auto text = read_file(path, kFileLimit);
    if (!text) {
        incomplete_ = true;
        diagnostics_.error(where, text.error().message);
        return std::nullopt;
    }
    bytes_ += text->size();
    if (bytes_ > kTotalLimit) {
        incomplete_ = true;
        diagnostics_.error(where, "the files of the project have more than 1 GiB together");
        return std::nullopt;
    }
    const SourceMap::File& file = sources_.add(shown(path), std::move(*text));
    auto value = parse_toml(sources_, file, diagnostics_);
    incomplete_ |= !value.has_value();
    return value;
}

void FileReader::read_root(const std::string& path, Span where) {
    visits_.clear();
    read(path, where);
}

void FileReader::read_text(const std::string& name, std::string text) {
    const SourceMap::File& file = sources_.add(name, std::move(text));
    if (const auto value = parse_toml(sources_, file, diagnostics_)) {
        Reading reading = reading_in(name);
        read_table(reading, *value, value->span, file_kind(), collected_);
    } else {
        incomplete_ = true;
    }
    collected_.includes.clear();
}

void FileReader::report_second_visit(const std::string& path, Span where, const Visit& first) {
    Diagnostic diagnostic;
    diagnostic.primary = where;
    if (first.open) {
        std::string chain;
        bool inside = false;
        for (const std::string& step : open_) {
            inside |= step == path;
            if (inside) {
                chain += shown(step) + " -> ";
            }
        }
        diagnostic.message = fmt::format("{} includes itself", shown(path));
        diagnostic.notes.push_back(chain + shown(path));
        diagnostic.help.emplace_back("take one of these includes away");
    } else {
        diagnostic.message = fmt::format("{} is included twice", shown(path));
        diagnostic.labels.push_back({first.where, "first included here"});
        diagnostic.help.emplace_back("include a file from one place only");
    }
    diagnostics_.add(std::move(diagnostic));
}

void FileReader::read(const std::string& path, Span where) {
    const auto [visit, fresh] = visits_.try_emplace(path, Visit{where, true});
    if (!fresh) {
        report_second_visit(path, where, visit->second);
        return;
    }
    if (open_.size() >= kIncludeDepthLimit) {
        diagnostics_.error(
            where, fmt::format("includes are nested more than {} deep", kIncludeDepthLimit));
        incomplete_ = true;
        return;
    }
    open_.push_back(path);
    if (const auto value = parse(path, where)) {
        Reading reading = reading_in(path);
        collected_.includes.clear();
        read_table(reading, *value, value->span, file_kind(), collected_);
        const auto includes = std::move(collected_.includes);
        for (const auto& [pattern, span] : includes) {
            for (const std::string& file :
                 expand(pattern, reading.directory, span, "included file")) {
                read(file, span);
            }
        }
    }
    open_.pop_back();
    visit->second.open = false;
}

std::vector<std::string> FileReader::expand(const std::string& pattern,
                                            const std::string& directory,
                                            Span where,
                                            std::string_view what) {
    if (!valid_pattern(pattern)) {
        incomplete_ = true;
        diagnostics_.error(where, fmt::format("\"{}\" is not a valid pattern", pattern));
        return {};
    }
    auto files = matching_files(pattern, directory, kFileCountLimit);
    if (!files) {
        incomplete_ = true;
        diagnostics_.error(where, files.error().message);
        return {};
    }
    if (files->empty() && !may_match_nothing(pattern)) {
        incomplete_ = true;
        Diagnostic diagnostic;
        diagnostic.primary = where;
        diagnostic.message = fmt::format("there is no {} {}", what, pattern);
        const std::string wanted = absolute_path(pattern, directory);
        if (auto names = list_directory(parent_path(wanted))) {
            const std::string hint = did_you_mean(file_name(wanted), *names);
            if (!hint.empty()) {
                diagnostic.help.push_back(hint);
            }
        }
        diagnostics_.add(std::move(diagnostic));
    }
    return std::move(*files);
}

const OverlayDocument* FileReader::overlay_document(const std::string& path, Span where) {
    const auto [place, fresh] = documents_.try_emplace(path);
    if (fresh) {
        if (const auto value = parse(path, where)) {
            Reading reading = reading_in(path);
            OverlayDocument document;
            Span begin = value->span;
            begin.length = 1;
            read_table(reading, *value, begin, overlay_document_kind(), document);
            for (Overlay& overlay : document.overlays) {
                overlay.metadata = document.metadata;
            }
            place->second = std::move(document);
        }
    }
    return place->second ? &*place->second : nullptr;
}

}  // namespace tarn::declaration
