// SPDX-License-Identifier: MIT
#include "project/detail/files.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "project/detail/patterns.hh"

namespace tarn::declaration {
namespace {

using Origins = std::map<std::string, std::vector<Span>>;

// Entries that a later file replaces as a whole.
bool is_replaced_whole(const std::vector<std::string_view>& path) {
    return (path.size() == 4 && path[0] == "distros" && path[2] == "versions") ||
           (path.size() == 3 && path[0] == "resources");
}

void forget_below(const std::string& key, Origins& origins) {
    const std::string prefix = key + Project::kOriginSeparator;
    auto at = origins.lower_bound(prefix);
    while (at != origins.end() && at->first.starts_with(prefix)) {
        at = origins.erase(at);
    }
}

std::string origin_key(const std::vector<std::string_view>& path) {
    std::string key;
    for (const std::string_view part : path) {
        if (!key.empty()) {
            key += Project::kOriginSeparator;
        }
        key += part;
    }
    return key;
}

// Empty texts and `false` give nothing: they leave what is inherited.
bool gives_nothing(const Value& value, bool is_image) {
    return (value.kind == ValueKind::kString && value.text.empty()) ||
           (value.kind == ValueKind::kBoolean && !value.boolean && !is_image);
}

void note_origins(const Value& table, std::vector<std::string_view> path, Origins& origins) {
    if (is_replaced_whole(path)) {
        forget_below(origin_key(path), origins);
    }
    for (const Entry& entry : table.entries) {
        path.push_back(entry.key);
        const Value& value = entry.value;
        if (value.kind == ValueKind::kTable) {
            note_origins(value, path, origins);
        } else if (value.kind == ValueKind::kArray) {
            std::vector<Span>& places = origins[origin_key(path)];
            if (path.front() == "distros") {
                places.clear();
            }
            for (const Value& item : value.items) {
                places.push_back(item.span);
            }
        } else if (!gives_nothing(value, path.front() == "images")) {
            origins[origin_key(path)] = {value.span};
        }
        path.pop_back();
    }
}

}  // namespace

std::string FileReader::shown(const std::string& path) const {
    return relative_to(path, shown_from_);
}

Reading FileReader::reading_in(const std::string& path) {
    return Reading{diagnostics_,
                   parent_path(path),
                   permissive_,
                   references_,
                   distro_references_,
                   strict_};
}

std::optional<Value> FileReader::parse(const std::string& path, Span where) {
    if (++files_ > kFileCountLimit) {
        if (!limit_reported_) {
            limit_reported_ = true;
            diagnostics_.error(where,
                               fmt::format("more than {} files", kFileCountLimit),
                               "a narrower pattern leaves out what is no declaration");
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
        if (origins_) {
            note_origins(*value, {}, collected_.project.origins);
        }
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
            where,
            fmt::format("includes are nested more than {} deep", kIncludeDepthLimit),
            "let one file include the others, instead of each the next");
        incomplete_ = true;
        return;
    }
    open_.push_back(path);
    if (const auto value = parse(path, where)) {
        Reading reading = reading_in(path);
        collected_.includes.clear();
        read_table(reading, *value, value->span, file_kind(), collected_);
        if (origins_) {
            note_origins(*value, {}, collected_.project.origins);
        }
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
    const std::string_view fault = pattern_fault(pattern);
    if (!fault.empty()) {
        incomplete_ = true;
        diagnostics_.error(where, fmt::format("\"{}\" is not a valid pattern: {}", pattern, fault));
        return {};
    }
    auto files = matching_files(pattern, directory, kFileCountLimit);
    if (!files) {
        incomplete_ = true;
        diagnostics_.error(where,
                           files.error().message,
                           files.error().kind == ErrorKind::kUsage
                               ? "begin it with the directory where these files lie"
                               : "");
        return {};
    }
    if (files->empty() && may_match_nothing(pattern)) {
        if (strict_) {
            diagnostics_.warning(where, fmt::format("\"{}\" matches no {}", pattern, what));
        }
    } else if (files->empty()) {
        incomplete_ = true;
        Diagnostic diagnostic;
        diagnostic.primary = where;
        diagnostic.message = fmt::format("there is no {} {}", what, pattern);
        const std::string wanted = absolute_path(pattern, directory);
        std::string hint;
        if (auto names = list_directory(parent_path(wanted))) {
            hint = did_you_mean(file_name(wanted), *names);
        }
        if (hint.empty()) {
            hint = contains(pattern, "{")
                       ? "of patterns, only those with *, ? or [ may match nothing"
                       : "the path is relative to the directory of this file";
        }
        diagnostic.help.push_back(std::move(hint));
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
