// SPDX-License-Identifier: MIT
#include "inspect/size.hh"

#include "base/strings.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace tarn::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kBar = 24;  // characters of a whole
constexpr std::string_view kForeign = "(not from a package)";

// Bytes by directory, and at the end a tree of them.
class Gatherer {
  public:
    explicit Gatherer(std::size_t depth) : depth_(depth) {}

    void add(std::string_view path, std::uint64_t bytes) {
        std::size_t end = 0;
        std::string directory;
        for (std::size_t part = 0; part < depth_; ++part) {
            const std::size_t slash = path.find('/', end);
            if (slash == std::string_view::npos) {
                break;
            }
            directory = path.substr(0, slash);
            end = slash + 1;
        }
        auto& [sum, files] = sums_[directory];
        sum += bytes;
        ++files;
    }
    SizeNode node(std::string name) const {
        SizeNode out{std::move(name), 0, 0, {}};
        for (const auto& [directory, sum] : sums_) {
            out.bytes += sum.first;
            out.files += sum.second;
            out.children.push_back({"/" + directory, sum.first, sum.second, {}});
        }
        return out;
    }

  private:
    std::size_t depth_;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> sums_;
};

void sort_by_size(SizeNode& node) {
    std::ranges::sort(node.children, [](const SizeNode& a, const SizeNode& b) {
        return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
    });
    for (SizeNode& child : node.children) {
        sort_by_size(child);
    }
}

bool counts(const TreeEntry& entry) {
    return entry.kind == EntryKind::kFile && entry.hardlink.empty();
}

std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return out;
}

// Eighths of a character, so that small shares can be told apart.
std::string bar_of(std::uint64_t bytes, std::uint64_t whole) {
    constexpr std::array<std::string_view, 8> kPart = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const double share = whole == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(whole);
    const auto eighths = static_cast<std::size_t>(share * kBar * 8);
    std::string out;
    for (std::size_t i = 0; i < eighths / 8; ++i) {
        out += "█";
    }
    return out + std::string(kPart[eighths % 8]);
}

std::string share_of(std::uint64_t bytes, std::uint64_t whole) {
    const std::uint64_t percent = whole == 0 ? 0 : bytes * 100 / whole;
    return percent == 0 && bytes > 0 ? "<1" : fmt::format("{}", percent);
}

void add_lines(std::string& out,
               const SizeNode& node,
               std::uint64_t whole,
               std::size_t top,
               std::size_t inner,
               std::size_t width,
               const std::string& indent) {
    const auto line = [&](const std::string& name, std::uint64_t bytes, const std::string& bar) {
        out += fmt::format("{}{:<{}} {:>10} {:>3}%{}{}\n",
                           indent,
                           name,
                           width - indent.size(),
                           human_size(bytes),
                           share_of(bytes, whole),
                           bar.empty() ? "" : " ",
                           bar);
    };
    std::uint64_t rest = node.bytes;
    for (std::size_t i = 0; i < std::min(top, node.children.size()); ++i) {
        const SizeNode& child = node.children[i];
        if (child.bytes == 0) {
            break;
        }
        line(shown(child.name), child.bytes, bar_of(child.bytes, whole));
        rest -= child.bytes;
        if (inner > 0 && child.children.size() > 1) {
            add_lines(out, child, whole, inner, 0, width, indent + "  ");
        }
    }
    if (rest > 0 && node.children.size() > top) {
        line(fmt::format("... {} more", node.children.size() - top), rest, "");
    }
}

Json node_json(const SizeNode& node) {
    Json out = {{"name", node.name}, {"bytes", node.bytes}, {"files", node.files}};
    if (!node.children.empty()) {
        out["children"] = Json::array();
        for (const SizeNode& child : node.children) {
            out["children"].push_back(node_json(child));
        }
    }
    return out;
}

std::size_t widest(const SizeNode& node, std::size_t top, std::size_t inner, std::size_t indent) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < std::min(top, node.children.size()); ++i) {
        out = std::max(out, node.children[i].name.size() + indent);
        if (inner > 0) {
            out = std::max(out, widest(node.children[i], inner, 0, indent + 2));
        }
    }
    return out;
}

}  // namespace

std::size_t package_count(const SizeNode& packages) {
    return static_cast<std::size_t>(std::ranges::count_if(
        packages.children, [](const SizeNode& node) { return node.name != kForeign; }));
}

SizeNode size_tree(const System& system, std::size_t depth) {
    std::map<std::string, std::string, std::less<>> owner;
    for (const rpm::InstalledPackage& package : system.packages) {
        for (const rpm::PackageFile& file : package.info.files) {
            if ((file.flags & rpm::kFileGhost) == 0) {
                owner.try_emplace(file.entry.path, package.info.meta.nevra.name);
            }
        }
    }
    std::map<std::string, Gatherer> packages;
    for (const TreeEntry& entry : system.artifact.tree.entries()) {
        if (counts(entry)) {
            const auto found = owner.find(entry.path);
            const std::string name = found == owner.end() ? std::string(kForeign) : found->second;
            packages.try_emplace(name, depth).first->second.add(entry.path, entry.content.size);
        }
    }
    SizeNode out{system.artifact.path, 0, 0, {}};
    for (const auto& [name, gatherer] : packages) {
        out.children.push_back(gatherer.node(name));
        out.bytes += out.children.back().bytes;
        out.files += out.children.back().files;
    }
    sort_by_size(out);
    return out;
}

SizeNode directory_tree(const Tree& tree, std::string name, std::size_t depth) {
    Gatherer all(depth);
    for (const TreeEntry& entry : tree.entries()) {
        if (counts(entry)) {
            all.add(entry.path, entry.content.size);
        }
    }
    SizeNode out = all.node(std::move(name));
    sort_by_size(out);
    return out;
}

std::string size_text(const SizeNode& packages,
                      const SizeNode& directories,
                      std::size_t top,
                      std::size_t inner) {
    std::string out = fmt::format("{}: {} in {} files, {} packages\n",
                                  packages.name,
                                  human_size(packages.bytes),
                                  packages.files,
                                  package_count(packages));
    const std::size_t width = std::clamp<std::size_t>(
        std::max(widest(packages, top, inner, 2), widest(directories, top, 0, 2)), 18, 60);
    out += "\nby package\n";
    add_lines(out, packages, packages.bytes, top, inner, width, "  ");
    out += "\nby directory\n";
    add_lines(out, directories, directories.bytes, top, 0, width, "  ");
    return out;
}

std::string size_json(const SizeNode& packages) {
    Json out = {{"version", 1}};
    out["image"] = node_json(packages);
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tarn::inspect
