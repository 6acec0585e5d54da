// SPDX-License-Identifier: MIT
// What is kept of a failed run: docs/formats/store.md.
#include "base/fd.hh"
#include "base/fs.hh"
#include "exec/detail/run_plan.hh"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace tarn {

namespace {

using nlohmann::json;

constexpr std::size_t kKept = 10;

std::string failed_area(const Store& store) {
    return join_path(store.directory(), "failed");
}

std::string failed_path(const Store& store, const Digest& action) {
    return join_path(failed_area(store), action.hex());
}

// Text in JSON must be UTF-8; what is not is shown with replacement characters and not used again.
std::string dump(const json& document) {
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

json describe(const Action& action, const detail::RunPlan& plan, const ActionResult& result) {
    json document;
    document["version"] = 1;
    document["name"] = action.name;
    document["action"] = action.digest().to_string();
    document["argv"] = plan.sandbox.argv;
    document["environment"] = plan.sandbox.environment;
    document["directory"] = plan.sandbox.directory;
    document["exit_code"] = result.exit_code;
    document["log"] = result.log.to_string();
    document["inputs"] = json::array();
    for (std::size_t i = 0; i < plan.read_only.size(); ++i) {
        document["inputs"].push_back(
            {{"path", plan.read_only[i].path}, {"tree", fmt::format("input{}.tree", i)}});
    }
    document["places"] = json::array();
    for (const detail::Place& place : plan.places) {
        document["places"].push_back(
            {{"path", place.path}, {"directory", file_name(place.directory)}});
    }
    return document;
}

bool is_held(const std::string& directory) {
    const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    return fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0;
}

// A person may be inside: their shell holds the directories it has mounted.
bool is_in_use(const std::string& run) {
    if (is_held(run)) {
        return true;
    }
    const Result<std::vector<std::string>> names = list_directory(run);
    return names && std::any_of(names->begin(), names->end(), [&](const std::string& name) {
               return is_held(join_path(run, name));
           });
}

void drop(const Store& store, const std::string& path) {
    Result<TempDir> aside = TempDir::make(store.temporary_directory());
    if (aside) {
        // Renamed first: half of it is never seen. The TempDir removes it.
        static_cast<void>(rename_path(path, join_path(aside->path(), "old")));
    }
}

void prune(const Store& store) {
    struct Run {
        std::int64_t time;
        std::string path;
    };
    std::vector<Run> runs;
    if (const auto names = list_directory(failed_area(store))) {
        for (const std::string& name : *names) {
            std::string path = join_path(failed_area(store), name);
            struct stat info{};
            if (::lstat(path.c_str(), &info) == 0) {
                runs.push_back(
                    {info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec, std::move(path)});
            }
        }
    }
    std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.time > b.time; });
    for (std::size_t i = kKept; i < runs.size(); ++i) {
        if (!is_in_use(runs[i].path)) {
            drop(store, runs[i].path);
        }
    }
}

struct Document {
    Sandbox sandbox;
    std::vector<std::pair<std::string, std::string>> inputs;  // path, file of its tree
    std::vector<std::pair<std::string, std::string>> places;  // path, directory
};

Result<Document> parse_document(const std::string& path) {
    const std::string text = TARN_TRY(read_file(path, 16U << 20U));
    try {
        const json document = json::parse(text);
        Document result;
        result.sandbox.argv = document.at("argv").get<std::vector<std::string>>();
        result.sandbox.environment =
            document.at("environment").get<std::map<std::string, std::string>>();
        result.sandbox.directory = document.at("directory").get<std::string>();
        for (const json& input : document.at("inputs")) {
            result.inputs.emplace_back(input.at("path").get<std::string>(),
                                       input.at("tree").get<std::string>());
        }
        for (const json& place : document.at("places")) {
            result.places.emplace_back(place.at("path").get<std::string>(),
                                       place.at("directory").get<std::string>());
        }
        return result;
    } catch (const json::exception& problem) {
        return fail(ErrorKind::kCorrupt, "{}: {}", path, problem.what());
    }
}

}  // namespace

Result<void> detail::keep_failed(const Store& store,
                                 const Action& action,
                                 const RunPlan& plan,
                                 const ActionResult& result,
                                 const std::string& work) {
    TARN_TRY(
        write_file_atomic(join_path(work, "action.json"), dump(describe(action, plan, result))));
    for (std::size_t i = 0; i < plan.read_only.size(); ++i) {
        TARN_TRY(write_file_atomic(fmt::format("{}/input{}.tree", work, i),
                                   plan.read_only[i].tree.serialize()));
    }
    const std::string log = join_path(work, "log");
    if (::link(store.blob_path(result.log).c_str(), log.c_str()) != 0) {
        const std::string text = TARN_TRY(store.read(result.log));
        TARN_TRY(write_file_atomic(log, text));
    }
    const std::string final_path = failed_path(store, action.digest());
    if (path_exists(final_path)) {
        drop(store, final_path);
    }
    TARN_TRY(rename_path(work, final_path));
    ::utimensat(AT_FDCWD, final_path.c_str(), nullptr, 0);
    prune(store);
    return {};
}

std::string failed_sandbox_directory(const Store& store, const Digest& action) {
    const std::string path = failed_path(store, action);
    return path_exists(join_path(path, "action.json")) ? path : std::string();
}

Result<Sandbox> failed_sandbox(const Store& store, const Digest& action) {
    const std::string kept = failed_sandbox_directory(store, action);
    if (kept.empty()) {
        return fail(ErrorKind::kNotFound,
                    "no sandbox is kept of {}: it did not fail, or too long ago",
                    action.hex());
    }
    Document document = TARN_TRY(parse_document(join_path(kept, "action.json")));
    Sandbox sandbox = std::move(document.sandbox);
    for (const auto& [path, file] : document.inputs) {
        const std::string text = TARN_TRY(read_file(join_path(kept, file_name(file))));
        const Tree tree = TARN_TRY(Tree::parse(text));
        std::string root = TARN_TRY(store.root_of(tree));
        if (path == "/") {
            sandbox.root = std::move(root);
        } else {
            sandbox.binds.push_back({std::move(root), path, false});
        }
    }
    for (const auto& [path, directory] : document.places) {
        std::string source = join_path(kept, file_name(directory));
        if (path == "/") {
            sandbox.root = std::move(source);
            sandbox.root_writable = true;
        } else {
            sandbox.binds.push_back({std::move(source), path, true});
        }
    }
    return sandbox;
}

}  // namespace tarn
