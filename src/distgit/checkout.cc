// SPDX-License-Identifier: MIT
// The contents of commits.
#include "base/fs.hh"
#include "distgit/detail/session.hh"

#include <nlohmann/json.hpp>

#include <set>

namespace tarn::distgit {

using detail::Host;
using detail::Place;

namespace {

constexpr std::uint64_t kLargestFile = 512ULL << 20;
constexpr std::size_t kLongestTarget = 4096;

Digest key_of(const git::ObjectId& commit) {
    return KeyBuilder("dist-git tree", 1).field("commit", commit).key();
}

std::optional<Tree> remembered(const Store& store, const git::ObjectId& commit) {
    const auto text = store.result("distgit", key_of(commit));
    if (!text) {
        return std::nullopt;
    }
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object() || !json.contains("tree") || !json["tree"].is_string()) {
        return std::nullopt;
    }
    const auto digest = Digest::parse(json["tree"].get<std::string>());
    if (!digest) {
        return std::nullopt;
    }
    auto tree = store.read_tree(*digest);
    if (!tree) {
        return std::nullopt;
    }
    for (const TreeEntry& entry : tree->entries()) {
        if (entry.kind == EntryKind::kFile && !store.has(entry.content)) {
            return std::nullopt;
        }
    }
    return std::move(*tree);
}

Result<std::vector<git::ObjectId>> without_those_there(const std::string& repository,
                                                       const std::set<git::ObjectId>& ids) {
    const git::Repository opened = TARN_TRY(git::Repository::open(repository));
    std::vector<git::ObjectId> missing;
    for (const git::ObjectId& id : ids) {
        if (!opened.has(id)) {
            missing.push_back(id);
        }
    }
    return missing;
}

// At most one request.
Result<void> bring(const Host& host, const Place& place, const std::set<git::ObjectId>& ids,
                   const Options& options) {
    const auto missing = [&] { return without_those_there(host.path(), ids); };
    const std::vector<git::ObjectId> now = TARN_TRY(missing());
    if (now.empty()) {
        return {};
    }
    if (options.offline) {
        return fail(error(ErrorKind::kNetwork,
                          "{}: {} files of {} were not fetched so far, and --offline forbids to",
                          place.package,
                          now.size(),
                          place.shown)
                        .advise("run once without --offline"));
    }
    return host.fetch_objects(place, options, missing);
}

Result<TreeEntry> tree_entry(const git::Repository& repository, const Store& store,
                             const git::Entry& file) {
    std::string bytes = TARN_TRY(repository.blob(file.id, kLargestFile));
    TreeEntry entry;
    entry.path = file.path;
    if (file.type == git::EntryType::kSymlink) {
        if (bytes.empty() || bytes.size() > kLongestTarget ||
            bytes.find('\0') != std::string::npos) {
            return fail(ErrorKind::kCorrupt, "{} is a link without a usable target", file.path);
        }
        entry.kind = EntryKind::kSymlink;
        entry.mode = 0777;
        entry.target = std::move(bytes);
        return entry;
    }
    entry.mode = file.type == git::EntryType::kExecutable ? 0755 : 0644;
    entry.content = TARN_TRY(store.put(bytes));
    return entry;
}

Result<Tree> read_commit(const Host& host, const Store& store,
                         const std::vector<git::Entry>& files) {
    const git::Repository repository = TARN_TRY(git::Repository::open(host.path()));
    std::vector<TreeEntry> entries;
    for (const git::Entry& file : files) {
        if (file.type != git::EntryType::kSubmodule) {
            entries.push_back(TARN_TRY(tree_entry(repository, store, file)));
        }
    }
    return Tree::make(std::move(entries));
}

Error in_commit(Error why, const Place& place, const git::ObjectId& commit) {
    return std::move(why).context(
        fmt::format("{}: commit {} of {}", place.package, commit.substr(0, 12), place.shown));
}

}  // namespace

Result<Tree> DistGit::checkout(const Store& store, const PackageSource& source,
                               const git::ObjectId& commit) {
    const Place place = TARN_TRY(detail::place_of(source));
    if (auto tree = remembered(store, commit)) {
        return std::move(*tree);
    }
    const git::ObjectId id = TARN_TRY(resolve(source, {commit, {}}));
    const Host host = TARN_TRY(Host::open(directory_, place));
    const git::Repository repository = TARN_TRY(git::Repository::open(host.path()));
    const auto files = repository.list(id);
    if (!files) {
        return fail(in_commit(files.error(), place, id));
    }
    std::set<git::ObjectId> ids;
    for (const git::Entry& file : *files) {
        if (file.type != git::EntryType::kSubmodule) {
            ids.insert(file.id);
        }
    }
    TARN_TRY(bring(host, place, ids, options_));
    const auto tree = read_commit(host, store, *files);
    if (!tree) {
        return fail(in_commit(tree.error(), place, id));
    }
    const Digest digest = TARN_TRY(store.put_tree(*tree));
    const nlohmann::json json = {{"commit", id}, {"tree", digest.to_string()}};
    TARN_TRY(store.put_result("distgit", key_of(id), json.dump()));
    return *tree;
}

Result<git::Repository> DistGit::history(const PackageSource& source, const git::ObjectId& tip,
                                         const std::vector<std::string>& files) {
    const Place place = TARN_TRY(detail::place_of(source));
    const git::ObjectId id = TARN_TRY(resolve(source, {tip, {}}));
    const Host host = TARN_TRY(Host::open(directory_, place));
    git::Repository repository = TARN_TRY(git::Repository::open(host.path()));
    const auto commits = repository.ancestors(id);
    if (!commits) {
        return fail(in_commit(commits.error(), place, id));
    }
    std::set<git::ObjectId> ids;
    for (const git::Commit& commit : *commits) {
        for (const std::string& file : files) {
            const auto entry = TARN_TRY(repository.find(commit.id, file));
            if (entry && entry->type != git::EntryType::kDirectory &&
                entry->type != git::EntryType::kSubmodule) {
                ids.insert(entry->id);
            }
        }
    }
    TARN_TRY(bring(host, place, ids, options_));
    return git::Repository::open(host.path());
}

}  // namespace tarn::distgit
