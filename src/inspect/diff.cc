// SPDX-License-Identifier: MIT
#include "inspect/diff.hh"

#include "rpm/capabilities.hh"
#include "base/hash.hh"
#include "base/strings.hh"
#include "inspect/size.hh"

#include <algorithm>

namespace tarn::inspect {
namespace {

constexpr std::string_view kLabel = "security.selinux";

std::string_view kind_name(EntryKind kind) {
    switch (kind) {
        case EntryKind::kFile:
            return "file";
        case EntryKind::kDirectory:
            return "directory";
        case EntryKind::kSymlink:
            return "link";
        case EntryKind::kCharDevice:
            return "character device";
        case EntryKind::kBlockDevice:
            return "block device";
        case EntryKind::kFifo:
            return "fifo";
    }
    return "unknown";
}

std::string shown_label(const std::string& value) {
    return value.substr(0, value.find('\0'));
}

std::string shown_xattr(const std::string& name, const std::string& value) {
    if (name == kLabel) {
        return "label " + shown_label(value);
    }
    return name == rpm::kCapabilityAttribute ? "capabilities " + capability_text(value)
                               : name + "=0x" + to_hex(value.substr(0, 32));
}

std::string summary(const TreeEntry& entry) {
    std::string out =
        fmt::format("{} {:04o} {}:{}", kind_name(entry.kind), entry.mode, entry.uid, entry.gid);
    if (entry.kind == EntryKind::kFile) {
        out += fmt::format(
            " {} {}", human_size(entry.content.size), entry.content.hex().substr(0, 12));
    } else if (entry.kind == EntryKind::kSymlink) {
        out = "link to " + entry.target;
    }
    return out;
}

// What differs of one path, in two columns of the same aspects.
class Aspects {
  public:
    void add(std::string before, std::string after) {
        if (before != after) {
            before_.push_back(std::move(before));
            after_.push_back(std::move(after));
        }
    }
    bool empty() const { return before_.empty(); }
    Difference difference(std::string name) const {
        return {std::move(name), Change::kChanged, join(before_, ", "), join(after_, ", ")};
    }

  private:
    std::vector<std::string> before_, after_;
};

void add_xattrs(Aspects& out, const TreeEntry& before, const TreeEntry& after) {
    std::map<std::string, std::pair<std::string, std::string>> both;
    for (const auto& [name, value] : before.xattrs) {
        both[name].first = shown_xattr(name, value);
    }
    for (const auto& [name, value] : after.xattrs) {
        both[name].second = shown_xattr(name, value);
    }
    for (const auto& [name, values] : both) {
        const std::string none = name == kLabel        ? "no label"
                                 : name == rpm::kCapabilityAttribute ? "no capabilities"
                                                       : "no " + name;
        out.add(values.first.empty() ? none : values.first,
                values.second.empty() ? none : values.second);
    }
}

Aspects aspects(const TreeEntry& before, const TreeEntry& after) {
    Aspects out;
    if (before.kind != after.kind) {
        out.add(summary(before), summary(after));
        return out;
    }
    out.add(fmt::format("mode {:04o}", before.mode), fmt::format("mode {:04o}", after.mode));
    out.add(fmt::format("owner {}:{}", before.uid, before.gid),
            fmt::format("owner {}:{}", after.uid, after.gid));
    if (before.content != after.content) {
        const bool sized = before.content.size != after.content.size;
        const auto shown = [&](const Digest& digest) {
            return sized ? fmt::format("content {} B", digest.size)
                         : fmt::format("content {}", digest.hex().substr(0, 12));
        };
        out.add(shown(before.content), shown(after.content));
    }
    out.add("to " + before.target, "to " + after.target);
    out.add(fmt::format("device {}:{}", before.device_major, before.device_minor),
            fmt::format("device {}:{}", after.device_major, after.device_minor));
    add_xattrs(out, before, after);
    return out;
}

Section compare_files(const Tree& before, const Tree& after) {
    Section out{"files", {}};
    const auto& a = before.entries();
    const auto& b = after.entries();
    std::size_t i = 0;
    std::size_t k = 0;
    while (i < a.size() || k < b.size()) {
        const int order = i == a.size() ? 1 : k == b.size() ? -1 : a[i].path.compare(b[k].path);
        if (order < 0) {
            out.differences.push_back({"/" + a[i].path, Change::kRemoved, summary(a[i]), {}});
            ++i;
        } else if (order > 0) {
            out.differences.push_back({"/" + b[k].path, Change::kAdded, {}, summary(b[k])});
            ++k;
        } else {
            if (const Aspects found = aspects(a[i], b[k]); !found.empty()) {
                out.differences.push_back(found.difference("/" + a[i].path));
            }
            ++i;
            ++k;
        }
    }
    return out;
}

Section compare_facts(std::string name, const Facts& before, const Facts& after) {
    Section out{std::move(name), {}};
    for (const auto& [key, value] : before) {
        const auto found = after.find(key);
        if (found == after.end()) {
            out.differences.push_back({key, Change::kRemoved, value, {}});
        } else if (found->second != value) {
            out.differences.push_back({key, Change::kChanged, value, found->second});
        }
    }
    for (const auto& [key, value] : after) {
        if (!before.contains(key)) {
            out.differences.push_back({key, Change::kAdded, {}, value});
        }
    }
    std::ranges::stable_sort(out.differences, {}, &Difference::name);
    return out;
}

Facts sizes_of(const System& system) {
    Facts out;
    for (const SizeNode& package : size_tree(system, 1).children) {
        out[package.name] = fmt::format("{} B", package.bytes);
    }
    return out;
}

// Of what both have: what came or went is told among the packages.
Section compare_sizes(const System& before, const System& after) {
    Section out = compare_facts("sizes", sizes_of(before), sizes_of(after));
    std::erase_if(out.differences,
                  [](const Difference& one) { return one.change != Change::kChanged; });
    return out;
}

Facts partitions_of(const Artifact& artifact) {
    Facts out;
    for (const Partition& partition : artifact.partitions) {
        out[fmt::format("{} {}", partition.number, partition.label)] =
            fmt::format("{} at {}, {}",
                        human_size(partition.size),
                        partition.offset,
                        partition.filesystem.empty() ? "no file system" : partition.filesystem);
    }
    return out;
}

Facts boot_of(const Artifact& artifact) {
    Facts out;
    for (const BootFile& file : artifact.boot_files) {
        out["/" + file.path] =
            fmt::format("{} {}", human_size(file.size), file.sha256.substr(0, 12));
    }
    for (const Uki& uki : artifact.ukis) {
        out["/" + uki.path] += fmt::format(", kernel {} {}, initrd {}, {} signature{}",
                                           uki.uname,
                                           human_size(uki.kernel_bytes),
                                           human_size(uki.initrd_bytes),
                                           uki.signatures,
                                           uki.signatures == 1 ? "" : "s");
    }
    return out;
}

}  // namespace

ImageDiff compare(const System& before, const System& after) {
    ImageDiff out;
    out.before = before.artifact.path;
    out.after = after.artifact.path;
    out.bytes_before = before.artifact.tree.content_bytes();
    out.bytes_after = after.artifact.tree.content_bytes();
    const auto add = [&](Section section) {
        if (!section.differences.empty()) {
            out.sections.push_back(std::move(section));
        }
    };
    const auto facts = [&](const char* name, const Facts& a, const Facts& b) {
        add(compare_facts(name, a, b));
    };
    facts("packages", before.package_versions, after.package_versions);
    add(compare_sizes(before, after));
    facts("kernels", before.kernels, after.kernels);
    facts("kernel command line", before.command_line, after.command_line);
    facts("kernel config", before.kernel_config, after.kernel_config);
    facts("units", before.units, after.units);
    facts("ports", before.ports, after.ports);
    facts("sysctl", before.sysctl, after.sysctl);
    facts("users", before.users, after.users);
    facts("groups", before.groups, after.groups);
    facts("privileges", before.privileges, after.privileges);
    facts("partitions", partitions_of(before.artifact), partitions_of(after.artifact));
    facts("boot files", boot_of(before.artifact), boot_of(after.artifact));
    add(compare_files(before.artifact.tree, after.artifact.tree));
    return out;
}

}  // namespace tarn::inspect
