// SPDX-License-Identifier: MIT
// One package in the XML of rpm-md. The fields and their order are those createrepo_c writes.
#include "repo/detail/fragments.hh"

#include "base/strings.hh"
#include "repo/detail/xml.hh"

#include <cctype>
#include <unordered_set>

namespace tarn::repo {

namespace {

constexpr std::uint32_t kLess = 2;
constexpr std::uint32_t kGreater = 4;
constexpr std::uint32_t kEqual = 8;
constexpr std::uint32_t kPrerequisite = 64 | 512 | 1024 | 2048 | 4096;  // PREREQ, %pre, %post, ...
constexpr std::uint32_t kRpmlib = 1u << 24;

std::string architecture(const rpm::PackageInfo& info) {
    return info.is_source ? "src" : info.meta.nevra.arch;
}

std::string version_attributes(const rpm::Evr& evr) {
    return fmt::format("epoch=\"{}\" ver=\"{}\" rel=\"{}\"",
                       evr.epoch.value_or(0),
                       escaped(evr.version),
                       escaped(evr.release));
}

std::string_view comparison(std::uint32_t flags) {
    switch (flags & (kLess | kGreater | kEqual)) {
        case kLess:
            return "LT";
        case kGreater:
            return "GT";
        case kEqual:
            return "EQ";
        case kLess | kEqual:
            return "LE";
        case kGreater | kEqual:
            return "GE";
        default:
            return {};
    }
}

// "1:2.3-4": epoch 0 when none is given; a version without release has no rel attribute.
void append_evr(std::string& out, std::string_view evr) {
    std::string_view epoch = "0";
    const std::size_t colon = evr.find(':');
    if (colon != std::string_view::npos) {
        epoch = colon == 0 ? epoch : evr.substr(0, colon);
        evr.remove_prefix(colon + 1);
    }
    const std::size_t dash = evr.rfind('-');
    out += fmt::format(" epoch=\"{}\" ver=\"{}\"", escaped(epoch), escaped(evr.substr(0, dash)));
    if (dash != std::string_view::npos) {
        out += fmt::format(" rel=\"{}\"", escaped(evr.substr(dash + 1)));
    }
}

void append_entries(std::string& out,
                    std::string_view tag,
                    const std::vector<rpm::Dependency>& dependencies) {
    std::string entries;
    std::unordered_set<std::string> seen;
    for (const rpm::Dependency& each : dependencies) {
        // What this rpm itself must be able to do is no other package's business.
        if ((each.flags & kRpmlib) != 0 || each.name.starts_with("rpmlib(")) {
            continue;
        }
        std::string entry = "      <rpm:entry name=\"";
        append_escaped(entry, each.name);
        entry += '"';
        const std::string_view sense = comparison(each.flags);
        if (!sense.empty() && !each.evr.empty()) {
            entry += fmt::format(" flags=\"{}\"", sense);
            append_evr(entry, each.evr);
        }
        if (tag == "requires" && (each.flags & kPrerequisite) != 0) {
            entry += " pre=\"1\"";
        }
        entry += "/>\n";
        if (seen.insert(entry).second) {
            entries += entry;
        }
    }
    if (!entries.empty()) {
        out += fmt::format("    <rpm:{}>\n{}    </rpm:{}>\n", tag, entries, tag);
    }
}

void append_file(std::string& out, std::string_view indent, const rpm::PackageFile& file) {
    out += indent;
    out += "<file";
    if (file.entry.kind == EntryKind::kDirectory) {
        out += " type=\"dir\"";
    } else if ((file.flags & rpm::kFileGhost) != 0) {
        out += " type=\"ghost\"";
    }
    out += ">/";
    append_escaped(out, file.entry.path);
    out += "</file>\n";
}

void append_element(std::string& out,
                    std::string_view indent,
                    std::string_view tag,
                    std::string_view text) {
    if (text.empty()) {
        out += fmt::format("{}<{}/>\n", indent, tag);
    } else {
        out += fmt::format("{}<{}>{}</{}>\n", indent, tag, escaped(text), tag);
    }
}

void append_format(std::string& out, const rpm::PackageInfo& info) {
    const rpm::PackageMeta& meta = info.meta;
    out += "  <format>\n";
    append_element(out, "    ", "rpm:license", meta.license);
    append_element(out, "    ", "rpm:vendor", meta.vendor);
    append_element(out, "    ", "rpm:group", meta.group);
    append_element(out, "    ", "rpm:buildhost", meta.build_host);
    append_element(out, "    ", "rpm:sourcerpm", info.is_source ? "" : meta.source_rpm);
    out += fmt::format(
        "    <rpm:header-range start=\"{}\" end=\"{}\"/>\n", info.header_start, info.header_end);
    append_entries(out, "provides", meta.provides);
    append_entries(out, "requires", meta.requires_);
    append_entries(out, "conflicts", meta.conflicts);
    append_entries(out, "obsoletes", meta.obsoletes);
    append_entries(out, "suggests", meta.suggests);
    append_entries(out, "enhances", meta.enhances);
    append_entries(out, "recommends", meta.recommends);
    append_entries(out, "supplements", meta.supplements);
    for (const rpm::PackageFile& each : info.files) {
        if (is_primary_path("/" + each.entry.path)) {
            append_file(out, "    ", each);
        }
    }
    out += "  </format>\n";
}

std::string primary_of(const RepoPackage& package) {
    const rpm::PackageMeta& meta = package.info.meta;
    std::string out = "<package type=\"rpm\">\n";
    append_element(out, "  ", "name", meta.nevra.name);
    append_element(out, "  ", "arch", architecture(package.info));
    out += fmt::format("  <version {}/>\n", version_attributes(meta.nevra.evr));
    out +=
        fmt::format("  <checksum type=\"sha256\" pkgid=\"YES\">{}</checksum>\n", package.rpm.hex());
    append_element(out, "  ", "summary", meta.summary);
    append_element(out, "  ", "description", meta.description);
    append_element(out, "  ", "packager", meta.packager);
    append_element(out, "  ", "url", meta.url);
    // The time of the file is that of its making: a copy of it is the same package.
    out += fmt::format("  <time file=\"{}\" build=\"{}\"/>\n", meta.build_time, meta.build_time);
    out += fmt::format("  <size package=\"{}\" installed=\"{}\" archive=\"{}\"/>\n",
                       package.rpm.size,
                       package.info.installed_size,
                       package.info.archive_size);
    out += fmt::format("  <location href=\"{}\"/>\n", escaped(package.location));
    append_format(out, package.info);
    return out + "</package>\n";
}

std::string package_head(const RepoPackage& package) {
    const rpm::Nevra& nevra = package.info.meta.nevra;
    return fmt::format("<package pkgid=\"{}\" name=\"{}\" arch=\"{}\">\n  <version {}/>\n",
                       package.rpm.hex(),
                       escaped(nevra.name),
                       escaped(architecture(package.info)),
                       version_attributes(nevra.evr));
}

}  // namespace

bool is_primary_path(std::string_view absolute) {
    return absolute.starts_with("/etc/") || absolute == "/usr/lib/sendmail" ||
           contains(absolute, "bin/");
}

std::string location_of(const rpm::PackageInfo& info) {
    rpm::Nevra nevra = info.meta.nevra;
    nevra.arch = architecture(info);
    const auto first = static_cast<unsigned char>(nevra.name.empty() ? '_' : nevra.name.front());
    return fmt::format("Packages/{}/{}", static_cast<char>(std::tolower(first)), nevra.file_name());
}

Fragment make_fragment(const RepoPackage& package) {
    Fragment out;
    const rpm::Nevra& nevra = package.info.meta.nevra;
    out.name = nevra.name;
    out.evr = nevra.evr.to_string();
    out.arch = architecture(package.info);
    out.location = package.location;
    out.primary = primary_of(package);
    out.filelists = package_head(package);
    for (const rpm::PackageFile& each : package.info.files) {
        append_file(out.filelists, "  ", each);
    }
    out.filelists += "</package>\n";
    out.other = package_head(package);
    for (const rpm::ChangelogEntry& each : package.info.meta.changelog) {
        out.other += fmt::format("  <changelog author=\"{}\" date=\"{}\">{}</changelog>\n",
                                 escaped(each.author),
                                 each.time,
                                 escaped(each.text));
    }
    out.other += "</package>\n";
    return out;
}

}  // namespace tarn::repo
