// SPDX-License-Identifier: MIT
// Names, versions and descriptions: what `rpm -qi` shows.
#include "base/strings.hh"
#include "import/detail/draft.hh"

namespace tarn::import {

namespace {

std::string field(const debian::Stanza& control, const std::string& name) {
    const auto at = control.find(name);
    return at == control.end() ? std::string() : std::string(trim(at->second));
}

// The lines after the synopsis: one leading space is the format's, a lone "." an empty line.
std::string long_description(const std::string& description) {
    std::string out;
    bool first = true;
    for (std::string_view line : split_lines(description)) {
        if (std::exchange(first, false)) {
            continue;
        }
        if (line.starts_with(' ') || line.starts_with('\t')) {
            line.remove_prefix(1);
        }
        if (trim(line) != ".") {
            out += line;
        }
        out += '\n';
    }
    return std::string(trim(out));
}

std::string rpm_architecture(const std::string& debian) {
    if (debian == "all") {
        return "noarch";
    }
    if (debian == "amd64") {
        return "x86_64";
    }
    if (debian == "arm64") {
        return "aarch64";
    }
    return {};
}

// "glibc (2.43-7)" -> "glibc-2.43-7.tn1.src.rpm"; without a Source field the package is its own.
std::string source_rpm(const std::string& source,
                       const std::string& package,
                       const std::string& version,
                       const std::string& suffix) {
    std::string name = source.empty() ? package : source;
    std::string source_version = version;
    if (const std::size_t open = name.find('('); open != std::string::npos) {
        const std::size_t close = name.find(')', open);
        source_version = trim(std::string_view(name).substr(open + 1, close - open - 1));
        name = trim(std::string_view(name).substr(0, open));
    }
    const rpm::Evr evr = convert_version(source_version, suffix);
    return fmt::format("{}-{}-{}.src.rpm", name, evr.version, evr.release);
}

std::string vendor_of(const Project& project) {
    const Distro* distro = project.distro(project.default_distro);
    if (distro != nullptr && !distro->description.empty()) {
        return distro->description;
    }
    return project.description.empty() ? project.name : project.description;
}

}  // namespace

rpm::PackageMeta metadata_of(const debian::Stanza& control,
                             const Project& project,
                             const ImportRule& rule,
                             std::int64_t newest,
                             Problems& problems) {
    const std::string version = field(control, "Version");
    const std::string architecture = field(control, "Architecture");
    const std::string& suffix = project.import_policy.release_suffix;
    rpm::PackageMeta meta;
    meta.nevra.name = rule.name.empty() ? rule.package : rule.name;
    meta.nevra.evr = convert_version(version, suffix);
    meta.nevra.arch = rpm_architecture(architecture);
    if (version.empty()) {
        problems.error(fmt::format("the control file of `{}` gives no Version", rule.package));
    }
    if (meta.nevra.arch.empty()) {
        problems.error(fmt::format("`{}` is for architecture `{}`, which cannot be imported",
                                   rule.package,
                                   architecture),
                       "amd64, arm64 and all can");
    }
    const std::string description = field(control, "Description");
    meta.summary = trim(std::string_view(description).substr(0, description.find('\n')));
    meta.summary = meta.summary.empty() ? meta.nevra.name : meta.summary;
    meta.description = long_description(description);
    meta.description = meta.description.empty() ? meta.summary : meta.description;
    meta.group = "Unspecified";
    meta.url = field(control, "Homepage");
    meta.vendor = vendor_of(project);
    meta.packager = meta.vendor;
    meta.distribution = meta.vendor;
    meta.source_rpm = source_rpm(field(control, "Source"), rule.package, version, suffix);
    meta.build_host = "tarn";
    meta.build_time = newest;
    return meta;
}

}  // namespace tarn::import
