// SPDX-License-Identifier: MIT
#include "render/detail/prepare.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>

namespace tarn {
namespace {

using overlay::Stage;

bool same(const SourceSet::Item& a, const SourceSet::Item& b) {
    return a.bytes == b.bytes && a.disk == b.disk && a.entry == b.entry;
}

// What is different between two states of the sources.
std::vector<RenderStep::Change> difference(const SourceSet& before, const SourceSet& after) {
    std::vector<RenderStep::Change> changes;
    for (const auto& [path, item] : before.items()) {
        const auto now = after.items().find(path);
        if (now == after.items().end() || !same(item, now->second)) {
            changes.push_back(
                {path, before.read(path).value_or(""), after.read(path).value_or("")});
        }
    }
    for (const auto& [path, item] : after.items()) {
        if (!before.has(path)) {
            changes.push_back({path, {}, after.read(path).value_or("")});
        }
    }
    return changes;
}

class Preparation {
  public:
    Preparation(SourceSet& sources, const RenderRequest& request)
        : sources_(sources),
          request_(request),
          component_(*request.component),
          wording_(*request.wording) {}

    Result<Prepared> run() {
        prepared_.spec_name = component_.name + ".spec";
        TARN_TRY(rename_spec());
        if (request_.skip_overlays) {
            return std::move(prepared_);
        }
        TARN_TRY(archives());
        TARN_TRY(macro_file());
        TARN_TRY(user_overlays());
        TARN_TRY(skip_check());
        TARN_TRY(header());
        TARN_TRY(source_files());
        return std::move(prepared_);
    }

  private:
    Stage stage() {
        return {sources_,
                prepared_.spec_name,
                *request_.map,
                component_.precise_overlays,
                request_.strict ? &prepared_.warnings : nullptr};
    }

    // Synthesised changes are looked at by lines, and warn of nothing.
    Result<void> synthesised(const Overlay& overlay) {
        return overlay::apply(Stage{sources_, prepared_.spec_name, *request_.map}, overlay);
    }

    template <class Work>
    Result<void> step(std::string what, const Overlay* overlay, Work work) {
        if (!request_.keep_steps) {
            return work();
        }
        const SourceSet before = sources_;
        TARN_TRY(work());
        auto changes = difference(before, sources_);
        if (overlay != nullptr || !changes.empty()) {
            prepared_.steps.push_back({std::move(what), overlay, std::move(changes)});
        }
        return {};
    }

    Error about(Error error, std::string_view what) const {
        return std::move(error).context(fmt::format("component `{}`, {}", component_.name, what));
    }

    Result<void> rename_spec() {
        const std::string& pristine =
            request_.pristine_spec_name.empty() ? prepared_.spec_name : request_.pristine_spec_name;
        const auto found = sources_.items().find(pristine);
        if (found == sources_.items().end() || found->second.entry.kind != EntryKind::kFile) {
            std::vector<std::string> specs = sources_.paths();
            std::erase_if(specs, [](const std::string& path) { return !path.ends_with(".spec"); });
            return fail(error(ErrorKind::kNotFound,
                              "component `{}`: there is no spec {} among its sources",
                              component_.name,
                              pristine)
                            .note(specs.empty() ? "they have no spec at all"
                                                : "they have " + overlay::some_names(specs))
                            .advise(component_.is_upstream()
                                        ? "set spec.upstream-name to the name the package has upstream"
                                        : "`spec.path` names a file: write it, or name another"));
        }
        if (pristine != prepared_.spec_name && sources_.has(prepared_.spec_name)) {
            prepared_.warnings.push_back(fmt::format("component `{}`: {} takes the place of {}",
                                                     component_.name,
                                                     pristine,
                                                     prepared_.spec_name));
        }
        sources_.rename(pristine, prepared_.spec_name);
        return {};
    }

    Result<void> archives() {
        for (const std::string& archive : overlay::archives_of(component_)) {
            std::vector<RenderStep::Change> changes;
            const auto done = overlay::apply_to_archive(
                stage(), request_, archive, request_.keep_steps ? &changes : nullptr);
            if (!done) {
                return fail(about(done.error(), "overlays of " + archive));
            }
            if (!request_.archives_present) {
                prepared_.warnings.push_back(
                    fmt::format("component `{}`: the overlays of {} are left out, it was not "
                                "fetched; `sources` has the hash of source-files",
                                component_.name,
                                archive));
            } else if (request_.keep_steps) {
                prepared_.steps.push_back({"overlays of " + archive, nullptr, std::move(changes)});
            }
        }
        return {};
    }

    Result<void> macro_file() {
        std::string text = macros_file_text(component_, wording_, request_.provenance);
        if (text.empty()) {
            return {};
        }
        for (const char c : component_.name) {
            const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') ||
                              std::string_view(".-_+").find(c) != std::string_view::npos;
            if (!fine) {
                return fail(error(ErrorKind::kUsage,
                                  "component `{}` cannot have a macro file: its name has `{}`",
                                  component_.name,
                                  c)
                                .advise("with `build` settings a name has letters, digits, "
                                        "`.`, `-`, `_` and `+` only"));
            }
        }
        const std::string file = component_.name + "." + wording_.macros_suffix;
        TARN_TRY(step("macro file", nullptr, [&]() -> Result<void> {
            if (sources_.has(file)) {
                prepared_.warnings.push_back(fmt::format(
                    "component `{}`: {} of its sources is replaced", component_.name, file));
            }
            sources_.add(file, std::move(text), 0);
            return {};
        }));
        return step("load line of the macro file", nullptr, [&] { return load(file); });
    }

    Result<void> load(const std::string& file) {
        Overlay top;
        top.type = OverlayType::kSpecPrependLines;
        top.lines = worded(wording_.load_comment);
        top.lines.push_back("%{load:%{_sourcedir}/" + file + "}");
        top.lines.emplace_back();
        Overlay source;
        source.type = OverlayType::kSpecInsertTag;
        source.tag = "Source9999";
        source.value = file;
        for (const Overlay& each : {top, source}) {
            auto done = synthesised(each);
            if (!done) {
                return fail(about(std::move(done.error()), "loading " + file));
            }
        }
        return {};
    }

    Result<void> user_overlays() {
        const std::vector<Overlay>& overlays = component_.overlays;
        for (std::size_t i = 0; i < overlays.size(); ++i) {
            if (!overlays[i].archive.empty()) {
                continue;
            }
            const std::string what =
                fmt::format("overlay {}: {}", i + 1, overlay_type_name(overlays[i].type));
            auto done =
                step(what, &overlays[i], [&] { return overlay::apply(stage(), overlays[i]); });
            if (!done) {
                return fail(about(std::move(done.error()),
                                  fmt::format("overlay {} of {}", i + 1, overlays.size())));
            }
        }
        return {};
    }

    Result<void> skip_check() {
        if (!component_.build.check_skip) {
            return {};
        }
        Overlay skip;
        skip.type = OverlayType::kSpecPrependLines;
        skip.section = "%check";
        if (!wording_.check_skip.empty()) {
            // A reason of several lines stays a comment.
            const std::string reason =
                replace_all(component_.build.check_skip_reason, "\n", "\n# ");
            skip.lines = worded({wording_.check_skip});
            skip.lines.front() = replace_all(skip.lines.front(), "{reason}", reason);
        }
        skip.lines.emplace_back("exit 0");
        skip.lines.emplace_back();
        return step("skipped %check", nullptr, [&]() -> Result<void> {
            auto done = synthesised(skip);
            if (done) {
                return {};
            }
            if (!contains(done.error().rendered, "there is no section")) {
                return fail(about(std::move(done.error()), "skipping its %check"));
            }
            return fail(error(ErrorKind::kFailed,
                              "component `{}`: check.skip is set, but {} has no %check",
                              component_.name,
                              prepared_.spec_name)
                            .advise("take the component out of the group or default that sets "
                                    "check.skip"));
        });
    }

    Result<void> header() {
        if (wording_.spec_header.empty()) {
            return {};
        }
        Overlay top;
        top.type = OverlayType::kSpecPrependLines;
        top.lines = worded(wording_.spec_header);
        top.lines.emplace_back();
        return step("header", nullptr, [&]() -> Result<void> {
            auto done = synthesised(top);
            if (!done) {
                return fail(about(std::move(done.error()), "its header"));
            }
            return {};
        });
    }

    Result<void> source_files() {
        return step("source-files", nullptr, [&]() -> Result<void> {
            auto done = overlay::update_sources_file(sources_, request_);
            if (!done) {
                return fail(about(std::move(done.error()), "source-files"));
            }
            return {};
        });
    }

    std::vector<std::string> worded(std::vector<std::string> lines) const {
        for (std::string& line : lines) {
            line = replace_all(std::move(line), "{component}", component_.name);
        }
        return lines;
    }

    SourceSet& sources_;
    const RenderRequest& request_;
    const Component& component_;
    const RenderWording& wording_;
    Prepared prepared_{};
};

}  // namespace

Result<Prepared> prepare_sources(SourceSet& sources, const RenderRequest& request) {
    TARN_CHECK(request.component != nullptr && request.wording != nullptr &&
               request.map != nullptr);
    return Preparation(sources, request).run();
}

}  // namespace tarn
