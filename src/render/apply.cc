// SPDX-License-Identifier: MIT
#include "render/detail/apply.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "project/component_lock.hh"
#include "render/detail/archive.hh"
#include "render/detail/strict.hh"
#include "render/render.hh"

#include <algorithm>

namespace tarn::overlay {
namespace {

constexpr std::uint64_t kOverlaySourceLimit = 64u << 20;

// With a proposal of what to do.
Unmatched advised(std::string key, std::string message, std::string help) {
    Mismatch result{std::move(key), std::move(message)};
    if (!help.empty()) {
        result.help.push_back(std::move(help));
    }
    return Unmatched(std::move(result));
}

Unmatched failed(const Error& error, std::string key) {
    Mismatch result{std::move(key), error.message, error.notes, error.help};
    return Unmatched(std::move(result));
}

// The files below a directory as an archive: owner, times and modes are not the directory's.
Result<std::string> pack(const std::string& directory, const std::string& name) {
    if (!is_archive_name(name)) {
        return fail(error(ErrorKind::kUsage, "{} is a directory, and {} no archive", directory, name)
                        .advise("name a file, or end `file` with .tar, .tar.gz, .tar.xz or .tar.zst"));
    }
    Archive archive;
    archive.compression = compression_of_name(name);
    std::uint64_t size = 0;
    for (const std::string& file : TARN_TRY(source_files_below(directory))) {
        std::string bytes = TARN_TRY(read_file(join_path(directory, file), kOverlaySourceLimit));
        size += bytes.size();
        if (size > kOverlaySourceLimit) {
            return fail(ErrorKind::kUsage, "{} holds more than 64 MiB", directory);
        }
        archive.members[file] = {EntryKind::kFile, 0644, std::move(bytes), {}};
    }
    return write_archive(archive);
}

class Application {
  public:
    Application(const Stage& stage, const Overlay& overlay)
        : stage_(stage), sources_(stage.sources), overlay_(overlay) {}

    Outcome<void> run() {
        auto complete = check_complete(overlay_);
        if (!complete) {
            return complete;
        }
        if (!overlay_.archive.empty()) {
            return mismatch("archive",
                            "an overlay of an archive's members is applied with its kind");
        }
        switch (overlay_.type) {
            case OverlayType::kPatchAdd:
                return add_patch();
            case OverlayType::kPatchRemove:
                return remove_patch();
            case OverlayType::kFilePrependLines:
                return prepend_to_files();
            case OverlayType::kFileSearchReplace:
                return replace_in_files();
            case OverlayType::kFileAdd:
                return add_file(overlay_.file);
            case OverlayType::kFileRemove:
                return remove_files();
            case OverlayType::kFileRename:
                return rename_file();
            default:
                return edit([&](const std::string& text) {
                    return edit_spec(text, stage_.spec_name, overlay_, view());
                });
        }
    }

  private:
    View view() const { return stage_.precise ? View::kPrecise : View::kLines; }

    void warn(std::string message) {
        if (stage_.warnings != nullptr) {
            stage_.warnings->push_back(describe_warning(std::move(message), overlay_, stage_.map));
        }
    }

    template <class Change>
    Outcome<void> edit(Change change) {
        auto text = sources_.read(stage_.spec_name);
        if (!text) {
            return failed(text.error(), "");
        }
        if (text->size() > kTextLimit) {
            return mismatch("", fmt::format("{} is larger than 64 MiB", stage_.spec_name));
        }
        auto changed = change(*text);
        if (!changed) {
            return Unmatched(std::move(changed.error()));
        }
        if (changed->size() > kTextLimit) {
            return mismatch("", "the spec grows beyond 64 MiB");
        }
        if (stage_.warnings != nullptr) {
            for (std::string& remark :
                 strict_remarks(*text, *changed, stage_.spec_name, overlay_, view())) {
                warn(std::move(remark));
            }
        }
        sources_.write(stage_.spec_name, std::move(*changed));
        return {};
    }

    std::vector<std::string> matching() const {
        std::vector<std::string> files = sources_.loose_files();
        std::erase_if(files,
                      [&](const std::string& file) { return !file_matches(overlay_.file, file); });
        return files;
    }

    Unmatched no_file() const {
        const std::vector<std::string> files = sources_.loose_files();
        std::string help = did_you_mean(overlay_.file, files);
        const std::vector<std::string> all = sources_.paths();
        if (std::any_of(all.begin(), all.end(), [&](const std::string& path) {
                return path.ends_with(".spec") && file_matches(overlay_.file, path);
            })) {
            help = "overlays of files leave specs alone: use spec-... overlays";
        } else if (help.empty() && !files.empty()) {
            help = "the sources have " + some_names(files);
        }
        return advised("file",
                       fmt::format("overlay matches nothing: {} in {}",
                                   overlay_type_name(overlay_.type),
                                   overlay_.file),
                       std::move(help));
    }

    Outcome<void> add_patch() {
        const std::string file = overlay_.file.empty() ? file_name(overlay_.source) : overlay_.file;
        auto edited = edit([&](const std::string& text) {
            return overlay::add_patch(text, stage_.spec_name, file, overlay_, view());
        });
        return edited ? add_file(file) : edited;
    }

    Outcome<void> remove_patch() {
        auto edited = edit([&](const std::string& text) {
            return overlay::remove_patches(text, stage_.spec_name, overlay_);
        });
        if (edited && matching().empty()) {
            return advised("file",
                           fmt::format("the spec has a patch {}, but there is no such file among "
                                       "the sources",
                                       overlay_.file),
                           "remove the tag alone with spec-remove-tag");
        }
        return edited ? remove_files() : edited;
    }

    Outcome<void> add_file(const std::string& file) {
        if (safe_relative_path(file, Absolute::kRefuse) != file) {
            return mismatch("file", fmt::format("{} leaves the sources directory", file));
        }
        if (file.ends_with(".spec")) {
            return advised("file",
                           "a spec cannot be added by an overlay",
                           "change the component's own with spec-... overlays");
        }
        auto bytes = is_directory(overlay_.source)
                         ? pack(overlay_.source, file)
                         : read_file(overlay_.source, kOverlaySourceLimit);
        if (!bytes) {
            return failed(bytes.error(), "source");
        }
        if (sources_.has(file)) {
            // The patch of a local component often lies beside its spec, so it is there already.
            if (sources_.read(file).value_or("") == *bytes) {
                warn(fmt::format("{} is among the sources already", file));
                return {};
            }
            return advised("file",
                           fmt::format("another {} is there already", file),
                           "remove it first with file-remove, or choose another name");
        }
        if (sources_.has_directory(file)) {
            return advised("file",
                           fmt::format("{} is a directory of the sources", file),
                           "choose another name");
        }
        if (!sources_.has_directory(parent_path(file))) {
            return advised(
                "file",
                fmt::format("there is no directory {} among the sources", parent_path(file)),
                "overlays make no directories: choose a name in one that is there");
        }
        sources_.add(file, std::move(*bytes), 0);
        return {};
    }

    Outcome<void> prepend_to_files() {
        const std::string head = join(overlay_.lines, "\n") + "\n";
        return change_files(
            [&](const std::string& text) -> Outcome<std::string> { return head + text; });
    }

    Outcome<void> replace_in_files() {
        const Replacer replacer(overlay_);
        return change_files([&](const std::string& text) { return replacer.replace(text); });
    }

    template <class Change>
    Outcome<void> change_files(Change change) {
        const std::vector<std::string> files = matching();
        if (files.empty()) {
            return no_file();
        }
        bool changed = false;
        for (const std::string& file : files) {
            auto text = sources_.read(file);
            if (!text) {
                return failed(text.error(), "file");
            }
            auto result = change(*text);
            if (!result) {
                return Unmatched(std::move(result.error()));
            }
            if (*result != *text) {
                changed = true;
                sources_.write(file, std::move(*result));
            }
        }
        if (!changed) {
            return advised("regex",
                           fmt::format("overlay matches nothing: {} in {}",
                                       overlay_type_name(overlay_.type),
                                       some_names(files)),
                           "`regex` is matched against the whole file: ^ and $ need (?m)");
        }
        return {};
    }

    Outcome<void> remove_files() {
        const std::vector<std::string> files = matching();
        if (files.empty()) {
            return no_file();
        }
        for (const std::string& file : files) {
            sources_.remove(file);
        }
        return {};
    }

    Outcome<void> rename_file() {
        const std::vector<std::string> files = matching();
        if (files.empty()) {
            return no_file();
        }
        if (files.size() > 1) {
            return advised("file",
                           fmt::format("file-rename needs exactly one file; {} matches {}",
                                       overlay_.file,
                                       some_names(files)),
                           "give one overlay for each");
        }
        const std::string& name = overlay_.replacement;
        if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
            return mismatch("replacement", fmt::format("`{}` is not a plain file name", name));
        }
        const std::string target = join_path(parent_path(files.front()), name);
        if (sources_.has_directory(target)) {
            return advised("replacement",
                           fmt::format("{} is a directory", target),
                           "choose another name");
        }
        if (sources_.has(target) && target != files.front()) {
            warn(fmt::format("{} was there and is replaced", target));
        }
        sources_.rename(files.front(), target);
        return {};
    }

    const Stage& stage_;
    SourceSet& sources_;
    const Overlay& overlay_;
};

Diagnostic diagnostic_of(std::string message, const Overlay& overlay, const std::string& key) {
    const auto place = overlay.key_spans.find(key);
    Diagnostic diagnostic;
    diagnostic.message = std::move(message);
    diagnostic.primary = place == overlay.key_spans.end() ? overlay.where : place->second;
    return diagnostic;
}

}  // namespace

Outcome<void> check_complete(const Overlay& overlay) {
    if (overlay.type == OverlayType::kUnknown) {
        const std::string& type = overlay.unknown_type;
        return mismatch("type",
                        type.empty() ? "an overlay without `type` cannot be applied"
                                     : fmt::format("\"{}\" is no type of an overlay", type));
    }
    const std::string key(missing_overlay_key(overlay));
    if (!key.empty()) {
        return mismatch(key,
                        fmt::format("overlay {} needs `{}`", overlay_type_name(overlay.type), key));
    }
    return {};
}

std::string some_names(const std::vector<std::string>& names) {
    std::vector<std::string> some(
        names.begin(),
        names.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(names.size(), 12)));
    if (names.size() > some.size()) {
        some.push_back(fmt::format("and {} more", names.size() - some.size()));
    }
    return join(some, ", ");
}

Error describe(const Mismatch& mismatch, const Overlay& overlay, const SourceMap& map) {
    Diagnostic diagnostic = diagnostic_of(mismatch.message, overlay, mismatch.key);
    diagnostic.notes = mismatch.notes;
    diagnostic.help = mismatch.help;
    if (!overlay.description.empty()) {
        diagnostic.notes.push_back("description of the overlay: " + overlay.description);
    }
    const std::string_view type = overlay_type_text(overlay);
    Error result =
        error(ErrorKind::kFailed,
              "overlay {} does not apply",
              type.empty() ? "without type" : type);
    result.rendered = draw(diagnostic, map);
    return result;
}

std::string describe_warning(std::string message, const Overlay& overlay, const SourceMap& map) {
    Diagnostic diagnostic = diagnostic_of(std::move(message), overlay, "");
    diagnostic.severity = Severity::kWarning;
    std::string text = draw(diagnostic, map);
    text.pop_back();  // its newline
    return text;
}

Result<void> apply(const Stage& stage, const Overlay& overlay) {
    auto outcome = Application(stage, overlay).run();
    if (!outcome) {
        return fail(describe(outcome.error(), overlay, stage.map));
    }
    return {};
}

}  // namespace tarn::overlay

namespace tarn {

Result<void> apply_overlay(SourceSet& sources,
                           const std::string& spec_name,
                           const Overlay& overlay,
                           const SourceMap& map) {
    return overlay::apply(overlay::Stage{sources, spec_name, map}, overlay);
}

}  // namespace tarn
