// SPDX-License-Identifier: MIT
// source-files of a component as lines of its `sources`.
#include "base/hash.hh"
#include "base/strings.hh"
#include "render/detail/prepare.hh"
#include "render/sources_file.hh"

namespace tarn::overlay {
namespace {

// What Tarn's own origins give comes from no lookaside.
bool in_lookaside(const SourceFile& file) {
    return file.origin_type != "debian" && file.origin_type != "signing-key";
}

Result<SourcesEntry> entry_of(const SourceSet& sources,
                              const SourceFile& file,
                              const RenderRequest& request) {
    SourcesEntry entry;
    entry.name = file.filename;
    entry.hash_type = hash_type_of(file);
    entry.hash = file.hash;
    if (!entry.hash.empty()) {
        return entry;
    }
    if (!request.allow_no_hashes) {
        return fail(source_file_error(file,
                                      *request.map,
                                      fmt::format("source file {} has no `hash`", file.filename),
                                      "add hash and hash-type; for once, --allow-no-hashes takes "
                                      "what the file has"));
    }
    auto bytes = sources.read(file.filename);
    if (!bytes) {
        return fail(source_file_error(
            file,
            *request.map,
            fmt::format("source file {} has no `hash`, and is not there to take it of",
                        file.filename),
            "fetch the sources first, or add hash and hash-type"));
    }
    entry.hash = hash_of(file, *bytes);
    return entry;
}

Result<void> add(SourcesFile& list,
                 const SourceSet& sources,
                 const SourceFile& file,
                 const RenderRequest& request) {
    const SourcesEntry* there = list.find(file.filename);
    if (there != nullptr && !file.replace_upstream) {
        return fail(source_file_error(
            file,
            *request.map,
            fmt::format("`sources` has {} already, in line {}", file.filename, there->line),
            "set replace-upstream = true and replace-reason, or choose another filename"));
    }
    if (there == nullptr && file.replace_upstream) {
        std::vector<std::string> names;
        for (const SourcesEntry& entry : list.entries()) {
            names.push_back(entry.name);
        }
        const std::string near = did_you_mean(file.filename, names);
        return fail(source_file_error(
            file,
            *request.map,
            fmt::format("`sources` has no {} that could be replaced", file.filename),
            near.empty() ? "take replace-upstream away, or correct the filename" : near));
    }
    const SourcesEntry entry = TARN_TRY(entry_of(sources, file, request));
    if (there != nullptr) {
        list.replace(entry);
    } else {
        list.append(entry);
    }
    return {};
}

}  // namespace

Error source_file_error(const SourceFile& file,
                        const SourceMap& map,
                        std::string message,
                        std::string help) {
    Diagnostic diagnostic;
    diagnostic.message = std::move(message);
    diagnostic.primary = file.where;
    if (!help.empty()) {
        diagnostic.help.push_back(std::move(help));
    }
    Error result = error(ErrorKind::kFailed, "source file {} cannot be used", file.filename);
    result.rendered = draw(diagnostic, map);
    return result;
}

std::string hash_type_of(const SourceFile& file) {
    return file.hash_type.empty() ? "SHA512" : file.hash_type;
}

std::string hash_of(const SourceFile& file, std::string_view bytes) {
    return hash_hex(hash_type_of(file) == "SHA256" ? HashKind::kSha256 : HashKind::kSha512, bytes);
}

Result<void> update_sources_file(SourceSet& sources, const RenderRequest& request) {
    const std::string name = "sources";
    bool any = false;
    for (const SourceFile& file : request.component->source_files) {
        any = any || in_lookaside(file);
    }
    if (!any) {
        return {};
    }
    std::string text;
    if (sources.has(name)) {
        text = TARN_TRY(sources.read(name));
    }
    SourcesFile list = TARN_TRY(SourcesFile::parse(text, name));
    for (const SourceFile& file : request.component->source_files) {
        if (in_lookaside(file)) {
            TARN_TRY(add(list, sources, file, request));
        }
    }
    sources.write(name, list.print());
    return {};
}

}  // namespace tarn::overlay
