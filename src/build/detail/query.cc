// SPDX-License-Identifier: MIT
#include "build/detail/query.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>
#include <utility>

namespace tarn::build {

namespace {

// Lines of the answers start with a word no spec prints by itself: rpm's warnings lie in between.
constexpr std::string_view kPackageMark = "tarn-package\t";
constexpr std::string_view kProvideMark = "tarn-provides\t";
constexpr std::string_view kRequireMark = "tarn-requires\t";

constexpr const char* kBinaryFormat =
    "tarn-package\t%{NAME}\t%|EPOCH?{%{EPOCH}}:{}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n"
    "[tarn-provides\t%{PROVIDENEVRS}\n]"
    "[tarn-requires\t%{REQUIRENEVRS}\n]";
constexpr const char* kSourceFormat = "[tarn-requires\t%{REQUIRENEVRS}\n]";

constexpr std::size_t kMaximumItems = 200'000;

Result<SpecBinary> parse_package_line(std::string_view line) {
    const auto parts = split(line, '\t');
    if (parts.size() != 5 || parts[0].empty() || parts[2].empty()) {
        return fail(ErrorKind::kCorrupt, "rpmspec answered with an odd line: {}", line);
    }
    SpecBinary binary;
    binary.nevra.name = parts[0];
    if (!parts[1].empty()) {
        const auto epoch = parse_u64(parts[1]);
        if (!epoch || *epoch > UINT32_MAX) {
            return fail(ErrorKind::kCorrupt, "{} has an odd epoch: {}", parts[0], parts[1]);
        }
        binary.nevra.evr.epoch = static_cast<std::uint32_t>(*epoch);
    }
    binary.nevra.evr.version = parts[2];
    binary.nevra.evr.release = parts[3];
    binary.nevra.arch = parts[4];
    return binary;
}

Result<void> parse_binaries(std::string_view text, SpecQuery& query) {
    for (std::string_view line : split_lines(text)) {
        if (line.starts_with(kPackageMark)) {
            query.binaries.push_back(
                TARN_TRY(parse_package_line(line.substr(kPackageMark.size()))));
        } else if (query.binaries.empty()) {
            continue;
        } else if (line.starts_with(kProvideMark)) {
            query.binaries.back().provides.emplace_back(line.substr(kProvideMark.size()));
        } else if (line.starts_with(kRequireMark)) {
            query.binaries.back().requires_.emplace_back(line.substr(kRequireMark.size()));
        }
        if (query.binaries.size() > kMaximumItems) {
            return fail(ErrorKind::kCorrupt, "a spec with more than {} packages", kMaximumItems);
        }
    }
    return {};
}

// A line of %files: attributes such as %config(noreplace) in front of a path.
std::string_view listed_path(std::string_view line) {
    const auto words = split_words(line);
    if (words.empty() || !words.back().starts_with('/')) {
        return {};
    }
    const bool attributes_only = std::all_of(
        words.begin(), words.end() - 1, [](auto word) { return word.starts_with('%'); });
    return attributes_only ? words.back() : std::string_view{};
}

void parse_listed(std::string_view text, SpecQuery& query) {
    bool in_files = false;
    for (std::string_view line : split_lines(text)) {
        if (line.starts_with("%files")) {
            in_files = true;
            continue;
        }
        if (line.starts_with("%changelog")) {
            in_files = false;
        }
        const std::string_view path = in_files ? listed_path(line) : std::string_view{};
        if (path.empty() || path.find_first_of("*?[{") != std::string_view::npos) {
            continue;
        }
        query.listed.emplace_back(path);
        const std::string name = file_name(path);
        if (name.ends_with(".pc") && contains(path, "/pkgconfig/")) {
            query.listed.push_back("pkgconfig(" + name.substr(0, name.size() - 3) + ")");
        }
    }
    std::sort(query.listed.begin(), query.listed.end());
}

}  // namespace

Result<Tree> build_tree(const Rendered& rendered, const Digest& macros) {
    std::vector<TreeEntry> entries;
    for (const char* directory : {"SPECS", "SOURCES"}) {
        TreeEntry entry;
        entry.path = directory;
        entry.kind = EntryKind::kDirectory;
        entry.mode = 0755;
        entries.push_back(std::move(entry));
    }
    for (TreeEntry entry : rendered.sources.entries()) {
        if (entry.path.empty()) {
            continue;
        }
        entry.path = (entry.path == rendered.spec_name ? "SPECS/" : "SOURCES/") + entry.path;
        if (!entry.hardlink.empty()) {
            entry.hardlink = "SOURCES/" + entry.hardlink;
        }
        entries.push_back(std::move(entry));
    }
    TreeEntry file;
    file.path = ".rpmmacros";  // HOME is /build: rpm reads this after every other macro file
    file.mode = 0644;
    file.content = macros;
    entries.push_back(std::move(file));
    return Tree::make(std::move(entries));
}

std::vector<std::string> common_options(const BuildConfig& config,
                                        const std::string& architecture) {
    std::vector<std::string> options = {
        "--target", (architecture.empty() ? "x86_64" : architecture) + "-tarn-linux"};
    const auto define = [&options](std::string text) {
        options.emplace_back("--define");
        options.push_back(std::move(text));
    };
    define("_topdir /build");
    define("_tmppath /tmp");
    define("_buildhost tarn");
    define("source_date_epoch_from_changelog 0");
    define("use_source_date_epoch_as_buildtime 1");
    define("build_mtime_policy clamp_to_source_date_epoch");
    for (const auto& name : config.with) {
        options.insert(options.end(), {"--with", name});
    }
    for (const auto& name : config.without) {
        options.insert(options.end(), {"--without", name});
    }
    for (const auto& [name, value] : config.defines) {
        define(name + " " + value);
    }
    for (const auto& name : config.undefines) {
        options.push_back("--undefine=" + name);
    }
    return options;
}

std::map<std::string, std::string> build_environment(std::int64_t source_date_epoch) {
    return {{"HOME", "/build"},
            {"LANG", "C.UTF-8"},
            {"LC_ALL", "C.UTF-8"},
            {"PATH", "/usr/bin:/usr/sbin"},
            {"SOURCE_DATE_EPOCH", std::to_string(source_date_epoch)},
            {"TZ", "UTC"}};
}

QueryActions query_actions(const std::string& component,
                           const std::string& spec_name,
                           const BuildConfig& config,
                           const Digest& root,
                           const Digest& tree,
                           std::int64_t source_date_epoch,
                           const std::string& architecture) {
    const auto make = [&](std::vector<std::string> question) {
        Action action;
        action.name = component + " (query)";
        action.argv = {"rpmspec"};
        action.argv.insert(action.argv.end(), question.begin(), question.end());
        const auto options = common_options(config, architecture);
        action.argv.insert(action.argv.end(), options.begin(), options.end());
        action.argv.push_back("/build/SPECS/" + spec_name);
        action.environment = build_environment(source_date_epoch);
        action.directory = "/build";
        action.inputs = {{"/", root, false}, {"/build", tree, false}};
        action.timeout_seconds = 120;
        return action;
    };
    return {make({"--query", "--queryformat", kBinaryFormat}),
            make({"--query", "--srpm", "--queryformat", kSourceFormat}),
            make({"--parse"})};
}

Result<SpecQuery> parse_query(std::string_view binaries,
                              std::string_view sources,
                              std::string_view parsed) {
    SpecQuery query;
    TARN_TRY(parse_binaries(binaries, query));
    for (std::string_view line : split_lines(sources)) {
        if (!line.starts_with(kRequireMark)) {
            continue;
        }
        const std::string_view dependency = line.substr(kRequireMark.size());
        if (!dependency.starts_with("rpmlib(")) {  // rpm's own features, satisfied by rpm itself
            query.build_requires.emplace_back(dependency);
        }
    }
    parse_listed(parsed, query);
    return query;
}

std::vector<std::string> spec_errors(std::string_view log, const std::string& spec_name) {
    std::vector<std::string> found;
    for (std::string_view line : split_lines(log)) {
        constexpr std::string_view kError = "error: ";
        if (!line.starts_with(kError) || contains(line, "query of specfile") ||
            contains(line, "rpmdb") || contains(line, "Packages ")) {
            continue;
        }
        line.remove_prefix(kError.size());
        constexpr std::string_view kLine = "line ";
        const std::size_t colon = line.find(": ");
        if (line.starts_with(kLine) && colon != std::string_view::npos &&
            parse_u64(line.substr(kLine.size(), colon - kLine.size()))) {
            found.push_back(spec_name + ":" +
                            std::string(line.substr(kLine.size(), colon - kLine.size())) + ": " +
                            std::string(line.substr(colon + 2)));
        } else {
            found.push_back(spec_name + ": " + std::string(line));
        }
    }
    return found;
}

std::string build_requires_place(std::string_view spec,
                                 const std::string& spec_name,
                                 std::string_view dependency) {
    const auto wanted = split_words(dependency);
    std::size_t number = 0;
    for (std::string_view line : split_lines(spec)) {
        ++number;
        const std::string lower = to_lower(trim(line));
        if (!lower.starts_with("buildrequires") || wanted.empty()) {
            continue;
        }
        const std::string spaced = replace_all(std::string(line), ",", " ");
        const auto words = split_words(spaced);
        if (std::find(words.begin(), words.end(), wanted.front()) != words.end()) {
            return fmt::format("{}:{}", spec_name, number);
        }
    }
    return spec_name;
}

}  // namespace tarn::build
