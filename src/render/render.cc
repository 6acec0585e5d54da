// SPDX-License-Identifier: MIT
#include "render/render.hh"

#include "base/fs.hh"

namespace tarn {
namespace {

// What lies beside the spec, without declarations and the specs of others.
Result<SourceSet> own_files(const Component& component) {
    SourceSet sources = TARN_TRY(SourceSet::of_directory(parent_path(component.spec_path)));
    const std::string own_spec = file_name(component.spec_path);
    for (const std::string& path : sources.paths()) {
        if (path.ends_with(".toml") || (path.ends_with(".spec") && path != own_spec)) {
            sources.remove(path);
        }
    }
    return sources;
}

Result<void> add_extra(SourceSet& sources,
                       const Store& store,
                       const std::vector<std::pair<std::string, Digest>>& extra,
                       const std::string& component) {
    for (const auto& [name, digest] : extra) {
        if (!sources.has(name)) {
            sources.add_blob(store, name, digest, 0);
            continue;
        }
        auto there = sources.read(name);
        if (!there || Digest::of(*there) != digest) {
            return fail(error(ErrorKind::kFailed,
                              "component `{}` has two different files {}",
                              component,
                              name)
                            .note("one lies beside the spec, the other comes from source-files")
                            .advise("remove one of them"));
        }
    }
    return {};
}

}  // namespace

Result<Rendered> render_component(const Store& store,
                                  const RenderRequest& request,
                                  const std::vector<std::pair<std::string, Digest>>& extra,
                                  std::int64_t mtime) {
    const Component& component = *request.component;
    SourceSet sources = TARN_TRY(own_files(component));
    TARN_TRY(add_extra(sources, store, extra, component.name));
    RenderRequest own = request;
    own.pristine_spec_name = file_name(component.spec_path);
    Rendered rendered;
    Prepared prepared = TARN_TRY(prepare_sources(sources, own));
    rendered.spec_name = prepared.spec_name;
    rendered.sources = TARN_TRY(sources.tree(store, mtime));
    return rendered;
}

}  // namespace tarn
