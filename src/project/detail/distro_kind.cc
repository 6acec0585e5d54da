// SPDX-License-Identifier: MIT
// Distributions, their versions, references to them; publish channels; RPM repositories.
#include "base/fs.hh"
#include "base/strings.hh"
#include "project/detail/checks.hh"
#include "project/detail/collected.hh"

#include <algorithm>
#include <set>

namespace tarn::declaration {
namespace {

const TableKind<ExpiredRelease>& expired_release_kind() {
    using K = Keys<ExpiredRelease>;
    static const TableKind<ExpiredRelease> kind = {
        "expired-release",
        {
            {"accept", K::flag(&ExpiredRelease::accept), Need::kRequired},
            {"reason", K::text(&ExpiredRelease::reason), Need::kRequired},
            {"not-before", K::text(&ExpiredRelease::not_before), Need::kRequired},
        }};
    return kind;
}

const TableKind<InputReference>& input_kind() {
    using K = Keys<InputReference>;
    static const TableKind<InputReference> kind = {
        "input",
        {{"repo", K::text(&InputReference::repo)}, {"set", K::text(&InputReference::set)}},
        [](Reading& reading, const Value&, InputReference& input) {
            if (input.repo.empty() == input.set.empty()) {
                reading.broken_rule(input.where, "an input needs exactly one of `repo` and `set`");
            }
        }};
    return kind;
}

const TableKind<VersionConfig>& inputs_kind() {
    static const TableKind<VersionConfig> kind = {
        "inputs",
        {
            {"rpm-build",
             Keys<DistroVersion>::list(input_kind(), &DistroVersion::rpm_build_inputs)},
            {"image-build",
             Keys<DistroVersion>::list(input_kind(), &DistroVersion::image_build_inputs)},
        }};
    return kind;
}

const TableKind<VersionConfig>& version_kind() {
    using K = Keys<VersionConfig>;
    static const TableKind<VersionConfig> kind = {
        "distro version",
        {
            {"description", K::text(&DistroVersion::description)},
            {"release-ver", K::text(&DistroVersion::release_ver)},
            {"dist-git-branch", K::text(&DistroVersion::dist_git_branch)},
            {"suite", K::text(&DistroVersion::suite)},
            {"components", K::texts(&DistroVersion::components)},
            {"expired-release",
             Keys<DistroVersion>::table(expired_release_kind(), &DistroVersion::expired_release)},
            {"default-component-config",
             without_rules(K::table(component_defaults_kind(), &VersionConfig::defaults))},
            {"mock-config", K::path(&DistroVersion::mock_config)},
            {"mock-config-x86_64", K::path(&DistroVersion::mock_config_x86_64)},
            {"mock-config-aarch64", K::path(&DistroVersion::mock_config_aarch64)},
            {"inputs", K::same(inputs_kind())},
        }};
    return kind;
}

struct DistroRepo {
    std::string base_uri;
};

const TableKind<DistroRepo>& distro_repo_kind() {
    static const TableKind<DistroRepo> kind = {
        "repo",
        {{"base-uri", Keys<DistroRepo>::text(&DistroRepo::base_uri), Need::kRequired}}};
    return kind;
}

void read_repos(Reading& reading, const Entry& entry, DistroConfig& out) {
    struct Repos {
        std::vector<DistroRepo> repos;
    } read;
    Keys<Repos>::list(distro_repo_kind(), &Repos::repos)(reading, entry, read);
    out.repo_uris.clear();
    for (DistroRepo& repo : read.repos) {
        out.repo_uris.push_back(std::move(repo.base_uri));
    }
}

// "./x" and "../x" are paths relative to the file that says so; the rest is as azldev has it.
bool is_near(std::string_view address) {
    return address.starts_with("./") || address.starts_with("../");
}

std::string address_of(const Reading& reading, std::string_view text) {
    if (!is_near(text)) {
        return std::string(text);
    }
    std::string directory = reading.directory;
    while (is_near(text)) {
        directory = text.starts_with("../") ? parent_path(directory) : directory;
        text.remove_prefix(text.find('/') + 1);
    }
    std::string address = "file://";
    for (const char c : directory == "/" ? std::string() : directory) {
        // Not of the template: a directory may be called anything.
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || contains("/-_.~+", {&c, 1});
        address += plain ? std::string(1, c) : fmt::format("%{:02X}", unsigned{byte});
    }
    return address + "/" + std::string(text);
}

void read_dist_git(Reading& reading, const Entry& entry, DistroConfig& out) {
    const std::string* value = expect_string(reading, entry);
    if (value != nullptr && !value->empty()) {
        out.dist_git_base_uri = address_of(reading, *value);
        out.dist_git_path = is_near(*value) ? *value : "";
    }
}

void read_lookaside(Reading& reading, const Entry& entry, DistroConfig& out) {
    const std::string* value = expect_string(reading, entry);
    if (value != nullptr && !value->empty()) {
        out.lookaside_base_uri = address_of(reading, *value);
    }
}

void read_mirrors(Reading& reading, const Entry& entry, DistroConfig& out) {
    out.lookaside_mirrors.clear();
    each_string(reading, entry, [&](const Value& value) {
        out.lookaside_mirrors.push_back(address_of(reading, value.text));
    });
}

// Over all files, `false` gives nothing, as for every boolean of the format.
void read_disable_origins(Reading& reading, const Entry& entry, DistroConfig& out) {
    if (expect_kind(reading, entry.key, entry.value, ValueKind::kBoolean)) {
        out.disable_origins |= entry.value.boolean;
    }
}

void check_channel(Reading& reading, const Entry& entry) {
    const std::string& name = entry.value.text;
    if (name == "." || name == ".." || name.find_first_of("/\\") != std::string::npos) {
        reading.broken_rule(entry.value.span,
                            fmt::format("`{}` must be a plain name, or \"none\"", entry.key));
    }
}

Keys<Publish>::Read channel(std::string Publish::* member) {
    return {[member](Reading& reading, const Entry& entry, Publish& out) {
                Keys<Publish>::text(member)(reading, entry, out);
                check_channel(reading, entry);
            },
            Shape{ShapeKind::kText}};
}

// ---- repositories -----------------------------------------------------------------------------

void check_resource_name(Reading& reading, std::string_view name, Span where) {
    if (!is_resource_name(name)) {
        reading.broken_rule(where,
                            fmt::format("\"{}\" cannot be the name of a repository", name),
                            "letters, digits and _ . : - are allowed, beginning with a letter or "
                            "digit");
    }
}

bool is_web(std::string_view uri) {
    return uri.starts_with("http://") || uri.starts_with("https://");
}

// A URL, or a path below the defining file.
template <class T>
typename Keys<T>::Read key_uri(std::string T::* member) {
    return {[member](Reading& reading, const Entry& entry, T& out) {
        const std::string* value = expect_string(reading, entry);
        if (value == nullptr || value->empty()) {
            return;
        }
        if (is_web(*value) || value->starts_with("file:///")) {
            out.*member = *value;
        } else if (value->find("://") != std::string::npos) {
            reading.broken_rule(entry.value.span,
                                fmt::format("`{}` must be http, https, file or a path", entry.key));
        } else {
            out.*member = "file://" + path_value(reading, *value);
        }
    }, Shape{ShapeKind::kText}};
}

void check_repo(Reading& reading, const Value& table, RpmRepo& repo) {
    check_resource_name(reading, repo.name, repo.where);
    const std::string_view address = repo.base_uri.empty() ? "metalink" : "base-uri";
    if (repo.base_uri.empty() == repo.metalink.empty()) {
        reading.broken_rule(repo.where,
                            "a repository needs exactly one of `base-uri` and `metalink`");
    } else if (!is_web(repo.base_uri.empty() ? repo.metalink : repo.base_uri)) {
        reading.broken_rule(place_of(table, address, repo.where),
                            fmt::format("`{}` must begin with http:// or https://", address));
    }
    if (repo.gpg_key.empty() && !repo.disable_gpg_check) {
        reading.broken_rule(repo.where, "a repository needs `gpg-key` or `disable-gpg-check`");
    }
}

void check_subrepo(Reading& reading, const Value& table, SubRepo& subrepo) {
    const bool climbs = subrepo.subpath == ".." || subrepo.subpath.starts_with("../") ||
                        subrepo.subpath.ends_with("/..") || contains(subrepo.subpath, "/../");
    if (subrepo.subpath.starts_with('/') || climbs ||
        subrepo.subpath.find_first_of("?#") != std::string::npos) {
        reading.broken_rule(place_of(table, "subpath", subrepo.where),
                            "`subpath` must be relative, without .., ? and #");
    }
}

void check_repo_set(Reading& reading, const Value& table, RpmRepoSet& set) {
    check_resource_name(reading, set.name, set.where);
    const std::set<std::string> names(set.subrepos.begin(), set.subrepos.end());
    if (names.size() != set.subrepos.size()) {
        reading.broken_rule(place_of(table, "subrepos", set.where),
                            "`subrepos` names a sub-repository twice");
    }
    if (set.gpg_key.empty() && !set.disable_gpg_check) {
        reading.broken_rule(set.where, "a repository set needs `gpg-key` or `disable-gpg-check`");
    }
    if (!set.base_uri.empty() &&
        (!is_web(set.base_uri) || set.base_uri.find_first_of("?#") != std::string::npos)) {
        reading.broken_rule(place_of(table, "base-uri", set.where),
                            "`base-uri` of a repository set must begin with http:// or https://, "
                            "without ? and #");
    }
}

const TableKind<RpmRepo>& repo_kind() {
    using K = Keys<RpmRepo>;
    static const TableKind<RpmRepo> kind = {
        "repository",
        {
            {"description", K::text(&RpmRepo::description)},
            {"type", K::word_text(&RpmRepo::type, {"rpm-md"})},
            {"base-uri", K::text(&RpmRepo::base_uri)},
            {"metalink", K::text(&RpmRepo::metalink)},
            {"disable-gpg-check", K::flag(&RpmRepo::disable_gpg_check)},
            {"gpg-key", key_uri(&RpmRepo::gpg_key)},
            {"arches", K::texts(&RpmRepo::arches)},
        },
        check_repo};
    return kind;
}

const TableKind<RpmRepoSetTemplate>& repo_template_kind() {
    using S = Keys<SubRepo>;
    static const TableKind<SubRepo> subrepo = {
        "sub-repository",
        {
            {"name", S::text(&SubRepo::name), Need::kRequired},
            {"subpath", S::text(&SubRepo::subpath), Need::kRequired},
            {"kind", S::word_text(&SubRepo::kind, {"binary", "debug", "source"})},
        },
        check_subrepo};
    using K = Keys<RpmRepoSetTemplate>;
    static const TableKind<RpmRepoSetTemplate> kind = {
        "repository set template",
        {
            {"description", K::text(&RpmRepoSetTemplate::description)},
            {"subrepos", K::list(subrepo, &RpmRepoSetTemplate::subrepos)},
        },
        [](Reading& reading, const Value&, RpmRepoSetTemplate& made) {
            check_resource_name(reading, made.name, made.where);
            if (made.subrepos.empty()) {
                reading.broken_rule(made.where, "a template needs `subrepos`");
            }
            std::map<std::string, Span> seen;
            for (const SubRepo& each : made.subrepos) {
                const auto [first, fresh] = seen.try_emplace(each.name, each.where);
                if (!fresh) {
                    reading.duplicate(
                        fmt::format("sub-repository `{}` is defined twice", each.name),
                        each.where,
                        first->second,
                        reading.severity_of_rules());
                }
                check_resource_name(reading, each.name, each.where);
            }
        }};
    return kind;
}

const TableKind<RpmRepoSet>& repo_set_kind() {
    using K = Keys<RpmRepoSet>;
    static const TableKind<RpmRepoSet> kind = {
        "repository set",
        {
            {"description", K::text(&RpmRepoSet::description)},
            {"template", K::text(&RpmRepoSet::template_name), Need::kRequired},
            {"base-uri", K::text(&RpmRepoSet::base_uri), Need::kRequired},
            {"name-prefix", K::text(&RpmRepoSet::name_prefix)},
            {"gpg-key", key_uri(&RpmRepoSet::gpg_key)},
            {"disable-gpg-check", K::flag(&RpmRepoSet::disable_gpg_check)},
            {"arches", K::texts(&RpmRepoSet::arches)},
            {"subrepos", K::texts(&RpmRepoSet::subrepos)},
        },
        check_repo_set};
    return kind;
}

}  // namespace

const TableKind<DistroReference>& distro_reference_kind() {
    using K = Keys<DistroReference>;
    static const TableKind<DistroReference> kind = {
        "distro reference",
        {
            {"name", K::text(&DistroReference::name)},
            {"version", K::text(&DistroReference::version)},
            {"snapshot", K::text(&DistroReference::snapshot)},
        },
        [](Reading& reading, const Value& table, DistroReference& reference) {
            if (!reference.snapshot.empty() && !is_rfc3339(reference.snapshot)) {
                const Entry* snapshot = table.find("snapshot");
                reading.broken_rule(snapshot == nullptr ? reference.where : snapshot->value.span,
                                    "`snapshot` must be a time as in RFC 3339",
                                    "write it as \"2026-02-24T00:00:00-08:00\"");
            }
            const Entry* name = table.find("name");
            const Entry* version = table.find("version");
            reference.name_where = name != nullptr ? name->value.span : reference.where;
            reference.version_where = version != nullptr ? version->value.span : reference.where;
        }};
    return kind;
}

const TableKind<DistroConfig>& distro_kind() {
    using K = Keys<DistroConfig>;
    static const TableKind<DistroConfig> kind = {
        "distro",
        {
            {"description", K::text(&Distro::description)},
            {"kind",
             Keys<Distro>::word(
                 &Distro::kind,
                 {{"debian", UpstreamKind::kDebian}, {"fedora", UpstreamKind::kFedora}})},
            {"keyrings", K::paths(&Distro::keyrings)},
            {"keyring", K::paths(&Distro::keyrings)},
            {"default-version", K::text(&Distro::default_version)},
            {"dist-git-base-uri", {read_dist_git, Shape{ShapeKind::kText}}},
            {"lookaside-base-uri", {read_lookaside, Shape{ShapeKind::kText}}},
            {"lookaside-mirrors", {read_mirrors, Shape{ShapeKind::kTexts}}},
            {"repos",
             without_rules(Reader<DistroConfig>(
                 read_repos, table_shape(ShapeKind::kTables, distro_repo_kind())))},
            {"disable-origins", {read_disable_origins, Shape{ShapeKind::kFlag}}},
            {"versions", K::replacing_map(version_kind(), &DistroConfig::version_configs)},
        }};
    return kind;
}

const TableKind<Publish>& publish_kind() {
    static const TableKind<Publish> kind = {
        "publish",
        {
            {"rpm-channel", channel(&Publish::rpm_channel)},
            {"srpm-channel", channel(&Publish::srpm_channel)},
            {"debuginfo-channel", channel(&Publish::debuginfo_channel)},
            {"channel",
             {[](Reading& reading, const Entry& entry, Publish& out) {
                  channel (&Publish::older_channel)(reading, entry, out);
                  reading.trap(entry.key_span,
                               "`channel` is the older spelling of `rpm-channel`",
                               "write rpm-channel");
              },
              Shape{ShapeKind::kText}}},
        }};
    return kind;
}

const TableKind<PackageGroup>& package_group_kind() {
    using K = Keys<PackageGroup>;
    static const TableKind<PackageGroup> defaults = {
        "default-package-config",
        {{"publish", K::table(publish_kind(), &PackageGroup::publish)}}};
    static const TableKind<PackageGroup> kind = {
        "package group",
        {
            {"description", K::text(&PackageGroup::description)},
            {"packages", K::texts(&PackageGroup::packages)},
            {"default-package-config",
             K::same(defaults)},
        }};
    return kind;
}

const TableKind<Resources>& resources_kind() {
    using K = Keys<Resources>;
    static const TableKind<Resources> kind = {
        "resources",
        {
            {"rpm-repos", K::replacing_map(repo_kind(), &Resources::repos)},
            {"rpm-repo-set-templates",
             K::replacing_map(repo_template_kind(), &Resources::templates)},
            {"rpm-repo-sets", K::replacing_map(repo_set_kind(), &Resources::sets)},
        }};
    return kind;
}

}  // namespace tarn::declaration
