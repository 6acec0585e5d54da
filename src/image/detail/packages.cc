// SPDX-License-Identifier: MIT
#include "image/detail/packages.hh"

#include "base/fs.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "solve/solve.hh"

#include <algorithm>
#include <atomic>
#include <set>

namespace tarn::image {
namespace {

constexpr std::size_t kShownConflicts = 20;

Result<std::vector<std::string>> wanted_names(const Project& project, const Image& image) {
    std::set<std::string> names(image.packages.begin(), image.packages.end());
    for (const std::string& group : image.package_groups) {
        const auto found = project.package_groups.find(group);
        if (found == project.package_groups.end()) {
            std::vector<std::string> known;
            for (const auto& [name, unused] : project.package_groups) {
                known.push_back(name);
            }
            Error problem =
                error(ErrorKind::kUsage,
                      "the image `{}` names the package group `{}`, which is not defined",
                      image.name,
                      group);
            if (std::string help = did_you_mean(group, known); !help.empty()) {
                problem.help.push_back(std::move(help));
            }
            return fail(std::move(problem));
        }
        names.insert(found->second.packages.begin(), found->second.packages.end());
    }
    if (names.empty()) {
        return fail(error(ErrorKind::kUsage, "the image `{}` names no packages", image.name)
                        .advise("list them under `packages` or `package-groups` of the image"));
    }
    return std::vector<std::string>(names.begin(), names.end());
}

Universe make_universe(const RepoIndex& repository, const std::string& architecture) {
    Universe universe(VersionScheme::kRpm, architecture.empty() ? "x86_64" : architecture);
    for (const RepoIndex::Item& item : repository.items) {
        SolvePackage package;
        package.name = item.nevra.name;
        package.evr = item.nevra.evr.to_string();
        package.arch = item.nevra.arch;
        package.requires_ = item.requires_;
        package.provides = item.provides;
        package.conflicts = item.conflicts;
        package.obsoletes = item.obsoletes;
        package.recommends = item.recommends;
        package.files = item.files;
        universe.add(package);
    }
    return universe;
}

// "dnf5 5.1.9 is the newest in the repository" for every package a note asks a version of.
std::vector<std::string> newest_notes(const RepoIndex& repository,
                                      const std::vector<std::string>& notes) {
    std::map<std::string, const RepoIndex::Item*> newest;
    for (const RepoIndex::Item& item : repository.items) {
        const RepoIndex::Item*& have = newest[item.nevra.name];
        if (have == nullptr ||
            compare_evr(
                VersionScheme::kRpm, have->nevra.evr.to_string(), item.nevra.evr.to_string()) < 0) {
            have = &item;
        }
    }
    std::vector<std::string> out;
    for (const std::string& note : notes) {
        const auto words = split_words(note);
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            const bool versioned = words[i + 1].find_first_of("<>=") == 0;
            const auto found = versioned ? newest.find(std::string(words[i])) : newest.end();
            if (found == newest.end()) {
                continue;
            }
            std::string line = fmt::format("{} {} is the newest in the repository",
                                           found->first,
                                           found->second->nevra.evr.to_string());
            if (std::ranges::find(out, line) == out.end()) {
                out.push_back(std::move(line));
            }
        }
    }
    return out;
}

Digest verdict_key(const Digest& rpm, const std::string& keys) {
    return KeyBuilder("image-verified", 1).field("rpm", rpm).field("keys", keys).key();
}

std::string fingerprints(const Keyring& keyring) {
    std::vector<std::string> out;
    for (const KeyInfo& key : keyring.keys()) {
        out.push_back(key.fingerprint);
    }
    std::ranges::sort(out);
    return join(out, " ");
}

Result<void> bring(const Store& store, const RepoIndex& repository, const RepoIndex::Item& item) {
    if (store.has(item.rpm)) {
        return {};
    }
    const std::string path = join_path(repository.path, item.location);
    const Digest found = TARN_TRY(store.put_file(path));
    if (found != item.rpm) {
        return fail(
            error(ErrorKind::kCorrupt, "{}: not what the repository's signed metadata says", path)
                .note(fmt::format("expected {}", item.rpm.to_string()))
                .note(fmt::format("found    {}", found.to_string()))
                .advise("publish the repository again: `tarn repo publish`"));
    }
    return {};
}

Result<void> verify(const Store& store,
                    const RepoIndex::Item& item,
                    const Keyring& keyring,
                    const std::string& keys) {
    const Digest key = verdict_key(item.rpm, keys);
    if (store.result("image", key)) {
        return {};
    }
    const MemoryMap map = TARN_TRY(store.map(item.rpm));
    if (Digest::of(map.bytes()) != item.rpm) {
        return fail(error(ErrorKind::kCorrupt, "{}: the store's copy is damaged", item.location)
                        .advise("`tarn store verify` finds what else is"));
    }
    TARN_TRY(rpm::verify_package(map.bytes(), item.location, keyring));
    return store.put_result("image", key, "\"verified " + item.rpm.to_string() + "\"");
}

}  // namespace

Result<std::vector<ResolvedPackage>> resolve_packages(const Project& project,
                                                      const Image& image,
                                                      const RepoIndex& repository) {
    SolveRequest request;
    request.install = TARN_TRY(wanted_names(project, image));
    request.exclude = image.exclude_packages;
    request.weak_dependencies = image.weak_dependencies;
    auto solved = make_universe(repository, image.architecture).solve(request);
    if (!solved) {
        Error problem = std::move(solved.error());
        problem.notes.insert(problem.notes.begin(), problem.message);
        problem.message = fmt::format("the image `{}` cannot be resolved", image.name);
        for (std::string& line : newest_notes(repository, problem.notes)) {
            problem.notes.push_back(std::move(line));
        }
        if (problem.help.empty()) {
            problem.help.push_back(
                "build or import what is missing, or change the packages of the image");
        }
        return fail(std::move(problem));
    }
    std::vector<ResolvedPackage> out;
    for (SolvedPackage& package : *solved) {
        out.push_back({&repository.items.at(package.index), std::move(package.reason)});
    }
    return out;
}

void explain_requests(std::vector<ResolvedPackage>& packages,
                      const std::map<std::string, std::string>& places) {
    for (ResolvedPackage& package : packages) {
        if (package.reason != "requested") {
            continue;
        }
        auto found = places.find(package.item->nevra.name);
        for (std::size_t i = 0; found == places.end() && i < package.item->provides.size(); ++i) {
            const std::string& provided = package.item->provides[i];
            found = places.find(provided.substr(0, provided.find(' ')));
        }
        if (found != places.end()) {
            package.reason = found->second;
        }
    }
}

Result<std::vector<Tree>> open_packages(const Store& store,
                                        const RepoIndex& repository,
                                        const Keyring& keyring,
                                        const std::vector<ResolvedPackage>& packages,
                                        const OpenOptions& options,
                                        Reporter& reporter) {
    const std::string keys = fingerprints(keyring);
    std::vector<Tree> trees(packages.size());
    std::atomic<std::uint64_t> done = 0;
    reporter.begin("packages", packages.size(), "packages");
    auto result = parallel_for(
        packages.size(), options.jobs, options.stop, [&](std::size_t i) -> Result<void> {
            const RepoIndex::Item& item = *packages[i].item;
            TARN_TRY(bring(store, repository, item));
            TARN_TRY(verify(store, item, keyring, keys));
            trees[i] = TARN_TRY(rpm::payload_tree(store, item.rpm));
            reporter.advance(++done, item.nevra.name);
            return {};
        });
    reporter.end();
    TARN_TRY(std::move(result));
    return trees;
}

Result<MergedPackages> merge_packages(const std::vector<ResolvedPackage>& packages,
                                      const std::vector<Tree>& trees) {
    std::vector<const Tree*> pointers;
    for (const Tree& tree : trees) {
        pointers.push_back(&tree);
    }
    MergeResult merged = merge(pointers);
    if (!merged.conflicts.empty()) {
        Error problem =
            error(ErrorKind::kFailed, "packages of the image have different files of one name");
        for (std::size_t i = 0; i < std::min(merged.conflicts.size(), kShownConflicts); ++i) {
            const TreeConflict& conflict = merged.conflicts[i];
            problem.notes.push_back(fmt::format("/{}: {} and {}",
                                                conflict.path,
                                                packages[conflict.first].item->nevra.to_string(),
                                                packages[conflict.second].item->nevra.to_string()));
        }
        if (merged.conflicts.size() > kShownConflicts) {
            problem.notes.push_back(
                fmt::format("... and {} more", merged.conflicts.size() - kShownConflicts));
        }
        problem.help.push_back(
            "leave the file out of one of them (`exclude-paths` of its import, "
            "or %files of its spec), or leave one package out of the image");
        return fail(std::move(problem));
    }
    MergedPackages out;
    out.bytes.resize(packages.size());
    for (std::size_t i = 0; i < merged.owner.size(); ++i) {
        const TreeEntry& entry = merged.tree.entries()[i];
        out.owner.emplace(entry.path, merged.owner[i]);
        if (entry.kind == EntryKind::kFile && entry.hardlink.empty()) {
            out.bytes[merged.owner[i]] += entry.content.size;
        }
    }
    out.tree = std::move(merged.tree);
    return out;
}

}  // namespace tarn::image
