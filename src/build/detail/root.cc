// SPDX-License-Identifier: MIT
#include "build/detail/root.hh"

#include "base/parallel.hh"
#include "base/strings.hh"
#include "build/detail/graph.hh"
#include "solve/solve.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <set>
#include <unordered_set>

namespace tarn::build {

namespace {

// Raise when resolve_root or make_root give something else for the same packages.
constexpr int kResolveVersion = 1;
constexpr int kRootVersion = 1;
constexpr std::string_view kRoom = "build";

// "/bin/sh" and "/usr/bin/sh" are one file.
std::string merged_path(std::string_view path) {
    for (std::string_view top : {"bin/", "sbin/", "lib/", "lib64/"}) {
        if (path.starts_with(top)) {
            return "usr/" + std::string(path);
        }
    }
    return std::string(path);
}

std::vector<std::string> texts(const std::vector<rpm::Dependency>& dependencies) {
    std::vector<std::string> result;
    for (const auto& dependency : dependencies) {
        if (!dependency.name.starts_with("rpmlib(")) {
            result.push_back(dependency.to_string());
        }
    }
    return result;
}

// Every path that some dependency names, without the leading "/".
std::unordered_set<std::string> wanted_paths(const std::vector<const AvailablePackage*>& available,
                                             const std::vector<std::string>& names) {
    std::unordered_set<std::string> paths;
    const auto add = [&paths](std::string_view dependency) {
        for (const auto& name : dependency_names(dependency)) {
            if (name.starts_with('/')) {
                paths.insert(name.substr(1));
                paths.insert(merged_path(std::string_view(name).substr(1)));
            }
        }
    };
    for (const auto& name : names) {
        add(name);
    }
    for (const AvailablePackage* package : available) {
        for (const auto& dependency : package->info.meta.requires_) {
            if (dependency.name.starts_with('/') || dependency.name.starts_with('(')) {
                add(dependency.to_string());
            }
        }
    }
    return paths;
}

SolvePackage solve_package(const rpm::PackageInfo& info,
                           const std::unordered_set<std::string>& wanted) {
    SolvePackage package;
    package.name = info.meta.nevra.name;
    package.evr = info.meta.nevra.evr.to_string();
    package.arch = info.meta.nevra.arch;
    package.requires_ = texts(info.meta.requires_);
    package.provides = texts(info.meta.provides);
    package.conflicts = texts(info.meta.conflicts);
    package.obsoletes = texts(info.meta.obsoletes);
    for (const auto& file : info.files) {
        const std::string path = merged_path(file.entry.path);
        if (!wanted.contains(path)) {
            continue;
        }
        package.files.push_back("/" + path);
        if (const std::string outer = path.starts_with("usr/") ? path.substr(4) : "";
            wanted.contains(outer) && merged_path(outer) == path) {
            package.files.push_back("/" + outer);
        }
    }
    return package;
}

// Names that no package has: said by name, with the nearest ones, rather than in solver's words.
Result<void> check_known(const std::vector<const AvailablePackage*>& available,
                         const std::vector<std::string>& names,
                         const std::string& who) {
    std::set<std::string> known;
    for (const AvailablePackage* package : available) {
        known.insert(package->info.meta.nevra.name);
        for (const auto& provide : package->info.meta.provides) {
            known.insert(provide.name);
        }
    }
    Error missing{ErrorKind::kNotFound, {}};
    std::vector<std::string> unknown;
    const std::vector<std::string> candidates(known.begin(), known.end());
    for (const auto& name : names) {
        const std::string_view text = trim(name);
        if (text.starts_with('(') || text.starts_with('/')) {
            continue;  // the solver says it
        }
        const std::string first = dependency_names(text).front();
        if (known.contains(first)) {
            continue;
        }
        unknown.push_back("`" + first + "`");
        if (std::string hint = did_you_mean(first, candidates); !hint.empty()) {
            missing.help.push_back(std::move(hint));
        }
    }
    if (unknown.empty()) {
        return {};
    }
    missing.message =
        fmt::format("{} needs {}, which no package provides", who, join(unknown, ", "));
    missing.help.emplace_back(
        "import the package (import-groups.*.packages), or take the dependency away");
    return fail(std::move(missing));
}

Result<std::vector<Digest>> resolve(const std::vector<const AvailablePackage*>& available,
                                    const std::vector<std::string>& names,
                                    const std::string& who) {
    TARN_TRY(check_known(available, names, who));
    const auto wanted = wanted_paths(available, names);
    Universe universe(VersionScheme::kRpm, "x86_64");
    std::vector<const AvailablePackage*> by_index;
    for (const AvailablePackage* package : available) {
        const std::size_t index = universe.add(solve_package(package->info, wanted));
        TARN_CHECK(index == by_index.size());
        by_index.push_back(package);
    }
    // One package that requires all names: so every form of dependency may be asked for.
    SolvePackage asking;
    asking.name = who;
    asking.evr = "0-0";
    asking.arch = "noarch";
    while (std::any_of(available.begin(), available.end(), [&](const AvailablePackage* package) {
        return package->info.meta.nevra.name == asking.name;
    })) {
        asking.name += " (build)";
    }
    asking.requires_ = names;
    universe.add(asking);
    SolveRequest request;
    request.install = {asking.name};
    auto solved = universe.solve(request);
    if (!solved) {
        Error problem = std::move(solved.error());
        problem.message = fmt::format("no buildroot for {}: {}", who, problem.message);
        return fail(std::move(problem));
    }
    std::vector<Digest> rpms;
    for (const auto& package : *solved) {
        if (package.index < by_index.size()) {
            rpms.push_back(by_index[package.index]->rpm);
        }
    }
    return rpms;
}

std::vector<std::string> digest_texts(const std::vector<Digest>& digests) {
    std::vector<std::string> result;
    result.reserve(digests.size());
    for (const auto& digest : digests) {
        result.push_back(digest.to_string());
    }
    return result;
}

// A remembered list of digests; nullopt when the document is not what was written.
std::optional<std::vector<Digest>> read_digests(const std::string& json, const char* field) {
    const auto document = nlohmann::json::parse(json, nullptr, false);
    if (!document.is_object() || !document.contains(field) || !document[field].is_array()) {
        return std::nullopt;
    }
    std::vector<Digest> digests;
    for (const auto& item : document[field]) {
        const auto digest =
            item.is_string() ? Digest::parse(item.get<std::string>()) : std::optional<Digest>();
        if (!digest) {
            return std::nullopt;
        }
        digests.push_back(*digest);
    }
    return digests;
}

TreeEntry directory(std::string path, std::uint32_t mode) {
    TreeEntry entry;
    entry.path = std::move(path);
    entry.kind = EntryKind::kDirectory;
    entry.mode = mode;
    return entry;
}

// What every root has before any package: /usr-merge links, directories, root in passwd and group.
Result<Tree> skeleton(const Store& store) {
    std::vector<TreeEntry> entries;
    for (const char* name : {"bin", "sbin", "lib", "lib64"}) {
        TreeEntry link;
        link.path = name;
        link.kind = EntryKind::kSymlink;
        link.mode = 0777;
        link.target = std::string("usr/") + name;
        entries.push_back(std::move(link));
        entries.push_back(directory(std::string("usr/") + name, 0755));
    }
    for (const char* name : {"build", "dev", "etc", "proc", "run", "sys", "usr", "var"}) {
        entries.push_back(directory(name, 0755));
    }
    entries.push_back(directory("tmp", 01777));
    entries.push_back(directory("var/tmp", 01777));
    entries.push_back(directory("root", 0700));
    const auto file = [&](const char* path, std::string_view text) -> Result<void> {
        TreeEntry entry;
        entry.path = path;
        entry.mode = 0644;
        entry.content = TARN_TRY(store.put(text));
        entries.push_back(std::move(entry));
        return {};
    };
    TARN_TRY(file("etc/passwd",
                  "root:x:0:0:root:/root:/usr/bin/bash\n"
                  "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"));
    TARN_TRY(file("etc/group", "root:x:0:\nnobody:x:65534:\n"));
    return Tree::make(std::move(entries));
}

// /lib/x of a package is /usr/lib/x; its /lib itself would hide the link.
Result<Tree> merge_usr(const Tree& tree) {
    std::vector<TreeEntry> entries;
    for (TreeEntry entry : tree.entries()) {
        if (entry.path == "bin" || entry.path == "sbin" || entry.path == "lib" ||
            entry.path == "lib64") {
            continue;
        }
        entry.path = merged_path(entry.path);
        entry.hardlink = merged_path(entry.hardlink);
        entries.push_back(std::move(entry));
    }
    return Tree::make(std::move(entries));
}

}  // namespace

Result<std::vector<Digest>> resolve_remembered(
    const Store& store,
    const std::vector<const AvailablePackage*>& available,
    const std::vector<std::string>& names,
    const std::string& who) {
    std::vector<Digest> rpms;
    rpms.reserve(available.size());
    for (const AvailablePackage* package : available) {
        rpms.push_back(package->rpm);
    }
    KeyBuilder builder("buildroot", kResolveVersion);
    builder.field("names", names).field("available", digest_texts(rpms));
    const Digest key = builder.key();
    if (const auto kept = store.result(kRoom, key)) {
        if (auto digests = read_digests(*kept, "packages")) {
            return std::move(*digests);
        }
    }
    auto resolved = TARN_TRY(resolve(available, names, who));
    const nlohmann::json document = {{"packages", digest_texts(resolved)}};
    TARN_TRY(store.put_result(kRoom, key, document.dump()));
    return resolved;
}

Result<Digest> root_digest(const Store& store, const std::vector<Digest>& rpms, unsigned jobs) {
    KeyBuilder builder("root", kRootVersion);
    builder.field("packages", digest_texts(rpms));
    const Digest key = builder.key();
    if (const auto kept = store.result(kRoom, key)) {
        const auto digests = read_digests(*kept, "tree");
        if (digests && digests->size() == 1 && store.has(digests->front())) {
            return digests->front();
        }
    }
    const Tree root = TARN_TRY(make_root(store, rpms, jobs));
    const Digest tree = TARN_TRY(store.put_tree(root));
    const nlohmann::json document = {{"tree", digest_texts({tree})}};
    TARN_TRY(store.put_result(kRoom, key, document.dump()));
    return tree;
}

std::string owner_of(const std::vector<const AvailablePackage*>& available, std::string_view what) {
    for (const AvailablePackage* package : available) {
        const auto& meta = package->info.meta;
        const bool provides = std::any_of(
            meta.provides.begin(), meta.provides.end(), [&](const rpm::Dependency& provide) {
                return provide.name == what;
            });
        const bool has = what.starts_with('/') &&
                         std::any_of(package->info.files.begin(),
                                     package->info.files.end(),
                                     [&](const rpm::PackageFile& file) {
                                         return merged_path(file.entry.path) == what.substr(1);
                                     });
        if (provides || has) {
            return meta.nevra.name;
        }
    }
    return {};
}

}  // namespace tarn::build

namespace tarn {

Result<Tree> make_root(const Store& store, const std::vector<Digest>& rpms, unsigned jobs) {
    std::vector<Tree> trees(rpms.size());
    const auto unpack = [&](std::size_t i) -> Result<void> {
        const Tree payload = TARN_TRY(rpm::payload_tree(store, rpms[i]));
        trees[i] = TARN_TRY(build::merge_usr(payload));
        return {};
    };
    TARN_TRY(parallel_for(rpms.size(), jobs, {}, unpack));
    const Tree base = TARN_TRY(build::skeleton(store));
    std::vector<const Tree*> layers = {&base};
    for (const Tree& tree : trees) {
        layers.push_back(&tree);
    }
    return merge(layers).tree;
}

Result<Digest> stored_root(const Store& store, const std::vector<AvailablePackage>& available,
                           const std::vector<std::string>& names, const std::string& who,
                           unsigned jobs) {
    std::vector<const AvailablePackage*> pointers;
    pointers.reserve(available.size());
    for (const auto& package : available) {
        pointers.push_back(&package);
    }
    const auto rpms = TARN_TRY(build::resolve_remembered(store, pointers, names, who));
    return build::root_digest(store, rpms, jobs);
}

Result<std::vector<Digest>> resolve_root(const std::vector<AvailablePackage>& available,
                                         const std::vector<std::string>& names) {
    std::vector<const AvailablePackage*> pointers;
    pointers.reserve(available.size());
    for (const auto& package : available) {
        pointers.push_back(&package);
    }
    return build::resolve(pointers, names, "the root");
}

}  // namespace tarn
