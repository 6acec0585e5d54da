// SPDX-License-Identifier: MIT
#include "workspace/render_specs.hh"

#include "base/fs.hh"
#include "base/parallel.hh"
#include "project/component_lock.hh"
#include "render/rendered_tree.hh"
#include "workspace/detail/impl.hh"
#include "workspace/detail/render_index.hh"
#include "workspace/sources.hh"

#include <algorithm>
#include <atomic>
#include <ctime>

namespace tarn {

namespace {

// A file changed while this runs, or just before, may change again within one tick of its clock.
constexpr std::int64_t kRacyNanoseconds = 50'000'000;

std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// One `component render`.
class Run {
  public:
    Run(Workspace& workspace, const RenderSpecsRequest& request, Reporter& reporter)
        : workspace_(workspace),
          request_(request),
          reporter_(reporter),
          directory_(request.output_directory.empty() ? workspace.project().rendered_specs_dir
                                                      : request.output_directory),
          start_(now_ns()) {}

    Result<RenderSpecsOutcome> run();

  private:
    struct Slot {
        RenderRow row;
        std::vector<std::string> warnings;
        RenderIndexEntry entry;
        bool keep_entry = false;
        bool from_index = false;
    };

    Result<void> prepare_macros();
    Result<void> prepare_history();
    Result<void> check_clean_stale() const;
    Result<void> render_all();
    Result<void> one(std::size_t i);
    Result<RenderedDirectory> make(const Component& component, Slot& slot);
    void failed(const Component& component, Slot& slot, Error problem);
    std::string history_of(const std::string& component) const;
    std::string index_path() const {
        return join_path(workspace_.project().work_dir, "render-index");
    }
    std::string place(const std::string& component) const {
        return join_path(directory_, rendered_path(component));
    }
    std::string output_of(const std::string& component, std::int64_t& newest_ns) const;
    bool known_as_it_is(const std::string& component, const Slot& slot) const;
    Result<void> remember();

    Workspace& workspace_;
    const RenderSpecsRequest& request_;
    Reporter& reporter_;
    std::string directory_;
    std::int64_t start_;
    RenderIndex index_;
    std::string head_;
    MacroTable macros_;  // that are known while files are filtered
    std::string macros_key_;
    const LockHistory* locks_ = nullptr;  // read when the repository is at another commit
    std::vector<Slot> slots_;
    std::atomic<std::uint64_t> done_{0};
};

Result<void> Run::prepare_macros() {
    const Project& project = workspace_.project();
    const std::string files = TARN_TRY(project_macros(project));
    macros_ = distribution_macros(project);
    macros_.define_file(files);
    KeyBuilder key("rendered-macros", 1);
    key.field("files", files);
    key.field("default", project.default_distro.name);
    for (const auto& [name, distro] : project.distros) {
        key.field("distro", name);
    }
    macros_key_ = key.key().hex();
    return {};
}

Result<void> Run::prepare_history() {
    index_ = RenderIndex::read(index_path());
    auto repository = git::Repository::discover(workspace_.project().root);
    if (repository) {
        if (const auto head = repository->resolve("HEAD")) {
            head_ = *head;
        }
    }
    if (request_.release && head_ != index_.head) {
        locks_ = TARN_TRY(workspace_.impl().locks_so_far());
    }
    return {};
}

// All directories below that are no component's are removed: that must not be the project itself.
Result<void> Run::check_clean_stale() const {
    const std::string& root = workspace_.project().root;
    if (request_.clean_stale && (directory_ == root || relative_to(root, directory_) != root)) {
        return fail(error(ErrorKind::kUsage,
                          "stale directories cannot be removed from {}: the project lies in it",
                          directory_)
                        .advise("give the rendered specs a directory of their own with "
                                "`rendered-specs-dir`"));
    }
    return {};
}

std::string Run::history_of(const std::string& component) const {
    if (locks_ == nullptr) {
        const auto known = index_.entries.find(component);
        return known == index_.entries.end() ? std::string("-") : known->second.history;
    }
    return locks_->key(component);
}

Result<RenderedDirectory> Run::make(const Component& component, Slot& slot) {
    SourcesOptions options;
    options.download = false;
    options.release = request_.release;
    options.validate_locks = request_.validate_locks;
    NullReporter quiet;
    ComponentSources sources = TARN_TRY(component_sources(workspace_, component, options, quiet));
    slot.warnings = std::move(sources.warnings);
    filter_rendered(sources.files, sources.spec_name, component.skip_file_filter, macros_);
    if (!request_.overwrite) {
        const RenderedDirectory now =
            TARN_TRY(write_rendered(directory_, component.name, sources.files, true));
        if (now.state == RenderedState::kChanged) {
            return fail(error(ErrorKind::kFailed, "{} is there and differs", now.path)
                            .advise("--force overwrites it"));
        }
    }
    return write_rendered(directory_, component.name, sources.files, request_.check_only);
}

bool is_of_machine(ErrorKind kind) {
    return kind == ErrorKind::kNoSpace || kind == ErrorKind::kNetwork ||
           kind == ErrorKind::kInterrupted || kind == ErrorKind::kSystem;
}

void Run::failed(const Component& component, Slot& slot, Error problem) {
    slot.row.status = problem.kind == ErrorKind::kInterrupted ? "cancelled" : "error";
    slot.row.error = std::move(problem);
    // What was rendered before stays when it is the machine that failed, not the component.
    if (is_of_machine(slot.row.error.kind) ||
        (!request_.overwrite && path_exists(place(component.name)))) {
        return;
    }
    const std::string log =
        join_path(join_path(workspace_.project().log_dir, "render"), component.name + ".log");
    const Error& why = slot.row.error;
    std::string text = why.rendered + why.message + "\n";
    for (const std::string& note : why.notes) {
        text += "  " + note + "\n";
    }
    for (const std::string& help : why.help) {
        text += "  " + help + "\n";
    }
    if (!request_.check_only && make_directories(parent_path(log))) {
        (void)write_file_atomic(log, text);  // the error itself is told anyway
    }
    const auto left = write_render_failed(
        directory_,
        component.name,
        "Rendering failed; `tarn component render " + component.name + "` says why\n",
        request_.check_only);
    if (!left) {
        slot.row.error.notes.push_back(left.error().message);
    } else {
        slot.row.changed = left->state != RenderedState::kUnchanged;
    }
}

// What is there now, the link for a name that URLs escape included; empty when it is not whole.
std::string Run::output_of(const std::string& component, std::int64_t& newest_ns) const {
    const std::string directory = place(component);
    const std::string alias = rendered_alias(component);
    if (!alias.empty()) {
        const auto target = read_symlink(join_path(parent_path(directory), alias));
        if (!target || *target != component) {
            return {};
        }
    }
    return directory_signature(directory, newest_ns);
}

bool Run::known_as_it_is(const std::string& component, const Slot& slot) const {
    const auto known = index_.entries.find(component);
    if (known == index_.entries.end() || known->second.input != slot.entry.input) {
        return false;
    }
    std::int64_t newest = 0;
    return known->second.output == output_of(component, newest) &&
           newest < index_.written_ns - kRacyNanoseconds;
}

// Without a lock, another commit may be chosen tomorrow.
bool is_decided(const Project& project, const Component& component) {
    return component.spec_type == SpecType::kLocal ||
           path_exists(component_lock_path(project, component.name));
}

Result<void> Run::one(std::size_t i) {
    const Component& component = *request_.components[i];
    Slot& slot = slots_[i];
    slot.row.component = component.name;
    slot.row.output_directory = place(component.name);
    slot.row.status = "ok";
    std::int64_t newest = 0;
    slot.entry.history = history_of(component.name);
    KeyBuilder key("rendered", 1);
    key.field("component", component_signature(workspace_.project(), component, newest));
    key.field("history", slot.entry.history);
    key.field("release", request_.release ? "1" : "0");
    key.field("directory", directory_);
    key.field("macros", macros_key_);
    key.field("strict", workspace_.impl().options.strict ? "1" : "0");
    slot.entry.input = key.key().hex();
    const bool decided = is_decided(workspace_.project(), component);
    if (decided && known_as_it_is(component.name, slot)) {
        const RenderIndexEntry& known = index_.entries.find(component.name)->second;
        slot.entry = known;
        slot.warnings = known.warnings;
        slot.keep_entry = true;
        slot.from_index = true;
        return {};
    }
    auto made = make(component, slot);
    if (!made) {
        failed(component, slot, std::move(made.error()));
        return {};
    }
    slot.row.changed = made->state != RenderedState::kUnchanged;
    if (decided && (!request_.check_only || !slot.row.changed) &&
        newest < start_ - kRacyNanoseconds) {
        std::int64_t written = 0;
        slot.entry.output = output_of(component.name, written);
        slot.entry.warnings = slot.warnings;
        slot.keep_entry = !slot.entry.output.empty();
    }
    return {};
}

Result<void> Run::render_all() {
    slots_.resize(request_.components.size());
    reporter_.begin("rendering", slots_.size(), "components");
    const auto body = [&](std::size_t i) -> Result<void> {
        TARN_TRY(one(i));
        reporter_.advance(done_.fetch_add(1) + 1, request_.components[i]->name);
        return {};
    };
    auto all = parallel_for(slots_.size(), workspace_.jobs(), workspace_.impl().options.stop, body);
    reporter_.end();
    return all;
}

Result<void> Run::remember() {
    bool changed = locks_ != nullptr && head_ != index_.head;
    if (changed) {
        // Entries of components that were not asked for now have a history nobody looked at.
        for (auto& [name, entry] : index_.entries) {
            entry.history = history_of(name);
        }
    }
    for (const Slot& slot : slots_) {
        if (slot.from_index || slot.row.component.empty()) {
            continue;
        }
        changed = true;
        if (slot.keep_entry) {
            index_.entries.insert_or_assign(slot.row.component, slot.entry);
        } else {
            index_.entries.erase(slot.row.component);
        }
    }
    changed = std::erase_if(index_.entries,
                            [&](const auto& entry) {
                                return !workspace_.project().components.contains(entry.first);
                            }) != 0 ||
              changed;
    if (locks_ != nullptr) {
        index_.head = head_;
    }
    return changed ? index_.write(index_path()) : Result<void>{};
}

Result<RenderSpecsOutcome> Run::run() {
    TARN_TRY(prepare_macros());
    TARN_TRY(prepare_history());
    TARN_TRY(check_clean_stale());
    auto rendered = render_all();
    RenderSpecsOutcome outcome;
    for (Slot& slot : slots_) {
        for (const std::string& warning : slot.warnings) {
            const bool named = warning.starts_with("component `");
            outcome.warnings.push_back(named ? warning : slot.row.component + ": " + warning);
        }
        outcome.from_index += slot.from_index ? 1U : 0U;
    }
    if (const auto kept = remember(); !kept) {
        // Only a cache: what was rendered is there.
        outcome.warnings.push_back("what is rendered was not noted: " + kept.error().message);
    }
    TARN_TRY(rendered);
    for (Slot& slot : slots_) {
        outcome.rows.push_back(std::move(slot.row));
    }
    if (request_.clean_stale) {
        std::vector<std::string> names;
        for (const auto& [name, component] : workspace_.project().components) {
            names.push_back(name);
        }
        outcome.stale = TARN_TRY(remove_stale(directory_, names, request_.check_only));
    }
    return outcome;
}

}  // namespace

Result<RenderSpecsOutcome> render_specs(Workspace& workspace,
                                        const RenderSpecsRequest& request,
                                        Reporter& reporter) {
    return Run(workspace, request, reporter).run();
}

}  // namespace tarn
