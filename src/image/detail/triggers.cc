// SPDX-License-Identifier: MIT
#include "image/detail/triggers.hh"

#include "base/parallel.hh"
#include "base/strings.hh"

#include <algorithm>

namespace tarn::image {
namespace {

constexpr std::string_view kMount = "/image";
constexpr std::size_t kShownLogLines = 12;

bool under(const TreeEntry& entry, std::string_view directory) {
    return entry.path.size() > directory.size() && entry.path.starts_with(directory) &&
           entry.path[directory.size()] == '/';
}

bool is_any(const TreeEntry& entry, std::initializer_list<std::string_view> paths) {
    for (const std::string_view path : paths) {
        if (entry.path == path) {
            return true;
        }
    }
    return false;
}

// /lib and its kin, by which programs reach what lies in /usr.
bool top_link(const TreeEntry& entry) {
    return entry.kind == EntryKind::kSymlink && entry.path.find('/') == std::string::npos;
}

bool library(const TreeEntry& entry) {
    if (!under(entry, "usr/lib") && !under(entry, "usr/lib64") && !under(entry, "usr/local/lib")) {
        return false;
    }
    const std::string_view name = std::string_view(entry.path).substr(entry.path.rfind('/') + 1);
    return name.find(".so") != std::string_view::npos &&
           (name.starts_with("lib") || name.starts_with("ld-"));
}

Trigger ldconfig_trigger() {
    Trigger out;
    out.name = "ldconfig";
    out.program = "usr/sbin/ldconfig";
    out.package = "glibc";
    // -X: packages bring their links themselves; -i: no auxiliary cache, which holds inode times.
    out.arguments = {"-r", std::string(kMount), "-X", "-i"};
    out.outputs = {"etc/ld.so.cache"};
    out.reads = [](const TreeEntry& entry) {
        return top_link(entry) || library(entry) || entry.path == "etc/ld.so.conf" ||
               under(entry, "etc/ld.so.conf.d");
    };
    out.needed = library;
    return out;
}

Trigger depmod_trigger(const std::string& kernel_version) {
    const std::string directory = "usr/lib/modules/" + kernel_version;
    Trigger out;
    out.name = "depmod";
    out.program = "usr/sbin/depmod";
    out.package = "kmod";
    out.arguments = {"-b", std::string(kMount), kernel_version};
    for (const char* file : {"alias",
                             "alias.bin",
                             "builtin.alias.bin",
                             "builtin.bin",
                             "dep",
                             "dep.bin",
                             "devname",
                             "softdep",
                             "symbols",
                             "symbols.bin",
                             "weakdep"}) {
        out.outputs.push_back(directory + "/modules." + file);
    }
    out.reads = [directory](const TreeEntry& entry) {
        const bool table = entry.path == directory + "/modules.order" ||
                           entry.path.starts_with(directory + "/modules.builtin");
        const bool module = under(entry, directory) && entry.path.find(".ko") != std::string::npos;
        return top_link(entry) || table || module || under(entry, "usr/lib/depmod.d") ||
               under(entry, "etc/depmod.d");
    };
    out.needed = [directory](const TreeEntry& entry) {
        return under(entry, directory) && entry.path.find(".ko") != std::string::npos;
    };
    return out;
}

Trigger hwdb_trigger() {
    Trigger out;
    out.name = "systemd-hwdb";
    out.program = "usr/bin/systemd-hwdb";
    out.package = "systemd-udev";
    out.arguments = {"--root=" + std::string(kMount), "--usr", "update"};
    out.outputs = {"usr/lib/udev/hwdb.bin"};
    out.reads = [](const TreeEntry& entry) {
        return under(entry, "usr/lib/udev/hwdb.d") || under(entry, "etc/udev/hwdb.d");
    };
    out.needed = out.reads;
    return out;
}

Trigger preset_trigger(bool global) {
    const std::string kind = global ? "user" : "system";
    Trigger out;
    out.name = "preset-all (" + kind + ")";
    out.program = "usr/bin/systemctl";
    out.package = "systemd";
    out.arguments = {"--root=" + std::string(kMount)};
    if (global) {
        out.arguments.emplace_back("--global");
    }
    out.arguments.emplace_back("preset-all");
    out.outputs = {"etc/systemd/" + kind};
    out.reads = [kind](const TreeEntry& entry) {
        for (const char* directory : {"usr/lib/systemd/", "etc/systemd/"}) {
            if (under(entry, directory + kind) || under(entry, directory + kind + "-preset")) {
                return true;
            }
        }
        return top_link(entry);
    };
    out.needed = [kind](const TreeEntry& entry) { return under(entry, "usr/lib/systemd/" + kind); };
    return out;
}

std::string log_tail(const Store& store, const Digest& log) {
    const auto text = store.read(log);
    if (!text) {
        return {};
    }
    const auto lines = split_lines(*text);
    std::string out;
    for (std::size_t i = lines.size() - std::min(lines.size(), kShownLogLines); i < lines.size();
         ++i) {
        out.append(out.empty() ? "" : "\n").append(lines[i]);
    }
    return out;
}

Result<Tree> run_trigger(const TriggerContext& context, const Trigger& trigger, const Tree& tree) {
    if (std::ranges::none_of(tree.entries(), trigger.needed)) {
        return Tree{};
    }
    if (context.tools->find(trigger.program) == nullptr) {
        return fail(error(ErrorKind::kNotFound, "the tools tree has no /{}", trigger.program)
                        .advise(fmt::format("add `{}` to tools-packages", trigger.package)));
    }
    Overlay frame(*context.store, context.time);
    frame.directory("etc");
    frame.directory("usr");
    const Tree seen = TARN_TRY(frame.over(tree.filter(trigger.reads)));
    Action action;
    action.name = trigger.name;
    action.argv = {"/" + trigger.program};
    action.argv.insert(action.argv.end(), trigger.arguments.begin(), trigger.arguments.end());
    action.environment = {{"PATH", "/usr/sbin:/usr/bin"},
                          {"LC_ALL", "C.UTF-8"},
                          {"SOURCE_DATE_EPOCH", fmt::format("{}", context.time)}};
    action.inputs = {{"/", context.tools_digest, false},
                     {std::string(kMount), TARN_TRY(context.store->put_tree(seen)), true}};
    for (const std::string& output : trigger.outputs) {
        action.outputs.push_back(fmt::format("{}/{}", kMount, output));
    }
    action.timeout_seconds = 300;
    RunOptions options;
    options.stop = context.stop;
    const ActionResult result = TARN_TRY(context.executor->run(action, options));
    if (result.exit_code != 0) {
        Error problem = error(
            ErrorKind::kFailed, "{} failed with exit code {}", trigger.name, result.exit_code);
        if (std::string tail = log_tail(*context.store, result.log); !tail.empty()) {
            problem.notes.push_back(std::move(tail));
        }
        return fail(std::move(problem));
    }
    return context.store->read_tree(result.outputs);
}

// The outputs lie below "image/" in a trigger's result.
void take_outputs(const Tree& made, const Tree& tree, std::int64_t time, Overlay& overlay) {
    const std::string prefix = std::string(kMount.substr(1)) + "/";
    for (TreeEntry entry : made.entries()) {
        if (!entry.path.starts_with(prefix)) {
            continue;
        }
        entry.path.erase(0, prefix.size());
        // A directory that packages own keeps their attributes.
        if (entry.kind == EntryKind::kDirectory && tree.find(entry.path) != nullptr) {
            continue;
        }
        entry.uid = entry.gid = 0;
        entry.hardlink.clear();
        entry.mtime = time;
        overlay.add(std::move(entry));
    }
}

}  // namespace

Trigger sysusers_trigger() {
    Trigger out;
    out.name = "systemd-sysusers";
    out.program = "usr/bin/systemd-sysusers";
    out.package = "systemd";
    out.arguments = {"--root=" + std::string(kMount)};
    out.outputs = {"etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"};
    out.reads = [](const TreeEntry& entry) {
        return is_any(entry, {"etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"}) ||
               under(entry, "usr/lib/sysusers.d") || under(entry, "etc/sysusers.d");
    };
    out.needed = [](const TreeEntry& entry) {
        return under(entry, "usr/lib/sysusers.d") || under(entry, "etc/sysusers.d");
    };
    return out;
}

std::vector<Trigger> system_triggers(const std::string& kernel_version) {
    std::vector<Trigger> out = {
        ldconfig_trigger(), hwdb_trigger(), preset_trigger(false), preset_trigger(true)};
    if (!kernel_version.empty()) {
        out.push_back(depmod_trigger(kernel_version));
    }
    return out;
}

Result<void> run_triggers(const TriggerContext& context,
                          const std::vector<Trigger>& triggers,
                          const Tree& tree,
                          Overlay& overlay) {
    std::vector<Tree> made(triggers.size());
    const auto run_one = [&](std::size_t i) -> Result<void> {
        made[i] = TARN_TRY(run_trigger(context, triggers[i], tree));
        return {};
    };
    TARN_TRY(parallel_for(triggers.size(), context.jobs, context.stop, run_one));
    for (const Tree& outputs : made) {
        take_outputs(outputs, tree, context.time, overlay);
    }
    return {};
}

}  // namespace tarn::image
