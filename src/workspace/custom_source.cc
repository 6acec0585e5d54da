// SPDX-License-Identifier: MIT
#include "workspace/detail/custom_source.hh"

#include "base/fs.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "distgit/distgit.hh"
#include "render/pack.hh"
#include "workspace/detail/impl.hh"

#include <algorithm>

namespace tarn {

namespace {

constexpr std::string_view kScripts = "/azldev-gen/script";
constexpr std::string_view kOutput = "/azldev-gen/output";
constexpr std::uint64_t kLongestScript = 16U << 20U;
constexpr std::size_t kTailLines = 20;
constexpr std::size_t kLongestLine = 300;

// Of what somebody else wrote, the last lines, without control characters.
std::vector<std::string> tail_of(std::string_view log) {
    std::vector<std::string> tail;
    const auto lines = split_lines(log);
    const std::size_t first = lines.size() > kTailLines ? lines.size() - kTailLines : 0;
    for (std::size_t i = first; i < lines.size(); ++i) {
        std::string line(lines[i].substr(0, kLongestLine));
        std::replace_if(
            line.begin(),
            line.end(),
            [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f'; },
            '?');
        tail.push_back("| " + line);
    }
    return tail;
}

Error script_failed(const CustomScript& script, const ActionResult& result, std::string_view log) {
    const std::string how = result.exit_code == kTimedOut
                                ? std::string("did not end in time")
                                : fmt::format("failed with exit code {}", result.exit_code);
    Error problem = error(ErrorKind::kFailed,
                          "component `{}`: the script {} that makes source `{}` {}",
                          script.component,
                          script.script,
                          script.filename,
                          how);
    problem.notes = tail_of(log);
    if (problem.notes.empty()) {
        problem.notes.emplace_back("it said nothing");
    }
    problem.help.emplace_back(
        "sandboxes have no network: declare what it downloads as `source-files` and name that in "
        "`inputs`");
    problem.help.emplace_back("a program it lacks: name the package in `mock-packages`");
    return problem;
}

Error at_source(const Workspace& workspace, const SourceFile& source, ErrorKind kind,
                std::string what, std::string help) {
    Diagnostic diagnostic;
    diagnostic.primary = source.where;
    diagnostic.message = what;
    diagnostic.help.push_back(std::move(help));
    Error problem = error(kind, "{}", what);
    if (source.where.begin) {
        problem.rendered = draw(diagnostic, workspace.sources());
        problem.message = fmt::format("source `{}` was not made", source.filename);
    } else {
        problem.help = std::move(diagnostic.help);
    }
    return problem;
}

// Beside the spec, or of an upstream component beside the file that declares the source.
std::string script_directory(const Workspace& workspace, const Component& component,
                             const SourceFile& source) {
    if (!component.is_upstream()) {
        return parent_path(component.spec_path);
    }
    const Pos where = source.where.begin ? source.where.begin : component.where.begin;
    const Location location = workspace.sources().locate(where);
    return parent_path(absolute_path(location.file, current_directory()));
}

TreeEntry file_entry(const std::string& name, const Digest& content, std::uint32_t mode) {
    TreeEntry entry;
    entry.path = name;
    entry.mode = mode;
    entry.content = content;
    return entry;
}

Result<Digest> script_tree(Workspace& workspace, const Component& component,
                           const SourceFile& source, const SourceSet& files) {
    const std::string directory = script_directory(workspace, component, source);
    const auto text = read_file(join_path(directory, source.script), kLongestScript);
    if (!text) {
        return fail(at_source(
            workspace, source, text.error().kind,
            fmt::format("source `{}`: cannot read its script `{}`", source.filename, source.script),
            fmt::format("it is looked for in {}", relative_to(directory, current_directory()))));
    }
    const Store& store = workspace.store();
    const Digest script = TARN_TRY(store.put(*text));
    std::vector<TreeEntry> entries = {file_entry(source.script, script, 0755)};
    for (const std::string& input : source.inputs) {
        if (!files.has(input)) {
            const std::string guess = did_you_mean(input, files.paths());
            return fail(at_source(
                workspace, source, ErrorKind::kNotFound,
                fmt::format("source `{}`: there is no file `{}` for its script",
                            source.filename, input),
                guess.empty() ? "`inputs` are files beside the spec, of its `sources`, or of "
                                "`source-files` declared before"
                              : guess));
        }
        const SourceSet::Item& item = files.items().at(input);
        Digest content = item.entry.content;
        if (item.bytes || !item.disk.empty() || item.store == nullptr) {
            const std::string bytes = TARN_TRY(files.read(input));
            content = TARN_TRY(store.put(bytes));
        }
        entries.push_back(file_entry(input, content, (item.entry.mode & 0111) != 0 ? 0755 : 0644));
    }
    const Tree tree = TARN_TRY(Tree::make(std::move(entries)));
    return store.put_tree(tree);
}

Result<Digest> root_for(Workspace& workspace, const Component& component, const SourceFile& source,
                        Reporter& reporter) {
    const Project& project = workspace.project();
    if (project.build_base_packages.empty()) {
        return fail(at_source(
            workspace, source, ErrorKind::kUsage,
            fmt::format("source `{}` is made by a script, and this project has no build root to run "
                        "it in",
                        source.filename),
            "give `[build] base-packages` and the `[import-groups]` they come from, or put the file "
            "into the lookaside under its hash"));
    }
    std::vector<std::string> names = project.build_base_packages;
    names.insert(names.end(), source.mock_packages.begin(), source.mock_packages.end());
    const auto* available = TARN_TRY(workspace.available_packages(reporter));
    return stored_root(workspace.store(), *available, names,
                       fmt::format("{} (source {})", component.name, source.filename),
                       workspace.jobs());
}

// What is there under the declared hash; a lookaside that has it not, or cannot be asked, is no failure.
std::optional<Digest> already_made(Workspace& workspace, const distgit::LookasideRequest& request,
                                   Reporter& reporter) {
    if (const auto kept = distgit::kept_file(workspace.store(), request.file)) {
        return kept;
    }
    const distgit::Options options = workspace.impl().distgit_options();
    if (request.uri_templates.empty() || options.offline) {
        return std::nullopt;
    }
    const auto fetched = distgit::fetch_lookaside(workspace.store(), {request}, options, reporter);
    if (fetched.front()) {
        return *fetched.front();
    }
    if (fetched.front().error().kind != ErrorKind::kNotFound) {
        reporter.warn(fmt::format("{}; it is made by its script", fetched.front().error().message));
    }
    return std::nullopt;
}

Result<void> check_hash(const Workspace& workspace, const SourceFile& source, const Digest& made) {
    const HashKind kind = source.hash_type == "SHA256" ? HashKind::kSha256 : HashKind::kSha512;
    const std::string hash = TARN_TRY(hash_file_hex(kind, workspace.store().blob_path(made)));
    if (hash == to_lower(source.hash)) {
        return {};
    }
    Error problem = at_source(
        workspace, source, ErrorKind::kCorrupt,
        fmt::format("source `{}`: its script made a file with another hash", source.filename),
        fmt::format("the script, an input or the root changed: if that is right, hash = \"{}\"", hash));
    problem.notes = {fmt::format("declared: {} {}", source.hash_type, to_lower(source.hash)),
                     fmt::format("made:     {} {}", source.hash_type, hash)};
    return fail(std::move(problem));
}

}  // namespace

Action custom_action(const CustomScript& script) {
    Action action;
    action.name = fmt::format("{}: {}", script.component, script.filename);
    action.argv = {"./" + script.script};
    action.environment = {{"HOME", "/tmp"},
                          {"LANG", "C.UTF-8"},
                          {"LC_ALL", "C.UTF-8"},
                          {"SOURCE_DATE_EPOCH", std::to_string(script.source_date_epoch)},
                          {"TZ", "UTC"}};
    action.directory = std::string(kScripts);
    action.inputs = {{"/", script.root, false}, {std::string(kScripts), script.directory, true}};
    action.outputs = {std::string(kOutput)};
    action.unprivileged = true;
    return action;
}

Result<Digest> run_custom_script(const Store& store, Executor& executor, const CustomScript& script,
                                 const RunOptions& options) {
    const ActionResult result = TARN_TRY(executor.run(custom_action(script), options));
    if (result.exit_code != 0) {
        const std::string log = TARN_TRY(store.read(result.log));
        return fail(script_failed(script, result, log));
    }
    const Tree outputs = TARN_TRY(store.read_tree(result.outputs));
    const std::string prefix = std::string(kOutput).substr(1) + "/";
    std::vector<TreeEntry> entries;
    for (TreeEntry entry : outputs.entries()) {
        if (entry.path.starts_with(prefix)) {
            entry.path.erase(0, prefix.size());
            entry.hardlink.clear();  // has the content as well
            entries.push_back(std::move(entry));
        }
    }
    if (entries.empty()) {
        return fail(error(ErrorKind::kFailed,
                          "component `{}`: the script {} left nothing for source `{}`",
                          script.component,
                          script.script,
                          script.filename)
                        .advise(fmt::format("it must write into {}", kOutput)));
    }
    const Tree tree = TARN_TRY(Tree::make(std::move(entries)));
    const std::string archive = TARN_TRY(pack_tree(store, tree, script.filename));
    return store.put(archive);
}

Result<Digest> custom_source(Workspace& workspace, const Component& component,
                             const SourceFile& source, const distgit::LookasideRequest& request,
                             const SourceSet& files, Reporter& reporter) {
    if (!source.hash.empty()) {
        if (const auto there = already_made(workspace, request, reporter)) {
            return *there;
        }
    }
    if (!can_pack(source.filename)) {
        return fail(at_source(
            workspace, source, ErrorKind::kUsage,
            fmt::format("source `{}`: its script's output cannot be packed as that", source.filename),
            "`filename` must end in .tar .tar.gz .tgz .tar.xz .txz .tar.zst or .tzst"));
    }
    CustomScript script;
    script.component = component.name;
    script.filename = source.filename;
    script.script = source.script;
    script.source_date_epoch = workspace.project().source_date_epoch;
    script.directory = TARN_TRY(script_tree(workspace, component, source, files));
    script.root = TARN_TRY(root_for(workspace, component, source, reporter));
    RunOptions options;
    options.stop = workspace.impl().options.stop;
    LocalExecutor executor(workspace.store());
    reporter.info(fmt::format("{}: making {} with {}", component.name, source.filename, source.script));
    const Digest made =
        TARN_TRY(run_custom_script(workspace.store(), executor, script, options));
    if (!source.hash.empty()) {
        TARN_TRY(check_hash(workspace, source, made));
        TARN_TRY(distgit::keep_file(workspace.store(), request.file, made));
    }
    return made;
}

}  // namespace tarn
