// SPDX-License-Identifier: MIT
#include "build/build.hh"

#include "base/fs.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "build/detail/failure.hh"
#include "build/detail/plan.hh"
#include "build/detail/root.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace tarn {

namespace build {
namespace {

constexpr std::string_view kRoom = "build";

enum class State { kWaiting, kRunning, kBuilt, kFailed, kNotTried };

struct Product {
    BuiltComponent built;
    std::vector<AvailablePackage> packages;  // what later buildroots may use
};

Digest last_failure_key(const std::string& component) {
    return KeyBuilder("last-failure", 1).field("component", component).key();
}

// Runs a plan: up to `jobs` components at a time, each once all it needs is built. What goes into a
// buildroot follows from the graph alone, never from what happens to be finished.
class Runner {
  public:
    Runner(const Store& store,
           Executor& executor,
           const BuildRequest& request,
           const Plan& plan,
           Reporter& reporter)
        : store_(store),
          executor_(executor),
          request_(request),
          plan_(plan),
          reporter_(reporter),
          states_(plan.components.size(), State::kWaiting),
          products_(plan.components.size()),
          failures_(plan.components.size()) {}

    Result<BuildOutcome> run();

  private:
    void work();
    std::optional<std::size_t> next_ready();
    void settle_hopeless();
    void run_one(std::size_t node);
    Result<void> build_one(std::size_t node);
    Result<Digest> root_for(std::size_t node);
    std::vector<const AvailablePackage*> available_for(std::size_t node) const;
    Result<void> collect(std::size_t node, const Action& action, const ActionResult& result);
    Result<void> explain_failure(std::size_t node,
                                 const Action& action,
                                 const ActionResult& result);
    Result<std::string> copy_log(const std::string& name, std::string_view log) const;
    BuildOutcome outcome();

    const Store& store_;
    Executor& executor_;
    const BuildRequest& request_;
    const Plan& plan_;
    Reporter& reporter_;

    std::mutex mutex_;  // guards states_, stopped_, done_; products and failures are by index
    std::condition_variable changed_;
    std::vector<State> states_;
    std::vector<Product> products_;
    std::vector<std::optional<BuildFailure>> failures_;
    std::optional<Error> stopped_;
    std::size_t done_ = 0;
};

// Components that need a failed one are settled; called with the lock held.
void Runner::settle_hopeless() {
    for (std::size_t node : plan_.graph.order) {
        if (states_[node] != State::kWaiting) {
            continue;
        }
        const auto& needs = plan_.graph.needs[node];
        const bool hopeless = std::any_of(needs.begin(), needs.end(), [&](std::size_t need) {
            return states_[need] == State::kFailed || states_[need] == State::kNotTried;
        });
        if (hopeless) {
            states_[node] = State::kNotTried;
        }
    }
}

std::optional<std::size_t> Runner::next_ready() {
    for (std::size_t node : plan_.graph.order) {
        if (states_[node] != State::kWaiting || !plan_.wanted[node]) {
            continue;
        }
        const auto& needs = plan_.graph.needs[node];
        if (std::all_of(needs.begin(), needs.end(), [&](std::size_t need) {
                return states_[need] == State::kBuilt;
            })) {
            return node;
        }
    }
    return std::nullopt;
}

void Runner::work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopped_) {
        settle_hopeless();
        if (const auto node = next_ready()) {
            states_[*node] = State::kRunning;
            lock.unlock();
            run_one(*node);
            lock.lock();
            changed_.notify_all();
            continue;
        }
        if (std::find(states_.begin(), states_.end(), State::kRunning) == states_.end()) {
            return;
        }
        changed_.wait(lock);
    }
}

void Runner::run_one(std::size_t node) {
    auto result = build_one(node);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!result) {
        states_[node] = State::kFailed;
        if (!stopped_) {
            stopped_ = std::move(result.error());
        }
        return;
    }
    states_[node] = failures_[node] ? State::kFailed : State::kBuilt;
    reporter_.advance(++done_, plan_.components[node].component->name);
}

// The imported packages without those that this component's needs build themselves, and these.
std::vector<const AvailablePackage*> Runner::available_for(std::size_t node) const {
    std::set<std::string> replaced;
    std::vector<const AvailablePackage*> available;
    // What is cross built does not run here: a buildroot has the imported twin of it.
    for (std::size_t need : plan_.graph.closure[node]) {
        if (!request_.architecture.empty()) {
            break;
        }
        for (const auto& package : products_[need].packages) {
            replaced.insert(package.info.meta.nevra.name);
            available.push_back(&package);
        }
    }
    for (const auto& package : request_.available) {
        if (!replaced.contains(package.info.meta.nevra.name)) {
            available.push_back(&package);
        }
    }
    return available;
}

Result<Digest> Runner::root_for(std::size_t node) {
    const PlannedComponent& planned = plan_.components[node];
    std::vector<std::string> names = base_packages(request_);
    names.insert(
        names.end(), planned.query.build_requires.begin(), planned.query.build_requires.end());
    auto rpms = resolve_remembered(store_, available_for(node), names, planned.component->name);
    if (rpms) {
        return root_digest(store_, *rpms, request_.jobs);
    }
    if (rpms.error().kind == ErrorKind::kInterrupted || rpms.error().kind == ErrorKind::kNoSpace) {
        return fail(std::move(rpms.error()));
    }
    BuildFailure failure;
    failure.name = planned.component->name;
    failure.section = "BuildRequires";
    failure.error = std::move(rpms.error());
    for (const auto& dependency : planned.query.build_requires) {
        for (const auto& name : dependency_names(dependency)) {
            if (contains(failure.error.message, "`" + name + "`")) {
                failure.error.notes.push_back(
                    fmt::format("{}: BuildRequires: {}",
                                build_requires_place(
                                    planned.spec_text, planned.rendered->spec_name, dependency),
                                dependency));
            }
        }
    }
    Error shown = failure.error;
    failures_[node] = std::move(failure);
    return fail(std::move(shown));
}

Result<void> Runner::build_one(std::size_t node) {
    const PlannedComponent& planned = plan_.components[node];
    if (planned.failure) {
        failures_[node] = planned.failure;
        return {};
    }
    if (request_.stop.stop_requested()) {
        return fail(ErrorKind::kInterrupted, "interrupted");
    }
    auto root = root_for(node);
    if (!root) {
        return failures_[node] ? Result<void>() : fail(std::move(root.error()));
    }
    const Action action = rpmbuild_action(
        planned, *root, request_.project->source_date_epoch, request_.architecture);
    RunOptions options;
    options.cache = request_.force ? CachePolicy::kIgnore : CachePolicy::kUse;
    options.stop = request_.stop;
    options.on_output = [&](std::string_view piece) {
        if (const std::string section = section_started(piece); !section.empty()) {
            std::size_t done = 0;
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                done = done_;
            }
            reporter_.advance(done, planned.component->name + " " + section);
        }
    };
    const ActionResult result = TARN_TRY(executor_.run(action, options));
    return result.exit_code == 0 ? collect(node, action, result)
                                 : explain_failure(node, action, result);
}

Result<std::string> Runner::copy_log(const std::string& name, std::string_view log) const {
    if (request_.log_dir.empty()) {
        return std::string();
    }
    TARN_TRY(make_directories(request_.log_dir));
    const std::string path = join_path(request_.log_dir, name + ".log");
    TARN_TRY(write_file_atomic(path, log));
    return path;
}

Result<void> Runner::collect(std::size_t node, const Action& action, const ActionResult& result) {
    const PlannedComponent& planned = plan_.components[node];
    Product& product = products_[node];
    product.built.name = planned.component->name;
    product.built.spec_digest = planned.spec.hex();
    product.built.action = action.digest();
    product.built.log = result.log;
    product.built.cached = result.cached;
    product.built.seconds = result.wall_seconds;
    const Tree outputs = TARN_TRY(store_.read_tree(result.outputs));
    for (const auto& entry : outputs.entries()) {
        if (entry.kind != EntryKind::kFile || !entry.path.ends_with(".rpm")) {
            continue;
        }
        if (entry.path.ends_with(".src.rpm")) {
            product.built.source_rpm = entry.content;
            continue;
        }
        product.packages.push_back(TARN_TRY(load_package(store_, entry.content)));
        product.built.rpms.push_back(entry.content);
        product.built.nevras.push_back(product.packages.back().info.meta.nevra);
    }
    if (product.built.rpms.empty()) {
        BuildFailure failure;
        failure.name = product.built.name;
        failure.section = "%files";
        failure.error = error(ErrorKind::kFailed, "{} built no package", failure.name);
        failure.error.help.emplace_back("a binary package needs a %files section in the spec");
        failures_[node] = std::move(failure);
        return {};
    }
    if (!result.cached) {
        const std::string log = TARN_TRY(store_.read(result.log));
        TARN_TRY(copy_log(product.built.name, log));
        TARN_TRY(store_.put_result(kRoom, last_failure_key(product.built.name), "{}"));
    }
    return {};
}

Result<void> Runner::explain_failure(std::size_t node,
                                     const Action& action,
                                     const ActionResult& result) {
    const PlannedComponent& planned = plan_.components[node];
    const std::string& name = planned.component->name;
    const std::string log = TARN_TRY(store_.read(result.log));
    LogVerdict verdict = read_log(log, planned.rendered->spec_name);
    BuildFailure failure;
    failure.name = name;
    failure.section = verdict.section;
    failure.action = action.digest();
    failure.log = TARN_TRY(copy_log(name, log));
    Error& shown = failure.error;
    shown.message = fmt::format(
        "{} failed in {} after {}", name, verdict.section, human_time(result.wall_seconds));
    if (!verdict.reason.empty()) {
        shown.notes.push_back(verdict.reason);
    }
    if (!failure.log.empty()) {
        shown.notes.push_back("log: " + relative_to(failure.log, current_directory()));
    }
    shown.notes.push_back(fmt::format("last lines of {}:", verdict.section));
    for (const auto& line : verdict.tail) {
        shown.notes.push_back("| " + line);
    }
    const auto available = available_for(node);
    shown.help =
        missing_advice(log, [&](std::string_view what) { return owner_of(available, what); });
    shown.help.push_back(
        fmt::format("tarn component shell {}    enters the very root it failed in", name));
    // Not as "<hex>/<size>": that would name a blob, and an action is only a key.
    const nlohmann::json document = {{"action", failure.action.hex()},
                                     {"size", failure.action.size}};
    TARN_TRY(store_.put_result(kRoom, last_failure_key(name), document.dump()));
    failures_[node] = std::move(failure);
    return {};
}

BuildOutcome Runner::outcome() {
    BuildOutcome outcome;
    for (std::size_t node : plan_.graph.order) {
        if (!plan_.wanted[node]) {
            continue;
        }
        if (failures_[node]) {
            outcome.failures.push_back(std::move(*failures_[node]));
        } else if (states_[node] == State::kBuilt) {
            outcome.built.push_back(std::move(products_[node].built));
        } else {
            outcome.not_tried.push_back(plan_.components[node].component->name);
        }
    }
    return outcome;
}

Result<BuildOutcome> Runner::run() {
    const auto count =
        static_cast<std::size_t>(std::count(plan_.wanted.begin(), plan_.wanted.end(), true));
    reporter_.begin("building", count, "components");
    const std::size_t workers =
        std::max<std::size_t>(1, std::min<std::size_t>(request_.jobs, count));
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < workers; ++i) {
            threads.emplace_back([this] { work(); });
        }
        work();
    }
    reporter_.end();
    if (stopped_) {
        return fail(std::move(*stopped_));
    }
    return outcome();
}

}  // namespace
}  // namespace build

Result<BuildOutcome> build_components(const Store& store,
                                      Executor& executor,
                                      const BuildRequest& request,
                                      Reporter& reporter) {
    TARN_CHECK(request.project != nullptr);
    const build::Plan plan = TARN_TRY(build::make_plan(store, executor, request, reporter));
    return build::Runner(store, executor, request, plan, reporter).run();
}

std::optional<Digest> last_failed_build(const Store& store, const std::string& component) {
    const auto kept = store.result(build::kRoom, build::last_failure_key(component));
    if (!kept) {
        return std::nullopt;
    }
    const auto document = nlohmann::json::parse(*kept, nullptr, false);
    if (!document.is_object() || !document.contains("action") || !document["action"].is_string() ||
        !document.contains("size") || !document["size"].is_number_unsigned()) {
        return std::nullopt;
    }
    return Digest::from_hex(document["action"].get<std::string>(),
                            document["size"].get<std::uint64_t>());
}

}  // namespace tarn
