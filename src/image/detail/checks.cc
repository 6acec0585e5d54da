// SPDX-License-Identifier: MIT
#include "image/detail/checks.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <sys/stat.h>

#include <algorithm>

namespace tarn::image {
namespace {

constexpr std::size_t kShown = 10;  // of one assertion; more would hide the others

bool any_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

bool in_binary_directory(std::string_view path) {
    return path.starts_with("usr/bin/") || path.starts_with("usr/sbin/") ||
           path.starts_with("usr/libexec/") || path.starts_with("bin/") ||
           path.starts_with("sbin/") || path.starts_with("usr/local/bin/");
}

bool starts_as(std::string_view name, std::string_view program) {
    // python, python3, python3.14, but not python-argcomplete-check-easy-install-script.
    return name.starts_with(program) &&
           name.find_first_not_of("0123456789.", program.size()) == std::string_view::npos;
}

// Whether a file is what `without` names.
bool is_a(std::string_view what, const TreeEntry& entry) {
    const std::string name = file_name(entry.path);
    const bool program = in_binary_directory(entry.path) && entry.kind != EntryKind::kDirectory;
    if (what == "shell") {
        return program && any_of(name, {"sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "mksh",
                                        "csh", "tcsh", "busybox", "rbash"});
    }
    if (what == "python" || what == "perl") {
        return program && starts_as(name, what);
    }
    if (what == "package-manager") {
        return program && any_of(name, {"rpm", "dnf", "dnf5", "yum", "microdnf", "tdnf", "zypper",
                                        "apt", "apt-get", "dpkg"});
    }
    if (what == "setuid") {
        return entry.kind == EntryKind::kFile && (entry.mode & 06000) != 0;
    }
    if (what == "systemd") {
        return entry.path == "usr/lib/systemd/systemd";
    }
    return what == "kernel" && name.starts_with("vmlinuz") && entry.kind == EntryKind::kFile;
}

class Findings {
  public:
    Findings(const std::vector<ResolvedPackage>& packages, const MergedPackages& merged)
        : packages_(packages), merged_(merged) {}

    void file(const std::string& assertion, const TreeEntry& entry) {
        const auto owner = merged_.owner.find(entry.path);
        add(assertion,
            owner == merged_.owner.end()
                ? fmt::format("/{} (added by the image)", entry.path)
                : fmt::format("/{} of {}", entry.path, told(packages_[owner->second])));
    }
    void package(const std::string& assertion, const ResolvedPackage& package) {
        add(assertion, told(package));
    }
    void add(const std::string& assertion, std::string what) {
        if (++counts_[assertion] <= kShown) {
            notes_.push_back(fmt::format("{}: {}", assertion, what));
        }
    }
    Result<void> result(const Image& image) && {
        if (counts_.empty()) {
            return {};
        }
        for (const auto& [assertion, count] : counts_) {
            if (count > kShown) {
                notes_.push_back(fmt::format("{}: and {} more", assertion, count - kShown));
            }
        }
        Error problem =
            error(ErrorKind::kFailed, "the image `{}` is not what its `assert` says", image.name);
        problem.notes = std::move(notes_);
        problem.help.emplace_back(
            "leave the package out with `exclude-packages`, or change the assertion");
        return fail(std::move(problem));
    }

  private:
    static std::string told(const ResolvedPackage& package) {
        return fmt::format("{} ({})", package.item->nevra.to_string(), package.reason);
    }

    const std::vector<ResolvedPackage>& packages_;
    const MergedPackages& merged_;
    std::map<std::string, std::size_t> counts_;
    std::vector<std::string> notes_;
};

void check_sizes(const ImageAssertions& limits, std::size_t packages, const Tree& tree,
                 Findings& findings) {
    const std::uint64_t bytes = tree.content_bytes();
    if (limits.max_content != 0 && bytes > limits.max_content) {
        findings.add("max-content",
                     fmt::format("{} of files, {} allowed",
                                 human_size(bytes),
                                 human_size(limits.max_content)));
    }
    if (limits.max_packages != 0 && packages > static_cast<std::size_t>(limits.max_packages)) {
        findings.add("max-packages",
                     fmt::format("{} packages, {} allowed", packages, limits.max_packages));
    }
}

}  // namespace

Result<void> check_assertions(const Image& image,
                              const std::vector<ResolvedPackage>& packages,
                              const MergedPackages& merged,
                              const Tree& tree) {
    const ImageAssertions& limits = image.assertions;
    Findings findings(packages, merged);
    for (const std::string& pattern : limits.packages) {
        for (const ResolvedPackage& package : packages) {
            if (glob_match(pattern, package.item->nevra.name)) {
                findings.package(fmt::format("no-packages `{}`", pattern), package);
            }
        }
    }
    for (const TreeEntry& entry : tree.entries()) {
        for (const std::string& what : limits.without) {
            if (is_a(what, entry)) {
                findings.file(fmt::format("without `{}`", what), entry);
            }
        }
        for (const std::string& pattern : limits.files) {
            if (glob_match(pattern, "/" + entry.path)) {
                findings.file(fmt::format("no-files `{}`", pattern), entry);
            }
        }
    }
    check_sizes(limits, packages.size(), tree, findings);
    return std::move(findings).result(image);
}

Result<void> check_artifacts(const Image& image,
                             const std::string& directory,
                             const Artifacts& artifacts) {
    const std::uint64_t limit = image.assertions.max_artifact;
    if (limit == 0) {
        return {};
    }
    Error problem =
        error(ErrorKind::kFailed, "the image `{}` is larger than its `assert` allows", image.name);
    for (const auto& [name, sum] : artifacts) {
        const std::string path = join_path(directory, name);
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) {
            return fail(sys_error("look at", path));
        }
        const auto bytes = static_cast<std::uint64_t>(status.st_blocks) * 512;
        if (S_ISREG(status.st_mode) && bytes > limit) {
            problem.notes.push_back(fmt::format("max-artifact: {} takes {} on disk, {} allowed",
                                                name,
                                                human_size(bytes),
                                                human_size(limit)));
        }
    }
    if (problem.notes.empty()) {
        return {};
    }
    problem.help.emplace_back("`tarn image show` shows what takes the room");
    return fail(std::move(problem));
}

}  // namespace tarn::image
