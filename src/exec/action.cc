// SPDX-License-Identifier: MIT
#include "exec/action.hh"

#include "base/fs.hh"
#include "exec/detail/run_plan.hh"

#include <algorithm>

namespace tarn {

namespace {

// Counts up when the sandbox changes in a way that outputs can show.
constexpr int kVersion = 1;

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

// Absolute and in its one spelling.
bool is_place(const std::string& path) {
    return path.starts_with('/') && !has_nul(path) && absolute_path(path, "/") == path;
}

KeyBuilder key_of(const Action& action) {
    KeyBuilder key("exec", kVersion);
    key.field("argv", action.argv);
    for (const auto& [name, value] : detail::full_environment(action)) {
        key.field("env." + name, value);
    }
    key.field("directory", action.directory);
    std::vector<const InputMount*> inputs;
    for (const InputMount& input : action.inputs) {
        inputs.push_back(&input);
    }
    std::stable_sort(inputs.begin(), inputs.end(), [](const InputMount* a, const InputMount* b) {
        return a->path < b->path;
    });
    for (const InputMount* input : inputs) {
        key.field((input->writable ? "writable." : "input.") + input->path, input->tree);
    }
    std::vector<std::string> outputs = action.outputs;
    std::sort(outputs.begin(), outputs.end());
    key.field("outputs", outputs);
    key.field("timeout", std::to_string(action.timeout_seconds));
    if (action.unprivileged) {
        key.field("unprivileged", "1");
    }
    return key;
}

}  // namespace

std::string Action::explain() const {
    return key_of(*this).text();
}

Digest Action::digest() const {
    return key_of(*this).key();
}

namespace detail {

std::map<std::string, std::string> full_environment(const Action& action) {
    std::map<std::string, std::string> result = action.environment;
    result.try_emplace("PATH", "/usr/bin:/usr/sbin:/bin:/sbin");
    result.try_emplace("HOME", "/root");
    return result;
}

Result<void> check_action(const Action& action) {
    const auto broken = [&](std::string_view what) {
        return fail(ErrorKind::kFailed, "the action `{}` {}", action.name, what);
    };
    if (action.argv.empty() || action.argv.front().empty()) {
        return broken("has no command");
    }
    if (std::any_of(action.argv.begin(), action.argv.end(), has_nul)) {
        return broken("has an argument with a NUL byte");
    }
    for (const auto& [name, value] : action.environment) {
        if (name.empty() || name.find('=') != std::string::npos || has_nul(name) ||
            has_nul(value)) {
            return broken("has a broken environment variable");
        }
    }
    if (!is_place(action.directory)) {
        return broken("runs in a directory that is no absolute path");
    }
    bool root = false;
    std::vector<std::string> places;
    for (const InputMount& input : action.inputs) {
        if (!is_place(input.path)) {
            return broken(fmt::format("has an input at `{}`, no absolute path", input.path));
        }
        root = root || input.path == "/";
        places.push_back(input.path);
    }
    if (!root) {
        return broken("has no input at `/`: there is nothing to run in");
    }
    std::sort(places.begin(), places.end());
    if (const auto twice = std::adjacent_find(places.begin(), places.end());
        twice != places.end()) {
        return broken(fmt::format("has two inputs at `{}`", *twice));
    }
    for (const std::string& output : action.outputs) {
        if (!is_place(output)) {
            return broken(fmt::format("has an output `{}`, no absolute path", output));
        }
    }
    return {};
}

}  // namespace detail

}  // namespace tarn
