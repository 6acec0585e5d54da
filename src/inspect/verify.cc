// SPDX-License-Identifier: MIT
#include "inspect/verify.hh"

#include "rpm/capabilities.hh"
#include "base/fs.hh"
#include "base/hash.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "selinux/selinux.hh"

#include <algorithm>
#include <set>

namespace tarn::inspect {
namespace {


using Ids = std::map<std::string, std::uint32_t>;

// Names to numbers by an account file of the image.
Ids ids_of(const Facts& accounts) {
    Ids out;
    for (const auto& [name, text] : accounts) {
        const std::string_view number = std::string_view(text).substr(0, text.find_first_of(": "));
        if (const auto value = parse_u64(number); value && *value <= 0xffffffffU) {
            out[name] = static_cast<std::uint32_t>(*value);
        }
    }
    return out;
}

std::string capability_of(const TreeEntry& entry) {
    const auto found = entry.xattrs.find(std::string(rpm::kCapabilityAttribute));
    return found == entry.xattrs.end() ? "" : capability_text(found->second);
}

class Verifier {
  public:
    Verifier(const System& system, const Expected& expected)
        : system_(system),
          expected_(expected),
          users_(ids_of(system.users)),
          groups_(ids_of(system.groups)) {}
    VerifyReport run();

  private:
    void problem(std::string path, std::string what) {
        report_.problems.push_back({std::move(path), std::move(what)});
    }
    void check_packages();
    void check_entry(const TreeEntry& entry);
    void check_against(const TreeEntry& entry, const TreeEntry& want, const std::string& source);
    void check_attributes(const TreeEntry& entry);
    void check_missing();
    void explain_parents();
    std::optional<std::uint32_t> number(const Ids& ids, const std::string& name) const {
        const auto found = ids.find(name.empty() ? "root" : name);
        if (found == ids.end()) {
            return name.empty() || name == "root" ? std::optional<std::uint32_t>(0) : std::nullopt;
        }
        return found->second;
    }

    struct Owned {
        TreeEntry entry;
        std::string package;
        std::uint32_t flags = 0;
    };
    const System& system_;
    const Expected& expected_;
    Ids users_, groups_;
    std::map<std::string, Owned, std::less<>> owned_;
    std::vector<const TreeEntry*> unexplained_;
    VerifyReport report_;
};

void Verifier::check_packages() {
    std::set<std::string> installed;
    for (const rpm::InstalledPackage& package : system_.packages) {
        const std::string nevra = package.info.meta.nevra.to_string();
        installed.insert(nevra);
        const auto wanted = expected_.packages.find(nevra);
        if (wanted == expected_.packages.end()) {
            problem(nevra, "is installed, but not in the manifest");
        } else if (!package.rpm_sha256.empty() && package.rpm_sha256 != wanted->second) {
            problem(nevra,
                    fmt::format("was installed from {}, the manifest says {}",
                                package.rpm_sha256.substr(0, 12),
                                wanted->second.substr(0, 12)));
        }
        for (const rpm::PackageFile& file : package.info.files) {
            const auto [place, is_new] =
                owned_.try_emplace(file.entry.path, Owned{file.entry, nevra, file.flags});
            // A file in several packages: what one of them really brings counts.
            if (!is_new && (place->second.flags & rpm::kFileGhost) != 0) {
                place->second = {file.entry, nevra, file.flags};
            }
        }
    }
    for (const auto& [nevra, sum] : expected_.packages) {
        if (!installed.contains(nevra)) {
            problem(nevra, "is in the manifest, but not installed");
        }
    }
    report_.packages = installed.size();
}

void Verifier::check_against(const TreeEntry& entry,
                             const TreeEntry& want,
                             const std::string& source) {
    const auto differ = [&](std::string_view aspect,
                            const std::string& is,
                            const std::string& should) {
        problem("/" + entry.path, fmt::format("{} is {}, {} says {}", aspect, is, source, should));
    };
    if (entry.kind != want.kind) {
        problem("/" + entry.path, fmt::format("is of another kind than {} says", source));
        return;
    }
    if (entry.kind == EntryKind::kSymlink) {
        if (entry.target != want.target) {
            differ("the link's target", entry.target, want.target);
        }
    } else if (entry.mode != want.mode) {
        differ("the mode", fmt::format("{:04o}", entry.mode), fmt::format("{:04o}", want.mode));
    }
    if (entry.kind == EntryKind::kFile && entry.content != want.content) {
        differ("the content", entry.content.hex().substr(0, 12), want.content.hex().substr(0, 12));
    }
    const auto uid = want.user.empty() ? want.uid : number(users_, want.user);
    const auto gid = want.group.empty() ? want.gid : number(groups_, want.group);
    if (entry.uid != uid || entry.gid != gid) {
        differ("the owner",
               fmt::format("{}:{}", entry.uid, entry.gid),
               fmt::format("{}:{}",
                           want.user.empty() ? fmt::format("{}", want.uid) : want.user,
                           want.group.empty() ? fmt::format("{}", want.gid) : want.group));
    }
    if (capability_of(entry) != capability_of(want)) {
        differ(
            "the capabilities", "`" + capability_of(entry) + "`", "`" + capability_of(want) + "`");
    }
}

void Verifier::check_entry(const TreeEntry& entry) {
    ++report_.files;
    check_attributes(entry);
    if (expected_.left_out.contains(entry.path)) {
        problem("/" + entry.path, "is there, the manifest says it was left out");
        return;
    }
    const auto added = expected_.added.find(entry.path);
    if (added != expected_.added.end()) {
        ++report_.added;
        report_.added_files.emplace_back("/" + entry.path, added->second.by);
        check_against(entry, added->second.entry, "the manifest");
        return;
    }
    const auto owned = owned_.find(entry.path);
    if (owned == owned_.end()) {
        unexplained_.push_back(&entry);
        return;
    }
    // A ghost's content is of no package: whoever made it had to say so.
    if ((owned->second.flags & rpm::kFileGhost) != 0) {
        problem("/" + entry.path,
                "is a ghost of " + owned->second.package + ", and the manifest does not name it");
        return;
    }
    ++report_.from_packages;
    check_against(entry, owned->second.entry, owned->second.package);
}

// Packages and manifests know of capabilities alone; labels are the policy's (verify_labels).
void Verifier::check_attributes(const TreeEntry& entry) {
    for (const auto& [name, value] : entry.xattrs) {
        if (name != rpm::kCapabilityAttribute && name != kSelinuxXattr) {
            problem("/" + entry.path,
                    fmt::format("has the attribute {}, which nobody gave it", name));
        }
    }
}

void Verifier::check_missing() {
    const Tree& tree = system_.artifact.tree;
    for (const auto& [path, owned] : owned_) {
        const bool optional = (owned.flags & (rpm::kFileGhost | rpm::kFileMissingOk)) != 0 ||
                              expected_.left_out.contains(path);
        if (!optional && tree.find(path) == nullptr && !path.empty()) {
            problem("/" + path, "is missing; " + owned.package + " has it");
        }
    }
    for (const auto& [path, added] : expected_.added) {
        if (tree.find(path) == nullptr && !path.empty()) {
            problem("/" + path, "is missing; the manifest has it");
        }
    }
}

// Directories that only hold others come into being as root's, 0755.
void Verifier::explain_parents() {
    for (const TreeEntry* entry : unexplained_) {
        const bool plain = entry->kind == EntryKind::kDirectory && entry->mode == 0755 &&
                           entry->uid == 0 && entry->gid == 0;
        const bool needed =
            entry->path.empty() || system_.artifact.tree.below(entry->path).size() > 1;
        if (plain && needed) {
            ++report_.parents;
        } else {
            problem("/" + entry->path, "is of no package, and the manifest does not name it");
        }
    }
}

VerifyReport Verifier::run() {
    check_packages();
    for (const TreeEntry& entry : system_.artifact.tree.entries()) {
        check_entry(entry);
    }
    check_missing();
    explain_parents();
    std::ranges::stable_sort(report_.problems, {}, &VerifyProblem::path);
    return std::move(report_);
}

}  // namespace

VerifyReport verify(const System& system, const Expected& expected) {
    return Verifier(system, expected).run();
}

Result<std::vector<VerifyProblem>> verify_artifacts(
    const std::string& directory,
    const std::vector<std::pair<std::string, std::string>>& sums,
    unsigned jobs,
    std::stop_token stop) {
    std::vector<std::string> found(sums.size());
    TARN_TRY(parallel_for(sums.size(), jobs, stop, [&](std::size_t i) -> Result<void> {
        const auto name = safe_relative_path(sums[i].first, Absolute::kRefuse);
        if (!name) {
            found[i] = "has a name that leaves its directory";
            return {};
        }
        const auto sum = hash_file_hex(HashKind::kSha256, join_path(directory, *name));
        found[i] = !sum                     ? sum.error().message
                   : *sum != sums[i].second ? fmt::format("is {}, {} is expected",
                                                          sum->substr(0, 12),
                                                          sums[i].second.substr(0, 12))
                                            : "";
        return {};
    }));
    std::vector<VerifyProblem> out;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        if (!found[i].empty()) {
            out.push_back({sums[i].first, found[i]});
        }
    }
    return out;
}

}  // namespace tarn::inspect
