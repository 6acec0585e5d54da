// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "render/detail/prepare.hh"

#include <algorithm>

namespace tarn::overlay {
namespace {

bool in_git(std::string_view path) {
    return path.starts_with(".git/") || path.find("/.git/") != path.npos;
}

// One overlay over the members of an archive.
class MemberChange {
  public:
    MemberChange(Archive& archive,
                 const std::string& top,
                 const std::string& name,
                 const Overlay& overlay,
                 std::vector<RenderStep::Change>* changes)
        : archive_(archive), top_(top), name_(name), overlay_(overlay), changes_(changes) {}

    Outcome<void> run() {
        const std::vector<std::string> paths = matching();
        if (paths.empty()) {
            return no_member();
        }
        if (overlay_.type == OverlayType::kFileRemove) {
            for (const std::string& path : paths) {
                tell(path, archive_.members[path].bytes, {});
                archive_.members.erase(path);
            }
            return {};
        }
        const Replacer replacer(overlay_);
        bool changed = false;
        for (const std::string& path : paths) {
            std::string& bytes = archive_.members[path].bytes;
            auto result = replacer.replace(bytes);
            if (!result) {
                return Unmatched(std::move(result.error()));
            }
            if (*result != bytes) {
                changed = true;
                tell(path, bytes, *result);
                bytes = std::move(*result);
            }
        }
        if (!changed) {
            auto none = mismatch("regex",
                                 fmt::format("overlay matches nothing: {} in {} of {}",
                                             overlay_type_name(overlay_.type),
                                             some_names(paths),
                                             name_));
            none.value().help.push_back(
                "`regex` is matched against the whole file: ^ and $ need (?m)");
            return none;
        }
        return {};
    }

  private:
    // Patterns begin below the one directory most archives have.
    std::vector<std::string> candidates() const {
        std::vector<std::string> paths;
        for (const auto& [path, member] : archive_.members) {
            const std::string shown = path.substr(std::min(top_.size(), path.size()));
            if (member.kind == EntryKind::kFile && !shown.ends_with(".spec") && !in_git(shown)) {
                paths.push_back(shown);
            }
        }
        return paths;
    }

    std::vector<std::string> matching() const {
        std::vector<std::string> paths;
        for (const std::string& shown : candidates()) {
            if (file_matches(overlay_.file, shown)) {
                paths.push_back(top_ + shown);
            }
        }
        return paths;
    }

    Unmatched no_member() const {
        std::vector<std::string> names = candidates();
        names.resize(std::min<std::size_t>(names.size(), 2000));
        std::string remark = did_you_mean(overlay_.file, names);
        if (remark.empty()) {
            remark = fmt::format("{}{} has {}",
                                 name_,
                                 top_.empty() ? "" : fmt::format(", in {},", top_),
                                 names.empty() ? "no files" : some_names(names));
        }
        return mismatch("file",
                        fmt::format("overlay matches nothing: {} in {} of {}",
                                    overlay_type_name(overlay_.type),
                                    overlay_.file,
                                    name_),
                        std::move(remark));
    }

    void tell(const std::string& path, const std::string& before, const std::string& after) {
        if (changes_ != nullptr) {
            changes_->push_back({name_ + ":" + path, before, after});
        }
    }

    Archive& archive_;
    const std::string& top_;
    const std::string& name_;
    const Overlay& overlay_;
    std::vector<RenderStep::Change>* changes_;
};

const SourceFile* entry_for(const Component& component, const std::string& archive) {
    for (const SourceFile& file : component.source_files) {
        if (file.filename == archive) {
            return &file;
        }
    }
    return nullptr;
}

Outcome<void> fits_archive(const Overlay& overlay) {
    auto complete = check_complete(overlay);
    if (complete && overlay.type != OverlayType::kFileRemove &&
        overlay.type != OverlayType::kFileSearchReplace) {
        return Unmatched(Mismatch{"archive",
                                  fmt::format("overlay {} cannot work inside an archive",
                                              overlay_type_name(overlay.type)),
                                  {},
                                  {"file-remove and file-search-replace can"}});
    }
    return complete;
}

// What an archive overlay needs around it.
Outcome<void> check(const RenderRequest& request, const std::string& archive) {
    if (!is_archive_name(archive)) {
        return mismatch("archive",
                        fmt::format("{} is no archive overlays can work in", archive),
                        "the name must end in .tar .tar.gz .tgz .tar.xz .txz .tar.zst or .tzst");
    }
    if (archive.find('/') != archive.npos) {
        return mismatch("archive", fmt::format("{} is not a plain file name", archive));
    }
    const SourceFile* entry = entry_for(*request.component, archive);
    if (entry == nullptr || entry->origin_type != "overlay" || !entry->replace_upstream) {
        Mismatch result{"archive",
                        fmt::format("{} has no source-files entry for what comes out", archive)};
        result.help.push_back(fmt::format(
            "add source-files = [{{ filename = \"{}\", origin = {{ type = \"overlay\" }}, "
            "replace-upstream = true, replace-reason = \"...\", hash-type, hash }}]",
            archive));
        return Unmatched(std::move(result));
    }
    if (entry->hash.empty() && !request.allow_no_hashes) {
        return Unmatched(
            Mismatch{"archive",
                     fmt::format("the source-files entry of {} has no `hash`", archive),
                     {},
                     {"add hash-type and hash, that of the archive after its overlays"}});
    }
    for (const Overlay& overlay : request.component->overlays) {
        if (works_on_archive(overlay, archive)) {
            return mismatch("archive",
                            fmt::format("{} is changed as a file by another overlay ({} {})",
                                        archive,
                                        overlay_type_name(overlay.type),
                                        overlay.file),
                            "an archive is changed inside or as a whole, not both");
        }
    }
    return {};
}

Result<void> check_hash(const RenderRequest& request,
                        const std::string& archive,
                        std::string_view bytes) {
    const SourceFile& entry = *entry_for(*request.component, archive);
    if (entry.hash.empty()) {
        return {};
    }
    const std::string hash = hash_of(entry, bytes);
    if (hash == to_lower(entry.hash)) {
        return {};
    }
    return fail(
        source_file_error(entry,
                          *request.map,
                          fmt::format("{} with its overlays does not have the hash said", archive),
                          fmt::format("when the overlays are right, write: hash = \"{}\"", hash)));
}

}  // namespace

std::vector<std::string> archives_of(const Component& component) {
    std::vector<std::string> names;
    for (const Overlay& overlay : component.overlays) {
        if (!overlay.archive.empty() &&
            std::find(names.begin(), names.end(), overlay.archive) == names.end()) {
            names.push_back(overlay.archive);
        }
    }
    return names;
}

Result<void> apply_to_archive(const Stage& stage,
                              const RenderRequest& request,
                              const std::string& archive,
                              std::vector<RenderStep::Change>* changes) {
    std::vector<const Overlay*> overlays;
    for (const Overlay& overlay : request.component->overlays) {
        if (overlay.archive == archive) {
            overlays.push_back(&overlay);
        }
    }
    auto fine = check(request, archive);
    if (!fine) {
        return fail(describe(fine.error(), *overlays.front(), stage.map));
    }
    for (const Overlay* overlay : overlays) {
        auto fits = fits_archive(*overlay);
        if (!fits) {
            return fail(describe(fits.error(), *overlay, stage.map));
        }
    }
    if (!request.archives_present) {
        return {};
    }
    auto bytes = stage.sources.read(archive);
    if (!bytes) {
        std::string help = did_you_mean(archive, stage.sources.loose_files());
        const Mismatch missing{
            "archive",
            fmt::format("there is no {} among the sources", archive),
            {},
            {help.empty() ? "a line of `sources` or an entry of source-files must bring it"
                          : help}};
        return fail(describe(missing, *overlays.front(), stage.map));
    }
    auto content = read_archive(*bytes, archive);
    if (!content) {
        const Mismatch broken{
            "archive", content.error().message, content.error().notes, content.error().help};
        return fail(describe(broken, *overlays.front(), stage.map));
    }
    bytes->clear();
    const std::string top = content->top();
    for (const Overlay* overlay : overlays) {
        auto done = MemberChange(*content, top, archive, *overlay, changes).run();
        if (!done) {
            return fail(describe(done.error(), *overlay, stage.map));
        }
    }
    std::string packed = TARN_TRY(write_archive(*content));
    TARN_TRY(check_hash(request, archive, packed));
    stage.sources.write(archive, std::move(packed));
    return {};
}

}  // namespace tarn::overlay
