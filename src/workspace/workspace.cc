// SPDX-License-Identifier: MIT
#include "workspace/workspace.hh"

#include <ctime>

#include "base/fs.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "workspace/detail/impl.hh"

namespace tarn {

Workspace::Workspace(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
    impl_->self = this;
}
Workspace::Workspace(Workspace&& other) noexcept : impl_(std::move(other.impl_)) {
    if (impl_) {
        impl_->self = this;
    }
}
Workspace::~Workspace() = default;

std::string machine_architecture() {
#if defined(__aarch64__)
    return "aarch64";
#else
    return "x86_64";
#endif
}

namespace {

// "aarch64" for "cross-aarch64" too.
std::string architecture_of(const std::string& target) {
    return target.starts_with(debian::kCrossPrefix) ? target.substr(debian::kCrossPrefix.size())
                                                    : target;
}

std::string lock_option(const std::string& target) {
    const std::string architecture = architecture_of(target);
    return architecture == machine_architecture() ? "" : " --arch " + architecture;
}

}  // namespace

Result<Workspace> Workspace::open(const WorkspaceOptions& options, Reporter& reporter) {
    return open(options, machine_architecture(), reporter);
}

Result<Workspace> Workspace::open(const WorkspaceOptions& options,
                                  const std::string& target,
                                  Reporter& reporter) {
    Store store = TARN_TRY(Store::open(options.store_directory.empty()
                                           ? Store::default_directory()
                                           : options.store_directory));
    auto impl = std::make_unique<Impl>(std::move(store));
    impl->options = options;
    impl->target = target;
    const std::string architecture = architecture_of(target);
    impl->jobs = options.jobs != 0 ? options.jobs : processor_count();
    Diagnostics diagnostics(impl->sources);
    LoadOptions load;
    load.start = options.directory;
    load.config_files = options.config_files;
    load.permissive = options.permissive;
    load.strict = options.strict;
    load.default_config = options.default_config;
    load.user_file = default_user_file();
    load.origins = options.origins;
    load.architecture = architecture;
    impl->project = TARN_TRY(load_project(load, impl->sources, diagnostics));
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        std::string text = draw(diagnostic, impl->sources);
        text.pop_back();
        reporter.warn(text);
    }
    if (architecture != "x86_64") {
        for (std::string* directory : {&impl->project.output_dir, &impl->project.log_dir}) {
            *directory = directory->empty() ? *directory : join_path(*directory, architecture);
        }
    }
    return Workspace(std::move(impl));
}

const Project& Workspace::project() const {
    return impl_->project;
}
const SourceMap& Workspace::sources() const {
    return impl_->sources;
}
const Store& Workspace::store() const {
    return impl_->store;
}
unsigned Workspace::jobs() const {
    return impl_->jobs;
}
const std::string& Workspace::architecture() const {
    return impl_->target;
}

Result<Workspace*> Workspace::at(const std::string& architecture) {
    if (architecture != impl_->target) {
        TARN_TRY(debian::check_target(impl_->project, architecture));
    }
    return at_target(architecture);
}

Result<Workspace*> Workspace::at_target(const std::string& target) {
    Impl& machine = impl_->foreign() ? *impl_->machine : *impl_;
    if (target == machine.target) {
        return machine.self;
    }
    std::unique_ptr<Workspace>& place = machine.others[target];
    if (!place) {
        NullReporter quiet;  // what the project warns of was said when the machine's was opened
        place = std::make_unique<Workspace>(TARN_TRY(open(machine.options, target, quiet)));
        place->impl_->machine = &machine;
    }
    return place.get();
}

std::string Workspace::cross_target() const {
    const std::string target = std::string(debian::kCrossPrefix) + impl_->target;
    for (const auto& [name, group] : impl_->project.import_groups) {
        if (debian::imports_group(group, target)) {
            return target;
        }
    }
    return {};
}

Result<std::vector<Workspace*>> Workspace::locked_together() {
    std::vector<Workspace*> out = {this};
    if (impl_->foreign() && !cross_target().empty()) {
        out.push_back(TARN_TRY(at_target(cross_target())));
    }
    return out;
}

const std::vector<StageTime>& Workspace::times() const {
    return impl_->times;
}

std::string Workspace::repository_directory() const {
    return join_path(impl_->project.output_dir, "repo");
}
std::string Workspace::image_directory(const std::string& image) const {
    return join_path(join_path(impl_->project.output_dir, "images"), image);
}
std::string Workspace::lock_path() const {
    return join_path(impl_->project.lock_dir,
                     impl_->target == "x86_64" ? "debian.lock"
                                               : fmt::format("debian.{}.lock", impl_->target));
}
std::string Workspace::key_directory() const {
    return impl_->project.key_dir;
}
std::string Workspace::key_name() const {
    return impl_->project.signing.key.empty() ? impl_->project.name : impl_->project.signing.key;
}

Result<const SigningKey*> Workspace::key() {
    if (!impl_->key) {
        auto loaded = SigningKey::load(key_directory(), key_name());
        if (!loaded) {
            Error problem = std::move(loaded.error());
            if (problem.kind == ErrorKind::kNotFound) {
                problem = error(ErrorKind::kNotFound,
                                "there is no signing key `{}` in {}",
                                key_name(),
                                relative_to(key_directory(), current_directory()));
                problem.help.emplace_back("`tarn key new` makes one");
            }
            return fail(std::move(problem));
        }
        impl_->key = std::move(*loaded);
    }
    return &*impl_->key;
}

Result<const Lock*> Workspace::make_lock(Reporter& reporter) {
    const StageTimer timer(impl_->times, "lock");
    debian::LockRequest request;
    request.project = &impl_->project;
    request.target = impl_->target;
    // Cross builds are the machine's.
    request.architecture = debian::debian_architecture(
        architecture_of(impl_->target) == impl_->target ? impl_->target : machine_architecture());
    request.mirror = TARN_TRY(debian::choose_mirror(impl_->options.mirror, "/etc/apt"));
    request.now = std::time(nullptr);
    request.fetch = impl_->fetch_options();
    request.jobs = impl_->jobs;
    Lock lock = TARN_TRY(debian::make_lock(impl_->store, request, reporter));
    TARN_TRY(make_directories(impl_->project.lock_dir));
    TARN_TRY(write_file_atomic(lock_path(), lock.serialize()));
    impl_->imported.reset();
    impl_->available.reset();
    impl_->lock = std::move(lock);
    return &*impl_->lock;
}

Result<const Lock*> Workspace::lock(Reporter& reporter) {
    if (impl_->lock) {
        return &*impl_->lock;
    }
    const bool again = impl_->options.relock == Relock::kWhenStale;
    const std::string shown = relative_to(lock_path(), current_directory());
    auto text = read_file(lock_path(), 64ULL << 20);
    if (!text) {
        if (text.error().kind != ErrorKind::kNotFound) {
            return fail(std::move(text.error()));
        }
        if (again) {
            reporter.info(fmt::format("there is no lock yet: resolving and writing {}", shown));
            return make_lock(reporter);
        }
        return fail(error(ErrorKind::kUsage, "nothing is locked yet: {} is missing", shown)
                        .advise(fmt::format("`tarn lock{}` resolves every package and writes it",
                                            lock_option(impl_->target))));
    }
    Lock lock = TARN_TRY(Lock::parse(*text, shown));
    if (lock.request != debian::lock_request_digest(impl_->project, impl_->target)) {
        if (again) {
            reporter.warn(fmt::format("{} does not answer the declaration any more: locking again",
                                      shown));
            return make_lock(reporter);
        }
        return fail(error(ErrorKind::kUsage,
                          "lock is stale: {} does not answer the declaration any more",
                          shown)
                        .advise(fmt::format("`tarn lock{}` locks again",
                                            lock_option(impl_->target))));
    }
    impl_->lock = std::move(lock);
    return &*impl_->lock;
}

Error unknown_name(const std::string& kind,
                   const std::string& name,
                   const std::vector<std::string>& known) {
    Error problem = error(ErrorKind::kUsage, "there is no {} `{}`", kind, name);
    std::string help = did_you_mean(name, known);
    if (help.empty() && !known.empty() && known.size() <= 12) {
        help = fmt::format("there are: {}", join(known, ", "));
    }
    if (!help.empty()) {
        problem.help.push_back(std::move(help));
    }
    return problem;
}

}  // namespace tarn
