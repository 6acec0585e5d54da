// SPDX-License-Identifier: MIT
// A declared distribution, resolved from tarn.toml (or azldev.toml) and all it includes. Format:
// the public declaration format of Azure Linux 4.0 (azldev) plus Tarn's own tables `import-groups`,
// `import-policy`, `imports`, `signing`, `publish` and keys of `distros.*.versions.*` and
// `images.*` (docs/formats/project.md). Every path is absolute; every Span says where a value was
// written.
#pragma once

#include "base/result.hh"
#include "diag/diagnostic.hh"
#include "project/image.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

struct DistroReference {
    std::string name;
    std::string version;   // empty: the distro's default-version
    std::string snapshot;  // RFC 3339 or empty
    Span where{};
    Span name_where{}, version_where{};  // of the two values, for messages
};

// ---- distros -------------------------------------------------------------------------------

enum class UpstreamKind { kFedora, kDebian };

// "The Release may be past its Valid-Until, because ...": the project pins a snapshot. One older
// than `not_before` (YYYY-MM-DD) is refused all the same, so that nobody can replay an older one.
struct ExpiredRelease {
    bool accept = false;
    std::string reason;
    std::string not_before;
};

struct InputReference {  // one of the two: a repository or a set of them, of Project::resources
    std::string repo, set;
    Span where{};
};

struct DistroVersion {
    std::string name;
    std::string description;
    std::string release_ver;
    std::string dist_git_branch;
    // upstream kind debian:
    std::string suite;                    // "forky"; default: the version's name
    std::vector<std::string> components;  // {"main"}
    ExpiredRelease expired_release{};
    // kept as read, used by other builders:
    std::string mock_config, mock_config_x86_64, mock_config_aarch64;
    std::vector<InputReference> rpm_build_inputs, image_build_inputs;
    Span where{};
};

struct Distro {
    std::string name;
    std::string description;
    UpstreamKind kind = UpstreamKind::kFedora;
    std::string default_version;
    // Addresses; one that was written as a path ("./x") is a file:// address here.
    std::string dist_git_base_uri;
    std::string dist_git_path;  // that path as written, which locks hash; else empty
    std::string lookaside_base_uri;
    std::vector<std::string> lookaside_mirrors;  // lookaside-mirrors (Tarn's own): tried first, in order
    std::vector<std::string> repo_uris;
    bool disable_origins = false;
    std::vector<std::string> keyrings;  // files of OpenPGP keys that may sign (debian)
    std::map<std::string, DistroVersion> versions;
    Span where{};
};

// ---- components ----------------------------------------------------------------------------

enum class OverlayType {
    kSpecAddTag,
    kSpecInsertTag,
    kSpecSetTag,
    kSpecUpdateTag,
    kSpecRemoveTag,
    kSpecPrependLines,
    kSpecAppendLines,
    kSpecSearchReplace,
    kSpecRemoveSection,
    kSpecRemoveSubpackage,
    kPatchAdd,
    kPatchRemove,
    kFilePrependLines,
    kFileSearchReplace,
    kFileAdd,
    kFileRemove,
    kFileRename,
    kUnknown,  // of defaults, and with permissive: a warning of the load, and never applied
};
std::string_view overlay_type_name(OverlayType type);  // "spec-add-tag"; "unknown"

struct OverlayMetadata {  // why a change is carried
    std::string category, upstream_status;
    std::vector<std::string> commits, bugs;  // URLs
    Span where{};
};

struct Overlay {
    OverlayType type = OverlayType::kUnknown;
    std::string unknown_type;  // what stands there when `type` is kUnknown
    std::string description;
    std::string tag, value, section, package, regex, replacement;
    bool has_replacement = false;
    std::vector<std::string> lines;
    std::string file;    // relative to the sources directory
    std::string source;  // absolute
    std::string archive;
    OverlayMetadata metadata{};
    Span where{};                             // the [[overlays]] header
    std::map<std::string, Span> key_spans{};  // key -> its value's place
};

// The type as it is written: what an unknown one says.
std::string_view overlay_type_text(const Overlay& overlay);
// The first key the type needs that says nothing; empty when there is none. Rules of defaults are
// not enforced by the load. A `value` may be empty.
std::string_view missing_overlay_key(const Overlay& overlay);

// Whether an overlay of files is meant for the archive itself: by its name, or by a pattern that
// needs what makes it an archive. "a.tar.*" is, "**/*" is not, though it matches it.
bool works_on_archive(const Overlay& overlay, std::string_view archive);

enum class SpecType { kLocal, kUpstream };

// A source archive that is not in the spec's own directory. Tarn adds two origin types: "debian",
// the pristine upstream tarball of a Debian source package, verified through the signed index, and
// "signing-key", the public half of the key that [signing] names.
struct SourceFile {
    std::string filename;
    std::string hash_type;  // "SHA256" or "SHA512"
    std::string hash;
    std::string origin_type;  // "download", "custom", "overlay", "debian", "signing-key"
    std::string uri;
    std::string package;       // debian: source package name
    std::string member;        // debian: "orig" (default) or a file name of the source package
    DistroReference distro{};  // debian: which suite
    std::string script;        // custom: what makes the file, and what it needs
    std::vector<std::string> mock_packages, inputs;
    bool replace_upstream = false;
    std::string replace_reason;
    Span where{};
};

struct BuildConfig {
    std::vector<std::string> with, without, undefines;
    std::map<std::string, std::string> defines;
    bool check_skip = false;
    std::string check_skip_reason;
    bool emit_upstream_provenance = false;
    bool failure_expected = false;
    std::string failure_reason;
    bool expensive = false;
    std::vector<std::string> cross_architectures;  // that it can be cross built for
};

struct Publish {  // channels a package goes to; empty: none said, "none": not published
    std::string rpm_channel, srpm_channel, debuginfo_channel;
    std::string older_channel{};  // `channel`: was rpm-channel where that is empty
};

struct Component {
    std::string name;
    std::string description;
    SpecType spec_type = SpecType::kLocal;
    bool has_spec_type = false;  // false: no layer gives spec.type (passes with permissive only)
    std::string spec_path;
    DistroReference upstream{};
    std::string upstream_name;      // empty: the component's own
    std::string upstream_commit;    // 7 to 40 hex digits
    std::vector<Overlay> overlays;  // inherited ones, inline ones, those of overlay files
    std::vector<SourceFile> source_files;
    BuildConfig build{};
    std::string release_calculation;  // "auto", "autorelease", "static", "manual"
    bool skip_file_filter = false;
    bool precise_overlays = false;  // [components.<n>.render] overlay-view = "precise" (Tarn's own)
    Publish publish{};
    std::map<std::string, Publish> packages;  // by binary package
    std::vector<std::string> groups;          // it is a member of, sorted
    Span where{};

    bool is_upstream() const { return spec_type == SpecType::kUpstream; }
    // What its package is called upstream.
    const std::string& package() const { return upstream_name.empty() ? name : upstream_name; }
};

struct ComponentGroup {
    std::string name;
    std::string description;
    std::vector<std::string> members;  // sorted: listed ones and those found by spec patterns
    std::vector<std::string> found;    // only those found by spec patterns
    OverlayMetadata metadata{};
    Span where{};
};

// ---- import of binary packages (Tarn's own) -------------------------------------------------

struct ImportGroup {
    std::string name;
    std::string description;
    DistroReference upstream{};
    std::vector<std::string> packages;
    std::vector<std::string> exclude;
    // Import targets that take it: "x86_64", "aarch64", "cross-aarch64"; empty: every architecture.
    std::vector<std::string> architectures;
    Span where{};
};

struct ScriptCover {
    std::string script;      // preinst postinst prerm postrm config triggers
    std::string covered_by;  // several are joined by ", "
    std::string reason;
    std::string reviewed;  // SHA-256 of the script that was read, several joined by ", "; empty: not pinned
    Span where{};
};

struct ImportLink {
    std::string path, target, reason;
};

struct ImportFile {
    std::string path, content, source, mode, reason;  // content or source
    bool config = false;
};

struct ImportAttribute {
    std::string path, mode, user, group, capabilities, reason;
};

struct ImportRule {  // [imports.<debian name>]
    std::string package;
    std::string name;  // RPM name; empty: the same
    std::vector<NameReason> drop_requires;
    std::vector<std::string> add_requires, add_provides, add_conflicts, add_obsoletes;
    std::vector<std::string> exclude_paths, keep_paths;
    std::vector<ImportLink> links;
    std::vector<ImportFile> files;
    std::vector<ImportAttribute> attributes;
    std::vector<ScriptCover> scripts;
    Span where{};
};

struct SnippetCover {  // a debhelper generator whose blocks need no further word
    std::string generator, covered_by, reason;
};

struct ImportPolicy {
    std::string release_suffix;
    std::vector<std::string> architectures;  // that are imported; empty: x86_64
    std::vector<std::string> exclude_paths, keep_paths;
    std::vector<NameReason> never_import;
    std::map<std::string, std::string> virtual_packages;  // virtual name -> chosen package
    std::vector<SnippetCover> script_snippets;
    Span where{};
};

// ---- packages, images -----------------------------------------------------------------------

struct PackageGroup {
    std::string name;
    std::string description;
    std::vector<std::string> packages;
    Publish publish{};
    Span where{};
};

struct TestSuite {
    std::string name;
    std::string description;
    std::string type;  // "pytest" or "lisa"
    std::string working_dir, install;
    std::string framework_git_url, framework_ref;
    std::vector<std::string> test_paths, test_cases, pip_pre_install, pip_extras, extra_args;
    Span where{};
};

// ---- RPM repositories that feed builds --------------------------------------------------------

struct RpmRepo {
    std::string name;
    std::string description;
    std::string type = "rpm-md";
    std::string kind = "binary";  // "binary", "debug", "source"; of a set's repositories
    std::string base_uri, metalink;
    std::string gpg_key;  // URL
    bool disable_gpg_check = false;
    std::vector<std::string> arches;
    Span where{};
};

struct SubRepo {
    std::string name, subpath, kind;  // kind: "binary", "debug", "source"
    Span where{};
};

struct RpmRepoSetTemplate {
    std::string name;
    std::string description;
    std::vector<SubRepo> subrepos;
    Span where{};
};

struct RpmRepoSet {
    std::string name;
    std::string description;
    std::string template_name, base_uri, name_prefix, gpg_key;
    bool disable_gpg_check = false;
    std::vector<std::string> arches, subrepos;
    Span where{};
};

struct Resources {
    std::map<std::string, RpmRepo> repos;
    std::map<std::string, RpmRepoSetTemplate> templates;
    std::map<std::string, RpmRepoSet> sets;
    std::map<std::string, RpmRepo> expanded;  // of the sets: <name-prefix><sub-repository>
    std::map<std::string, std::vector<std::string>> set_members;  // set -> names in `expanded`
};

// Texts that rendering puts into specs: [render], Tarn's own. A project that came from azldev sets
// them to what its specs have.
struct RenderWording {
    std::string macros_suffix = "tarn.macros";  // the macro file is <component>.<suffix>
    std::vector<std::string> macros_header = {  // its first lines
        "# Macros that the declaration of this component sets: build.with, without and defines.",
        "# Written by tarn; edit the declaration, not this file."};
    std::vector<std::string> load_comment = {  // above the line that loads it
        "# The declaration of this component sets macros; they are loaded before all else."};
    std::vector<std::string> spec_header = {  // first lines of every spec with overlays
        "# Changed by tarn as the component's declaration says; edit that, not this file."};
    std::string check_skip = "# Check section disabled: {reason}";
    std::string lock_header = "# Written by `tarn component update`; do not edit.";
    Span where{};
};

struct Signing {
    std::string key;        // name of the key below key_dir
    std::string user_id;    // "Name <address>"
    std::string algorithm;  // "ed25519" or "rsa4096"
    Span where{};
};

// [secure-boot]: who signs what firmware starts (docs/formats/secure-boot.md). At most one of the
// last four; none: the key file secure-boot.key below key_dir.
struct SecureBoot {
    std::string certificate;           // file; empty: secure-boot.crt below key_dir
    std::string key;                   // file
    std::string pkcs11;                // URI
    std::vector<std::string> command;  // argv
    std::string signatures;            // directory of signatures made elsewhere
    Span where{};
};

struct Project {
    std::string root;  // directory of tarn.toml
    std::string file;  // tarn.toml itself
    std::string description;
    std::string default_author_email;
    std::string name;  // default-distro name
    DistroReference default_distro{};
    std::string log_dir, work_dir, output_dir, rendered_specs_dir, lock_dir, key_dir;
    std::int64_t source_date_epoch = 0;  // time of everything built; [project] source-date-epoch
    std::map<std::string, Distro> distros;
    std::map<std::string, Component> components;
    std::map<std::string, ComponentGroup> component_groups;
    std::map<std::string, PackageGroup> package_groups;
    Publish default_publish{};
    std::map<std::string, Image> images;
    std::map<std::string, ImportGroup> import_groups;
    std::map<std::string, ImportRule> imports;
    ImportPolicy import_policy{};
    std::map<std::string, TestSuite> test_suites;
    Resources resources{};
    std::string image_customizer_container_tag;
    RenderWording render{};
    Signing signing{};
    SecureBoot secure_boot{};
    std::vector<std::string> build_base_packages;  // [build] base-packages: in every buildroot
    std::vector<std::string> tools_packages;       // [build] tools-packages: the tools tree
    std::vector<std::string> cross_packages;       // [build] cross-packages: where a build is a cross build

    // With LoadOptions::origins: where each value was written, by the keys that lead to it, joined
    // by kOriginSeparator; of an array of plain values, each element's place.
    static constexpr char kOriginSeparator = '\x1f';
    std::map<std::string, std::vector<Span>> origins;

    // nullptr when not defined.
    const Distro* distro(const DistroReference& reference) const;
    const DistroVersion* version(const DistroReference& reference) const;
    // release-ver of the version a component comes from; empty without one.
    std::string release_ver(const Component& component) const;
    // The repositories of an input list, sets expanded, in order.
    std::vector<const RpmRepo*> repos(const std::vector<InputReference>& inputs) const;
};

struct LoadOptions {
    std::string start;                      // where to look upwards from
    std::vector<std::string> config_files;  // further roots, later wins
    bool permissive = false;                // unknown keys and broken rules are warnings
    bool strict = false;                    // known traps of the format are warnings
    bool default_config = true;             // the defaults compiled in are read first
    bool origins = false;                   // fill Project::origins
    std::string architecture{};             // image parts of another one are left out; empty: x86_64
    std::string user_file{};                // read before config_files when it exists
    std::string shown_from{};               // paths below it are shown relative; empty: here
};

// $XDG_CONFIG_HOME/tarn/config.toml, else ~/.config/tarn/config.toml; empty without either.
std::string default_user_file();
// tarn.toml, or else azldev.toml, in `start` or the nearest directory above that has one.
std::optional<std::string> find_project_file(const std::string& start);

// Loads, merges, validates. Everything wrong is in `diagnostics`, ordered by position; the result
// is an Error only when there is no project at all, or diagnostics has errors.
Result<Project> load_project(const LoadOptions& options,
                             SourceMap& sources,
                             Diagnostics& diagnostics);

}  // namespace tarn
