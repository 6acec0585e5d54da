// SPDX-License-Identifier: MIT
#include "import/detail/files.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "rpm/capabilities.hh"
#include "rpm/package.hh"

#include <algorithm>
#include <map>
#include <optional>

namespace tarn::import {

namespace {

constexpr std::uint32_t kSetId = 06000;
const std::string kCapability(rpm::kCapabilityAttribute);

using Entries = std::map<std::string, TreeEntry>;

// "/lib/x" as written in a rule -> "usr/lib/x"; nullopt when it is no safe absolute path.
std::optional<std::string> rule_path(const std::string& path) {
    auto safe = safe_relative_path(path, Absolute::kStrip);
    if (!safe || safe->empty()) {
        return std::nullopt;
    }
    return usr_merged(*safe);
}

std::optional<std::uint32_t> parse_mode(const std::string& text) {
    const auto mode = parse_u64(text, 8);
    if (!mode || *mode > 07777) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*mode);
}

class Mender {
  public:
    Mender(const Store& store,
           const std::string& package,
           std::int64_t time,
           Entries& entries,
           Problems& problems)
        : store_(store), package_(package), time_(time), entries_(entries), problems_(problems) {}

    void link(const ImportLink& link) {
        const auto path = checked(link.path, "links");
        if (!path) {
            return;
        }
        TreeEntry entry;
        entry.path = *path;
        entry.kind = EntryKind::kSymlink;
        entry.mode = 0777;
        entry.mtime = time_;
        entry.target = link.target.starts_with('/') ? usr_merged(link.target) : link.target;
        const auto at = entries_.find(*path);
        const bool same = at != entries_.end() && at->second.kind == EntryKind::kSymlink &&
                          at->second.target == entry.target;
        if (at != entries_.end() && !same) {
            problems_.error(
                fmt::format(
                    "`{}` ships /{} itself; a link of this name is declared", package_, *path),
                fmt::format("drop the link, or exclude the file: exclude-paths = [\"/{}\"]",
                            *path));
            return;
        }
        if (!same) {
            entries_[*path] = std::move(entry);
        }
    }

    void file(const ImportFile& file) {
        const auto path = checked(file.path, "files");
        const auto mode =
            file.mode.empty() ? std::optional<std::uint32_t>(0644) : parse_mode(file.mode);
        if (!path) {
            return;
        }
        if (!mode) {
            problems_.error(
                fmt::format("the mode `{}` of {} is not an octal mode", file.mode, file.path),
                "write it as \"0644\"");
            return;
        }
        auto content =
            file.source.empty() ? store_.put(file.content) : store_.put_file(file.source);
        if (!content) {
            problems_.add(content.error());
            return;
        }
        TreeEntry entry;
        entry.path = *path;
        entry.mode = *mode;
        entry.user = "root";
        entry.group = "root";
        entry.mtime = time_;
        entry.content = *content;
        detach(*path);
        entries_[*path] = std::move(entry);
    }

    void attribute(const ImportAttribute& attribute) {
        const auto path = checked(attribute.path, "attributes");
        if (!path) {
            return;
        }
        const auto at = entries_.find(*path);
        if (at == entries_.end()) {
            std::vector<std::string> candidates;
            for (const auto& [each, entry] : entries_) {
                candidates.push_back("/" + each);
            }
            problems_.error(
                fmt::format(
                    "attributes are declared for /{}, which `{}` does not have", *path, package_),
                did_you_mean("/" + *path, candidates));
            return;
        }
        const std::string leader = at->second.hardlink.empty() ? *path : at->second.hardlink;
        for (auto& [each, entry] : entries_) {
            if (each == leader || entry.hardlink == leader) {
                apply(attribute, entry);
            }
        }
    }

  private:
    // Other names of the file at `path` go on sharing the old contents among themselves.
    void detach(const std::string& path) {
        std::string leader;
        for (auto& [each, entry] : entries_) {
            if (entry.hardlink != path) {
                continue;
            }
            entry.hardlink = leader;
            leader = leader.empty() ? each : leader;
        }
    }

    std::optional<std::string> checked(const std::string& path, std::string_view key) {
        auto result = rule_path(path);
        if (!result) {
            problems_.error(fmt::format("`{}` in `{}` is not an absolute path", path, key));
        }
        return result;
    }

    void apply(const ImportAttribute& attribute, TreeEntry& entry) {
        if (!attribute.mode.empty()) {
            if (const auto mode = parse_mode(attribute.mode)) {
                entry.mode = *mode;
            } else {
                problems_.error(
                    fmt::format(
                        "the mode `{}` of {} is not an octal mode", attribute.mode, attribute.path),
                    "write it as \"4755\"");
            }
        }
        entry.user = attribute.user.empty() ? entry.user : attribute.user;
        entry.group = attribute.group.empty() ? entry.group : attribute.group;
        if (!attribute.capabilities.empty()) {
            if (auto bytes = capability_bytes(attribute.capabilities)) {
                entry.xattrs[kCapability] = std::move(*bytes);
            } else {
                problems_.error(fmt::format("`{}` of {} is no set of capabilities",
                                            attribute.capabilities,
                                            attribute.path),
                                "write it as \"cap_net_raw,cap_net_admin+ep\"");
            }
        }
    }

    const Store& store_;
    const std::string& package_;
    std::int64_t time_;
    Entries& entries_;
    Problems& problems_;
};

// A file that lends its owner's rights is only taken when somebody has said that it may.
void check_privileged(const Entries& entries,
                      const std::string& package,
                      const ImportRule& rule,
                      Problems& problems) {
    for (const auto& [path, entry] : entries) {
        const bool set_id = entry.kind == EntryKind::kFile && (entry.mode & kSetId) != 0;
        const bool capable = entry.xattrs.contains(kCapability);
        if (!set_id && !capable) {
            continue;
        }
        const bool acknowledged =
            std::any_of(rule.attributes.begin(), rule.attributes.end(), [&](const auto& each) {
                const auto named = rule_path(each.path);
                return named && (*named == path || *named == entry.hardlink);
            });
        if (acknowledged) {
            continue;
        }
        problems.error(
            fmt::format(
                "`{}` ships /{} with mode {:04o}{}, owner {}:{}, which nothing acknowledges",
                package,
                path,
                entry.mode,
                capable ? " and capabilities" : "",
                entry.user.empty() ? "root" : entry.user,
                entry.group.empty() ? "root" : entry.group),
            fmt::format("if it is wanted, say so in [imports.{}]: attributes = [{{ path = \"/{}\", "
                        "mode = \"{:04o}\", user = \"{}\", group = \"{}\", reason = \"...\" }}]",
                        package,
                        path,
                        entry.mode,
                        entry.user.empty() ? "root" : entry.user,
                        entry.group.empty() ? "root" : entry.group));
    }
}

bool is_license(std::string_view path) {
    return path.starts_with("usr/share/doc/") && path.ends_with("/copyright") &&
           std::count(path.begin(), path.end(), '/') == 4;
}

bool is_documentation(std::string_view path) {
    return path.starts_with("usr/share/doc/") || path.starts_with("usr/share/man/") ||
           path.starts_with("usr/share/info/");
}

std::vector<std::pair<std::string, std::uint32_t>> make_flags(const Entries& entries,
                                                              const debian::DebPackage& deb,
                                                              const ImportRule& rule) {
    std::map<std::string, std::uint32_t> flags;
    for (const auto& [path, entry] : entries) {
        if (entry.kind == EntryKind::kDirectory) {
            continue;
        }
        if (is_license(path)) {
            flags[path] |= rpm::kFileLicense;
        } else if (is_documentation(path)) {
            flags[path] |= rpm::kFileDoc;
        }
    }
    const auto mark_config = [&](const std::string& written) {
        const auto path = rule_path(written);
        const auto at = path ? entries.find(*path) : entries.end();
        if (at != entries.end() && at->second.kind != EntryKind::kDirectory) {
            flags[*path] |= rpm::kFileConfig | rpm::kFileNoReplace;
        }
    };
    for (const std::string& each : deb.conffiles) {
        mark_config(each);
    }
    // A link below /etc is a setting (localtime, resolv.conf): an update must not undo a change.
    for (const ImportLink& each : rule.links) {
        if (rule_path(each.path).value_or("").starts_with("etc/")) {
            mark_config(each.path);
        }
    }
    for (const ImportFile& each : rule.files) {
        if (each.config) {
            mark_config(each.path);
        }
    }
    return {flags.begin(), flags.end()};
}

std::int64_t newest(const std::vector<TreeEntry>& entries) {
    std::int64_t time = 0;
    for (const TreeEntry& each : entries) {
        time = std::max(time, each.mtime);
    }
    return time;
}

}  // namespace

Files make_files(const Store& store,
                 const debian::DebPackage& deb,
                 const std::string& package,
                 const ImportPolicy& policy,
                 const ImportRule& rule,
                 std::int64_t epoch,
                 Problems& problems) {
    PathPolicy paths{policy.exclude_paths, policy.keep_paths};
    paths.exclude.insert(paths.exclude.end(), rule.exclude_paths.begin(), rule.exclude_paths.end());
    paths.keep.insert(paths.keep.end(), rule.keep_paths.begin(), rule.keep_paths.end());
    std::vector<TreeEntry> kept = merge_usr(deb.data, problems);
    const std::int64_t time = epoch > 0 ? epoch : newest(kept);
    kept = exclude_paths(std::move(kept), paths);

    Entries entries;
    for (TreeEntry& each : kept) {
        each.mtime = epoch > 0 ? std::min(each.mtime, epoch) : each.mtime;
        std::string path = each.path;
        entries.emplace(std::move(path), std::move(each));
    }
    Mender mender(store, package, time, entries, problems);
    for (const ImportLink& each : rule.links) {
        mender.link(each);
    }
    for (const ImportFile& each : rule.files) {
        mender.file(each);
    }
    for (const ImportAttribute& each : rule.attributes) {
        mender.attribute(each);
    }
    check_privileged(entries, package, rule, problems);
    std::erase_if(entries, [](const auto& each) { return is_standard_directory(each.second); });

    Files files;
    files.flags = make_flags(entries, deb, rule);
    std::vector<TreeEntry> all;
    all.reserve(entries.size());
    for (auto& [path, entry] : entries) {
        all.push_back(std::move(entry));
    }
    if (auto tree = Tree::make(std::move(all))) {
        files.tree = std::move(*tree);
    } else {
        problems.add(tree.error());
    }
    return files;
}

std::optional<std::string> capability_bytes(std::string_view text) {
    const auto bytes = rpm::capabilities_to_attribute(std::string(text));
    const auto nothing = rpm::capabilities_to_attribute("=");
    // One that grants nothing is a slip.
    return bytes && *bytes != nothing.value_or("") ? std::optional(*bytes) : std::nullopt;
}

}  // namespace tarn::import
