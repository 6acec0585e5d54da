// SPDX-License-Identifier: MIT
#include "exec/detail/run_plan.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "exec/detail/mounts.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace tarn::detail {

namespace {

// As for blobs: 1980-01-02.
constexpr std::int64_t kDefaultTime = 315619200;

std::int64_t output_time(const Action& action) {
    const auto found = action.environment.find("SOURCE_DATE_EPOCH");
    if (found != action.environment.end()) {
        if (const auto value = parse_u64(found->second); value && *value <= INT64_MAX) {
            return static_cast<std::int64_t>(*value);
        }
    }
    return kDefaultTime;
}

// The part of `path` below `directory`, without a leading slash.
std::string below(const std::string& path, const std::string& directory) {
    if (path == directory) {
        return {};
    }
    return path.substr(directory == "/" ? 1 : directory.size() + 1);
}

// Where "/x" in the sandbox lies in a tree: "x".
std::string tree_path(const std::string& path) {
    return path.substr(1);
}

const Place* deepest_place(const std::vector<Place>& places, const std::string& path) {
    const Place* best = nullptr;
    for (const Place& place : places) {
        if (lies_in(path, place.path) &&
            (best == nullptr || place.path.size() > best->path.size())) {
            best = &place;
        }
    }
    return best;
}

// Outputs, none of them inside another.
std::vector<std::string> outermost(std::vector<std::string> outputs) {
    std::sort(outputs.begin(), outputs.end(), [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    std::vector<std::string> result;
    for (const std::string& output : outputs) {
        const bool inside = std::any_of(
            result.begin(), result.end(), [&](const auto& o) { return lies_in(output, o); });
        if (!inside) {
            result.push_back(output);
        }
    }
    return result;
}

class Layout {
  public:
    Layout(const Store& store, const Action& action, const std::string& work)
        : store_(store), action_(action), work_(work) {}

    Result<RunPlan> make() {
        for (const InputMount& input : action_.inputs) {
            TARN_TRY(add_input(input));
        }
        for (const std::string& output : outermost(action_.outputs)) {
            TARN_TRY(add_output(output));
        }
        std::sort(plan_.places.begin(), plan_.places.end(), [](const Place& a, const Place& b) {
            return a.path < b.path;
        });
        Sandbox& sandbox = plan_.sandbox;
        sandbox.argv = action_.argv;
        sandbox.environment = full_environment(action_);
        sandbox.directory = action_.directory;
        sandbox.uid = action_.unprivileged ? 1000 : 0;
        TARN_TRY(find_mount_points());
        return std::move(plan_);
    }

  private:
    std::string next_directory() { return fmt::format("{}/w{}", work_, plan_.places.size()); }

    Result<void> add_input(const InputMount& input) {
        Tree tree = TARN_TRY(store_.read_tree(input.tree));
        std::string directory;
        if (input.writable) {
            directory = next_directory();
            TARN_TRY(write_tree(store_, tree, directory));
            plan_.places.push_back({input.path, directory});
        } else {
            directory = TARN_TRY(store_.root_of(tree));
            plan_.read_only.push_back({input.path, std::move(tree)});
        }
        if (input.path == "/") {
            plan_.sandbox.root = std::move(directory);
            plan_.sandbox.root_writable = input.writable;
        } else {
            plan_.sandbox.binds.push_back({std::move(directory), input.path, input.writable});
        }
        return {};
    }

    // An output that lies in nothing writable gets a directory of its own.
    Result<void> add_output(const std::string& output) {
        if (deepest_place(plan_.places, output) != nullptr) {
            return {};
        }
        std::string at = output;
        for (const Mount& own : own_mounts()) {
            if (own.kind == MountKind::kTmpfs && lies_in(output, own.target)) {
                at = own.target;
            }
        }
        for (const ReadOnlyInput& input : plan_.read_only) {
            if (at == output && lies_in(output, input.path) &&
                !input.tree.below(below(output, input.path)).empty()) {
                return fail(error(ErrorKind::kFailed,
                                  "the action `{}` has an output at `{}`, which a read-only input "
                                  "already holds",
                                  action_.name,
                                  output)
                                .advise("give that input as writable"));
            }
        }
        std::string directory = next_directory();
        if (::mkdir(directory.c_str(), 0755) != 0) {
            return fail(sys_error("make the directory", directory));
        }
        // Of the umask neither; /tmp and /var/tmp are open to all.
        if (::chmod(directory.c_str(), at == output || at == "/run" ? 0755 : 01777) != 0) {
            return fail(sys_error("set the mode of", directory));
        }
        plan_.places.push_back({at, directory});
        plan_.sandbox.binds.push_back({directory, at, true});
        return {};
    }

    // bubblewrap makes missing mount points where it can write; they are no output.
    Result<void> find_mount_points() {
        for (const Mount& mount : TARN_TRY(plan_mounts(plan_.sandbox))) {
            std::vector<Place> above;
            for (const Place& place : plan_.places) {
                if (place.path != mount.target) {
                    above.push_back(place);
                }
            }
            const Place* place = deepest_place(above, mount.target);
            if (place == nullptr) {
                continue;
            }
            std::string at = place->directory;
            const std::string inside = below(mount.target, place->path);
            for (const std::string_view part : split(inside, '/')) {
                at = join_path(at, part);
                struct stat info{};
                if (::lstat(at.c_str(), &info) != 0) {
                    plan_.mount_points.push_back(at);
                }
            }
        }
        return {};
    }

    const Store& store_;
    const Action& action_;
    const std::string& work_;
    RunPlan plan_;
};

// The tree with every path below `prefix`.
Result<Tree> moved_below(const Tree& tree, const std::string& prefix) {
    std::vector<TreeEntry> entries = tree.entries();
    for (TreeEntry& entry : entries) {
        if (!prefix.empty()) {
            entry.path = entry.path.empty() ? prefix : prefix + "/" + entry.path;
            if (!entry.hardlink.empty()) {
                entry.hardlink = prefix + "/" + entry.hardlink;
            }
        }
    }
    return Tree::make(std::move(entries));
}

}  // namespace

Result<RunPlan> lay_out(const Store& store, const Action& action, const std::string& work) {
    return Layout(store, action, work).make();
}

Result<Tree> take_outputs(const Store& store, const Action& action, const RunPlan& plan) {
    for (auto point = plan.mount_points.rbegin(); point != plan.mount_points.rend(); ++point) {
        ::rmdir(point->c_str());  // stays when something was put into it
    }
    const std::vector<std::string> outputs = outermost(action.outputs);
    std::vector<Tree> trees;
    for (const Place& place : plan.places) {
        std::vector<std::string> wanted;
        for (const std::string& output : outputs) {
            if (lies_in(place.path, output)) {
                wanted = {std::string()};  // all of it
                break;
            }
            if (deepest_place(plan.places, output) == &place) {
                wanted.push_back(below(output, place.path));
            }
        }
        if (wanted.empty()) {
            continue;
        }
        const Tree tree =
            TARN_TRY(capture_paths(store, place.directory, wanted, output_time(action)));
        trees.push_back(TARN_TRY(moved_below(tree, tree_path(place.path))));
    }
    std::vector<const Tree*> layers;
    for (const Tree& tree : trees) {
        layers.push_back(&tree);
    }
    return merge(layers).tree;
}

}  // namespace tarn::detail
