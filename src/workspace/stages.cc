// SPDX-License-Identifier: MIT
// Import, build, sign, publish.
#include <algorithm>
#include <atomic>
#include <set>

#include "base/fs.hh"
#include "base/parallel.hh"
#include "exec/sandbox.hh"
#include "project/component_lock.hh"
#include "render/sources_file.hh"
#include "workspace/detail/impl.hh"
#include "workspace/sources.hh"

namespace tarn {

namespace {

// "components/jq", or "fedora 43 jq at 2c429f088af7".
std::string place_of_spec(const Project& project, const Component& component,
                          const std::string& commit) {
    if (!component.is_upstream()) {
        return relative_to(parent_path(component.spec_path), project.root);
    }
    const DistroVersion* version = project.version(component.upstream);
    return fmt::format("{}{} {}{}",
                       component.upstream.name,
                       version == nullptr ? "" : " " + version->name,
                       component.package(),
                       commit.empty() ? "" : " at " + commit.substr(0, 12));
}

// What came from the lookaside and is not declared by the component itself.
void add_sources_file(const Store& store, const Component& component, const Tree& tree,
                      std::vector<std::string>& out) {
    const TreeEntry* const file = component.is_upstream() ? tree.find("sources") : nullptr;
    const auto text = file != nullptr ? store.read(file->content) : Result<std::string>("");
    const auto parsed = SourcesFile::parse(text.value_or(""), "sources");
    for (const SourcesEntry& entry :
         parsed ? parsed->entries() : std::vector<SourcesEntry>()) {
        const TreeEntry* const source = tree.find(entry.name);
        const bool declared =
            std::any_of(component.source_files.begin(), component.source_files.end(),
                        [&](const SourceFile& s) { return s.filename == entry.name; });
        if (source != nullptr && !declared) {
            out.push_back(fmt::format("{} sha256:{}", entry.name, source->content.hex()));
        }
    }
}

Origin import_origin(const ImportedPackage& package) {
    Origin origin;
    origin.kind = "import";
    origin.text = fmt::format(
        "import {} {} ({})", package.source.package, package.source.version, package.source.suite);
    origin.facts = {{"suite", package.source.suite},
                    {"package", package.source.package},
                    {"version", package.source.version},
                    {"file", package.source.path},
                    {"sha256", package.source.digest.hex()}};
    return origin;
}

Origin build_origin(const Store& store, const Project& project, const Component& component,
                    const BuiltComponent& built, const Rendered& rendered) {
    Origin origin;
    origin.kind = "build";
    const auto lock = component.is_upstream() ? read_component_lock(project, component.name)
                                              : Result<ComponentLock>(ComponentLock{});
    const std::string commit = lock ? lock->upstream_commit : std::string();
    const std::string where = place_of_spec(project, component, commit);
    origin.text = component.overlays.empty()
                      ? fmt::format("built  {}", where)
                      : fmt::format("built  {} ({} overlay{})",
                                    where,
                                    component.overlays.size(),
                                    component.overlays.size() == 1 ? "" : "s");
    std::vector<std::string> overlays;
    for (const Overlay& overlay : component.overlays) {
        overlays.push_back(overlay.description.empty()
                               ? std::string(overlay_type_name(overlay.type))
                               : fmt::format("{}: {}",
                                             overlay_type_name(overlay.type),
                                             overlay.description));
    }
    std::vector<std::string> sources;
    for (const SourceFile& source : component.source_files) {
        const TreeEntry* const file = rendered.sources.find(source.filename);
        sources.push_back(fmt::format(
            "{} sha256:{}", source.filename, file != nullptr ? file->content.hex() : "unknown"));
    }
    add_sources_file(store, component, rendered.sources, sources);
    origin.facts = {{"component", component.name},
                    {"spec", component.is_upstream()
                                 ? where
                                 : relative_to(component.spec_path, project.root)},
                    {"spec_digest", built.spec_digest},
                    {"source_rpm_sha256", built.source_rpm.hex()},
                    {"sources", fmt::format("{}", fmt::join(sources, "; "))},
                    {"overlays", fmt::format("{}", fmt::join(overlays, "; "))}};
    if (!commit.empty()) {
        origin.facts["upstream_commit"] = commit;
    }
    return origin;
}

bool is_debug_package(const std::string& name) {
    return name.ends_with("-debuginfo") || name.ends_with("-debugsource");
}

}  // namespace

Result<const std::vector<ImportedPackage>*> Workspace::import_all(Reporter& reporter) {
    if (impl_->imported) {
        return &*impl_->imported;
    }
    const Lock* lock = TARN_TRY(this->lock(reporter));
    const auto present = [&] {
        const auto has = [&](const LockedFile& file) { return impl_->store.has(file.digest); };
        return std::all_of(lock->packages.begin(), lock->packages.end(), has) &&
               std::all_of(lock->sources.begin(), lock->sources.end(), has);
    };
    if (!present()) {
        const StageTimer timer(impl_->times, "download");
        const std::string mirror =
            TARN_TRY(debian::choose_mirror(impl_->options.mirror, "/etc/apt"));
        auto fetched = debian::fetch_locked(
            impl_->store, *lock, mirror, impl_->fetch_options(), reporter);
        if (!fetched && fetched.error().kind == ErrorKind::kNotFound &&
            impl_->options.relock == Relock::kWhenStale) {
            reporter.warn(fetched.error().message + ": locking again");
            lock = TARN_TRY(make_lock(reporter));
            fetched = debian::fetch_locked(
                impl_->store, *lock, mirror, impl_->fetch_options(), reporter);
        }
        TARN_TRY(std::move(fetched));
    }
    const StageTimer timer(impl_->times, "import");
    impl_->imported = TARN_TRY(import_packages(impl_->store,
                                               impl_->project,
                                               *lock,
                                               impl_->sources,
                                               impl_->jobs,
                                               impl_->options.stop,
                                               reporter));
    return &*impl_->imported;
}

Result<Rendered> Workspace::render(const Component& component, Reporter& reporter) {
    if (impl_->foreign()) {  // source files are in the machine's lock
        return impl_->machine->self->render(component, reporter);
    }
    SourcesOptions options;
    auto sources = TARN_TRY(component_sources(*this, component, options, reporter));
    for (const std::string& warning : sources.warnings) {
        reporter.warn(fmt::format("{}: {}", component.name, warning));
    }
    Rendered rendered;
    rendered.spec_name = sources.spec_name;
    rendered.sources =
        TARN_TRY(sources.files.tree(impl_->store, impl_->project.source_date_epoch));
    return rendered;
}

namespace {

Result<std::vector<AvailablePackage>> load_headers(const Store& store,
                                                   const std::vector<ImportedPackage>& imported,
                                                   unsigned jobs, std::stop_token stop) {
    std::vector<AvailablePackage> available(imported.size());
    const auto read = [&](std::size_t i) -> Result<void> {
        available[i].rpm = imported[i].rpm;
        available[i].info = TARN_TRY(rpm::read_package(store, imported[i].rpm));
        return {};
    };
    TARN_TRY(parallel_for(imported.size(), jobs, stop, read));
    return available;
}

}  // namespace

Result<const std::vector<AvailablePackage>*> Workspace::available_packages(Reporter& reporter) {
    const auto* imported = TARN_TRY(import_all(reporter));
    if (!impl_->available) {
        impl_->available =
            TARN_TRY(load_headers(impl_->store, *imported, impl_->jobs, impl_->options.stop));
    }
    return &*impl_->available;
}

Result<BuildOutcome> Workspace::build(const std::vector<std::string>& names,
                                      bool force,
                                      Reporter& reporter) {
    std::vector<std::string> known;
    for (const auto& [name, component] : impl_->project.components) {
        known.push_back(name);
    }
    for (const std::string& name : names) {
        if (!impl_->project.components.contains(name)) {
            return fail(unknown_name("component", name, known));
        }
    }
    std::vector<const Component*> components;
    Workspace* buildroots = this;
    BuildRequest request;
    if (impl_->foreign()) {
        components = TARN_TRY(cross_components(names));
        if (components.empty()) {
            return BuildOutcome{};
        }
        buildroots = TARN_TRY(at_target(cross_target()));
        request.architecture = impl_->target;
    } else {
        for (const auto& [name, component] : impl_->project.components) {
            components.push_back(&component);
        }
    }
    const auto* available = TARN_TRY(buildroots->available_packages(reporter));
    const StageTimer timer(impl_->times, "build");
    request.project = &impl_->project;
    request.available = *available;
    request.jobs = impl_->jobs;
    request.force = force;
    request.wanted = names;
    request.stop = impl_->options.stop;
    request.log_dir = impl_->project.log_dir;
    for (const Component* const component : components) {
        request.components.emplace_back(component, TARN_TRY(render(*component, reporter)));
    }
    LocalExecutor executor(impl_->store);
    return build_components(impl_->store, executor, request, reporter);
}

// Those that can be built for this architecture on the machine's; all of `names` must be.
Result<std::vector<const Component*>> Workspace::cross_components(
    const std::vector<std::string>& names) {
    std::vector<const Component*> out;
    for (const auto& [name, component] : impl_->project.components) {
        const std::vector<std::string>& known = component.build.cross_architectures;
        if (std::find(known.begin(), known.end(), impl_->target) != known.end()) {
            out.push_back(&component);
        } else if (std::find(names.begin(), names.end(), name) != names.end()) {
            return fail(error(ErrorKind::kUsage,
                              "{} is not cross built for {}",
                              name,
                              impl_->target)
                            .advise(fmt::format("cross-architectures = [\"{}\"] of its build says "
                                                "that its spec can be",
                                                impl_->target)));
        }
    }
    if (!out.empty() && cross_target().empty()) {
        return fail(error(ErrorKind::kUsage,
                          "{} is to be cross built for {}, and nothing is imported to do it with",
                          out.front()->name,
                          impl_->target)
                        .advise(fmt::format("an import group with architectures = [\"{}{}\"]",
                                            debian::kCrossPrefix,
                                            impl_->target)));
    }
    return out;
}

Result<std::vector<DistroPackage>> Workspace::packages(Reporter& reporter) {
    const auto* imported = TARN_TRY(import_all(reporter));
    const BuildOutcome outcome = TARN_TRY(build({}, false, reporter));
    if (!outcome.failures.empty()) {
        Error problem = outcome.failures.front().error;
        for (std::size_t i = 1; i < outcome.failures.size(); ++i) {
            problem.notes.push_back("also: " + outcome.failures[i].error.message);
        }
        return fail(std::move(problem));
    }
    std::vector<DistroPackage> result;
    std::set<std::string> built_names;
    for (const BuiltComponent& built : outcome.built) {
        const Component& component = impl_->project.components.at(built.name);
        const Rendered rendered = TARN_TRY(render(component, reporter));
        for (std::size_t i = 0; i < built.rpms.size(); ++i) {
            DistroPackage package;
            package.nevra = built.nevras[i];
            package.unsigned_rpm = built.rpms[i];
            package.origin = build_origin(impl_->store, impl_->project, component, built, rendered);
            package.component = built.name;
            package.debug = is_debug_package(package.nevra.name);
            built_names.insert(package.nevra.name);
            result.push_back(std::move(package));
        }
    }
    if (impl_->foreign()) {
        // What runs everywhere is built once, by the machine's workspace.
        auto machine = TARN_TRY(impl_->machine->self->packages(reporter));
        for (DistroPackage& package : machine) {
            if (!package.component.empty() && package.nevra.arch == "noarch" && !package.debug &&
                built_names.insert(package.nevra.name).second) {
                result.push_back(std::move(package));
            }
        }
    }
    for (const ImportedPackage& package : *imported) {
        // What is built from source replaces its imported twin.
        if (!built_names.contains(package.nevra.name)) {
            result.push_back({package.nevra, package.rpm, import_origin(package), {}, false});
        }
    }
    std::sort(result.begin(), result.end(), [](const DistroPackage& a, const DistroPackage& b) {
        return a.nevra.to_string() < b.nevra.to_string();
    });
    return result;
}

Result<Published> Workspace::publish(Reporter& reporter) {
    const std::vector<DistroPackage> all = TARN_TRY(packages(reporter));
    const SigningKey* signing = TARN_TRY(key());
    std::vector<Digest> signed_rpms(all.size());
    {
        const StageTimer timer(impl_->times, "sign");
        reporter.begin("signing", all.size(), "packages");
        std::atomic<std::uint64_t> done{0};
        // A signature is made at a time that depends on nothing but key and project.
        const std::int64_t when =
            std::max(impl_->project.source_date_epoch, signing->info().created);
        const auto sign = [&](std::size_t i) -> Result<void> {
            signed_rpms[i] =
                TARN_TRY(rpm::sign_package(impl_->store, all[i].unsigned_rpm, *signing, when));
            reporter.advance(done.fetch_add(1) + 1, all[i].nevra.name);
            return {};
        };
        TARN_TRY(parallel_for(all.size(), impl_->jobs, impl_->options.stop, sign));
        reporter.end();
    }
    const StageTimer timer(impl_->times, "publish");
    PublishRequest request;
    request.directory = repository_directory();
    request.rpms = std::move(signed_rpms);
    request.key = signing;
    request.key_name = key_name();
    request.revision = std::max(impl_->project.source_date_epoch, signing->info().created);
    request.jobs = impl_->jobs;
    request.stop = impl_->options.stop;
    return tarn::publish(impl_->store, request, reporter);
}

Result<int> Workspace::component_shell(const std::string& name) {
    std::vector<std::string> known;
    for (const auto& [component, unused] : impl_->project.components) {
        known.push_back(component);
    }
    if (!impl_->project.components.contains(name)) {
        return fail(unknown_name("component", name, known));
    }
    if (const auto action = last_failed_build(impl_->store, name)) {
        Sandbox sandbox = TARN_TRY(failed_sandbox(impl_->store, *action));
        sandbox.argv = {"/usr/bin/bash", "-i"};
        Command base;
        base.inherit_terminal = true;
        const ProcessResult result = TARN_TRY(run_in_sandbox(sandbox, base));
        return result.exit_code;
    }
    return fail(error(ErrorKind::kFailed, "the last build of {} did not fail", name)
                    .advise(fmt::format("only a failed build keeps its sandbox: `tarn component build {}`", name)));
}

}  // namespace tarn
