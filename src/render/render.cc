// SPDX-License-Identifier: MIT
#include "render/render.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "render/detail/source_set.hh"
#include "render/detail/spec_edit.hh"

#include <sys/stat.h>

#include <algorithm>

namespace tarn {
namespace {

using overlay::Mismatch;
using overlay::mismatch;
using overlay::Outcome;
using overlay::SourceSet;
using overlay::Unmatched;

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

// Applies one overlay to the sources.
class Application {
  public:
    Application(SourceSet& sources, const std::string& spec_name, const Overlay& overlay)
        : sources_(sources), spec_name_(spec_name), overlay_(overlay) {}

    Outcome<void> run() {
        if (!overlay_.archive.empty()) {
            return mismatch("archive",
                            "overlays inside an archive cannot be applied by this version");
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
                    return overlay::edit_spec(text, spec_name_, overlay_);
                });
        }
    }

  private:
    template <class Change>
    Outcome<void> edit(Change change) {
        auto text = sources_.read(spec_name_);
        if (!text) {
            return failed(text.error(), "");
        }
        auto normal = overlay::normal_spec_text(*text, spec_name_);
        if (!normal) {
            return Unmatched(std::move(normal.error()));
        }
        auto changed = change(*normal);
        if (!changed) {
            return Unmatched(std::move(changed.error()));
        }
        if (changed->size() > overlay::kTextLimit) {
            return mismatch("", "the spec grows beyond 64 MiB");
        }
        sources_.write(spec_name_, std::move(*changed));
        return {};
    }

    std::vector<std::string> matching() const {
        std::vector<std::string> files = sources_.loose_files();
        std::erase_if(files, [&](const std::string& file) {
            return !overlay::file_matches(overlay_.file, file);
        });
        return files;
    }

    Unmatched no_file() const {
        const std::vector<std::string> files = sources_.loose_files();
        std::string help = did_you_mean(overlay_.file, files);
        if (help.empty() && !files.empty()) {
            std::vector<std::string> some(
                files.begin(),
                files.begin() +
                    static_cast<std::ptrdiff_t>(std::min<std::size_t>(files.size(), 12)));
            help = "the sources have " + join(some, ", ");
        }
        return advised("file",
                       fmt::format("overlay matches nothing: {} in {}",
                                   overlay_type_name(overlay_.type),
                                   overlay_.file),
                       std::move(help));
    }

    Outcome<void> add_patch() {
        const std::string file = overlay_.file.empty() ? file_name(overlay_.source) : overlay_.file;
        auto edited =
            edit([&](const std::string& text) { return overlay::add_patch(text, file, overlay_); });
        return edited ? add_file(file) : edited;
    }

    Outcome<void> remove_patch() {
        auto edited =
            edit([&](const std::string& text) { return overlay::remove_patches(text, overlay_); });
        return edited ? remove_files() : edited;
    }

    Outcome<void> add_file(const std::string& file) {
        if (safe_relative_path(file, Absolute::kRefuse) != file) {
            return mismatch("file", fmt::format("{} leaves the sources directory", file));
        }
        if (file.ends_with(".spec")) {
            return mismatch("file", "a spec cannot be added by an overlay");
        }
        auto bytes = read_file(overlay_.source, kOverlaySourceLimit);
        if (!bytes) {
            return failed(bytes.error(), "source");
        }
        if (sources_.has(file)) {
            // The patch of a local component often lies beside its spec, so it is there already.
            if (sources_.read(file).value_or("") == *bytes) {
                return {};
            }
            return advised("file",
                           fmt::format("another {} is there already", file),
                           "remove it first with file-remove, or choose another name");
        }
        if (!sources_.has_directory(parent_path(file))) {
            return mismatch(
                "file",
                fmt::format("there is no directory {} among the sources", parent_path(file)));
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
        const overlay::Replacer replacer(overlay_);
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
                                       join(files, ", ")),
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
            return mismatch("file",
                            fmt::format("file-rename needs exactly one file; {} matches {}",
                                        overlay_.file,
                                        join(files, ", ")));
        }
        const std::string& name = overlay_.replacement;
        if (name == "." || name == ".." || name.find('/') != std::string::npos) {
            return mismatch("replacement", fmt::format("{} is not a plain file name", name));
        }
        sources_.rename(files.front(), join_path(parent_path(files.front()), name));
        return {};
    }

    SourceSet& sources_;
    const std::string& spec_name_;
    const Overlay& overlay_;
};

Error describe(const Mismatch& mismatch, const Overlay& overlay, const SourceMap& map) {
    const auto key = overlay.key_spans.find(mismatch.key);
    Diagnostic diagnostic;
    diagnostic.message = mismatch.message;
    diagnostic.primary = key == overlay.key_spans.end() ? overlay.where : key->second;
    diagnostic.notes = mismatch.notes;
    diagnostic.help = mismatch.help;
    if (!overlay.description.empty()) {
        diagnostic.notes.push_back("description of the overlay: " + overlay.description);
    }
    Error result =
        error(ErrorKind::kFailed, "overlay {} does not apply", overlay_type_name(overlay.type));
    result.rendered = draw(diagnostic, map);
    return result;
}

Result<void> apply(SourceSet& sources,
                   const std::string& spec_name,
                   const Overlay& overlay,
                   const SourceMap& map) {
    auto outcome = Application(sources, spec_name, overlay).run();
    if (!outcome) {
        return fail(describe(outcome.error(), overlay, map));
    }
    return {};
}

// Files beside the spec, the spec under its component's name.
Result<std::vector<TreeEntry>> own_files(const Store& store,
                                         const Component& component,
                                         const std::string& spec_name,
                                         std::int64_t mtime) {
    const std::string directory = parent_path(component.spec_path);
    const std::string own_spec = file_name(component.spec_path);
    std::vector<TreeEntry> entries;
    for (const std::string& name : TARN_TRY(list_directory(directory))) {
        const std::string path = join_path(directory, name);
        struct stat status{};
        if (::lstat(path.c_str(), &status) != 0) {
            return fail(sys_error("look at", path));
        }
        const bool other_spec = name.ends_with(".spec") && name != own_spec;
        if (!S_ISREG(status.st_mode) || name.ends_with(".toml") || other_spec) {
            continue;
        }
        TreeEntry entry;
        entry.path = name == own_spec ? spec_name : name;
        entry.mode = (status.st_mode & S_IXUSR) != 0 ? 0755 : 0644;
        entry.mtime = mtime;
        entry.content = TARN_TRY(store.put_file(path));
        entries.push_back(std::move(entry));
    }
    return entries;
}

Result<void> add_extra(std::vector<TreeEntry>& entries,
                       const std::vector<std::pair<std::string, Digest>>& extra,
                       const std::string& component,
                       std::int64_t mtime) {
    for (const auto& [name, digest] : extra) {
        const auto same = std::find_if(entries.begin(), entries.end(), [&](const TreeEntry& each) {
            return each.path == name;
        });
        if (same != entries.end()) {
            if (same->content == digest) {
                continue;
            }
            return fail(error(ErrorKind::kFailed,
                              "component `{}` has two different files {}",
                              component,
                              name)
                            .note("one lies beside the spec, the other comes from source-files")
                            .advise("remove one of them"));
        }
        TreeEntry entry;
        entry.path = name;
        entry.mode = 0644;
        entry.mtime = mtime;
        entry.content = digest;
        entries.push_back(std::move(entry));
    }
    return {};
}

}  // namespace

Result<Tree> apply_overlay(const Store& store,
                           const Tree& sources,
                           const std::string& spec_name,
                           const Overlay& overlay,
                           const SourceMap& map) {
    SourceSet set(store, sources);
    TARN_TRY(apply(set, spec_name, overlay, map));
    return set.tree();
}

Result<Rendered> render_component(const Store& store,
                                  const Component& component,
                                  const std::vector<std::pair<std::string, Digest>>& extra,
                                  const SourceMap& map,
                                  std::int64_t mtime) {
    Rendered rendered;
    rendered.spec_name = component.name + ".spec";
    auto entries = TARN_TRY(own_files(store, component, rendered.spec_name, mtime));
    TARN_TRY(add_extra(entries, extra, component.name, mtime));
    SourceSet set(store, TARN_TRY(Tree::make(std::move(entries))));
    std::size_t number = 0;
    for (const Overlay& overlay : component.overlays) {
        ++number;
        auto applied = apply(set, rendered.spec_name, overlay, map);
        if (!applied) {
            return fail(std::move(applied.error())
                            .context(fmt::format("component `{}`, overlay {} of {}",
                                                 component.name,
                                                 number,
                                                 component.overlays.size())));
        }
    }
    Tree tree = TARN_TRY(set.tree());
    std::vector<TreeEntry> final_entries = tree.entries();
    for (TreeEntry& entry : final_entries) {
        entry.mtime = mtime;
    }
    rendered.sources = TARN_TRY(Tree::make(std::move(final_entries)));
    return rendered;
}

}  // namespace tarn
