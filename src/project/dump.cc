// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "project/dump.hh"

#include "project/detail/dump_fill.hh"

#include <algorithm>

namespace tarn {
namespace {

using declaration::component_node;
using declaration::Filler;
using declaration::metadata_node;
using declaration::Node;
using declaration::Places;

Node project_node(Filler fill, const Project& project) {
    fill.text("description", project.description);
    fill.text("log-dir", project.log_dir);
    fill.text("work-dir", project.work_dir);
    fill.text("output-dir", project.output_dir);
    fill.text("rendered-specs-dir", project.rendered_specs_dir);
    fill.text("lock-dir", project.lock_dir);
    fill.text("key-dir", project.key_dir);
    fill.text("default-author-email", project.default_author_email);
    fill.integer("source-date-epoch", project.source_date_epoch);
    fill.table("default-distro",
               distro_reference_node(fill.below("default-distro"), project.default_distro));
    return std::move(fill).take();
}

Node render_node(Filler fill, const RenderWording& render) {
    fill.text("macros-suffix", render.macros_suffix);
    fill.texts("macros-header", render.macros_header);
    fill.texts("load-comment", render.load_comment);
    fill.texts("spec-header", render.spec_header);
    fill.text("check-skip", render.check_skip);
    fill.text("lock-header", render.lock_header);
    return std::move(fill).take();
}

std::vector<Node> input_nodes(const std::vector<InputReference>& inputs) {
    std::vector<Node> nodes;
    for (const InputReference& input : inputs) {
        Node node;
        node.text_if("repo", input.repo, input.where);
        node.text_if("set", input.set, input.where);
        nodes.push_back(std::move(node));
    }
    return nodes;
}

Node version_node(Filler fill, const DistroVersion& version, bool debian) {
    fill.text("description", version.description);
    fill.text("release-ver", version.release_ver);
    fill.text("dist-git-branch", version.dist_git_branch);
    if (debian) {
        fill.text("suite", version.suite);
        fill.texts("components", version.components);
    }
    fill.text("mock-config", version.mock_config);
    fill.text("mock-config-x86_64", version.mock_config_x86_64);
    fill.text("mock-config-aarch64", version.mock_config_aarch64);
    const ExpiredRelease& expired = version.expired_release;
    if (expired.accept) {
        Filler release = fill.below("expired-release");
        release.flag("accept", expired.accept);
        release.text("reason", expired.reason);
        release.text("not-before", expired.not_before);
        fill.table("expired-release", std::move(release).take());
    }
    Node inputs;
    inputs.list_if("rpm-build", input_nodes(version.rpm_build_inputs));
    inputs.list_if("image-build", input_nodes(version.image_build_inputs));
    fill.table("inputs", std::move(inputs));
    return std::move(fill).take();
}

Node distro_node(Filler fill, const Distro& distro) {
    const bool debian = distro.kind == UpstreamKind::kDebian;
    fill.text("description", distro.description);
    fill.text("kind", debian ? "debian" : "");
    fill.texts("keyrings", distro.keyrings);
    fill.text("default-version", distro.default_version);
    fill.text("dist-git-base-uri", distro.dist_git_base_uri);
    fill.text("lookaside-base-uri", distro.lookaside_base_uri);
    fill.texts("lookaside-mirrors", distro.lookaside_mirrors);
    fill.flag("disable-origins", distro.disable_origins);
    std::vector<Node> repos;
    for (const std::string& uri : distro.repo_uris) {
        Node repo;
        repo.text_if("base-uri", uri, distro.where);
        repos.push_back(std::move(repo));
    }
    fill.tables("repos", std::move(repos));
    const Filler versions = fill.below("versions");
    Node all;
    for (const auto& [name, version] : distro.versions) {
        all.add(name, version_node(versions.below(name), version, debian));
    }
    fill.table("versions", std::move(all));
    return std::move(fill).take();
}

Node repo_node(Filler fill, const RpmRepo& repo) {
    fill.text("description", repo.description);
    fill.text("type", repo.type);
    fill.text("base-uri", repo.base_uri);
    fill.text("metalink", repo.metalink);
    fill.flag("disable-gpg-check", repo.disable_gpg_check);
    fill.text("gpg-key", repo.gpg_key);
    fill.texts("arches", repo.arches);
    return std::move(fill).take();
}

Node template_node(Filler fill, const RpmRepoSetTemplate& made) {
    fill.text("description", made.description);
    std::vector<Node> subrepos;
    for (const SubRepo& subrepo : made.subrepos) {
        Node node;
        node.text_if("name", subrepo.name, subrepo.where);
        node.text_if("subpath", subrepo.subpath, subrepo.where);
        node.text_if("kind", subrepo.kind, subrepo.where);
        subrepos.push_back(std::move(node));
    }
    fill.tables("subrepos", std::move(subrepos));
    return std::move(fill).take();
}

Node set_node(Filler fill, const RpmRepoSet& set) {
    fill.text("description", set.description);
    fill.text("template", set.template_name);
    fill.text("base-uri", set.base_uri);
    fill.text("name-prefix", set.name_prefix);
    fill.text("gpg-key", set.gpg_key);
    fill.flag("disable-gpg-check", set.disable_gpg_check);
    fill.texts("arches", set.arches);
    fill.texts("subrepos", set.subrepos);
    return std::move(fill).take();
}

Node suite_node(Filler fill, const TestSuite& suite) {
    fill.text("description", suite.description);
    fill.text("type", suite.type);
    Filler kind = fill.below(suite.type);
    if (suite.type == "pytest") {
        kind.text("working-dir", suite.working_dir);
        kind.texts("test-paths", suite.test_paths);
        kind.text("install", suite.install);
    } else {
        Filler framework = kind.below("framework");
        framework.text("git-url", suite.framework_git_url);
        framework.text("ref", suite.framework_ref);
        kind.table("framework", std::move(framework).take());
        kind.texts("test-cases", suite.test_cases);
        kind.texts("pip-pre-install", suite.pip_pre_install);
        kind.texts("pip-extras", suite.pip_extras);
    }
    kind.texts("extra-args", suite.extra_args);
    fill.table(suite.type, std::move(kind).take());
    return std::move(fill).take();
}

Node group_node(Filler fill, const ComponentGroup& group) {
    fill.text("description", group.description);
    std::vector<Node> members;
    for (const std::string& member : group.members) {
        members.push_back(Node::of_text(member, group.where));
    }
    fill.tables("components", std::move(members));
    fill.table("metadata", metadata_node(group.metadata));
    return std::move(fill).take();
}

Node package_group_node(Filler fill, const PackageGroup& group) {
    fill.text("description", group.description);
    fill.texts("packages", group.packages);
    Node defaults;
    defaults.table_if(
        "publish",
        publish_node(fill.below("default-package-config").below("publish"), group.publish));
    fill.table("default-package-config", std::move(defaults));
    return std::move(fill).take();
}

Node import_group_node(Filler fill, const ImportGroup& group) {
    fill.text("description", group.description);
    fill.texts("packages", group.packages);
    fill.texts("exclude", group.exclude);
    fill.texts("architectures", group.architectures);
    fill.table("upstream-distro",
               distro_reference_node(fill.below("upstream-distro"), group.upstream));
    return std::move(fill).take();
}

class Dump {
  public:
    explicit Dump(const Project& project) : project_(project) {}

    Node components(const std::vector<std::string>& names) {
        Node all;
        for (const auto& [name, component] : project_.components) {
            if (names.empty() || std::find(names.begin(), names.end(), name) != names.end()) {
                all.add(name, component_node(project_, component));
            }
        }
        Node root;
        root.table_if("components", std::move(all));
        return root;
    }

    Node everything() {
        root_.table_if("project", project_node(top("project"), project_));
        root_.table_if("render", render_node(top("render"), project_.render));
        named("distros", project_.distros, distro_node);
        resources();
        settings();
        named("component-groups", project_.component_groups, group_node);
        named("package-groups", project_.package_groups, package_group_node);
        named("images", project_.images, declaration::image_node);
        named("test-suites", project_.test_suites, suite_node);
        named("import-groups", project_.import_groups, import_group_node);
        root_.table_if("import-policy",
                       import_policy_node(top("import-policy"), project_.import_policy));
        named("imports", project_.imports, declaration::import_rule_node);
        Node all = components({});
        for (auto& entry : all.entries) {
            root_.entries.push_back(std::move(entry));
        }
        return std::move(root_);
    }

  private:
    Filler top(const std::string& key) const { return Filler(Places(project_, {{key}})); }

    template <class T>
    static Node table_of(const Filler& fill,
                         const std::map<std::string, T>& values,
                         Node (*make)(Filler, const T&)) {
        Node all;
        for (const auto& [name, value] : values) {
            all.add(name, make(fill.below(name), value));
        }
        return all;
    }

    template <class T>
    void named(const std::string& key,
               const std::map<std::string, T>& values,
               Node (*make)(Filler, const T&)) {
        root_.table_if(key, table_of(top(key), values, make));
    }

    void resources() {
        const Filler fill = top("resources");
        const Resources& all = project_.resources;
        Node node;
        node.table_if("rpm-repos", table_of(fill.below("rpm-repos"), all.repos, repo_node));
        node.table_if("rpm-repo-set-templates",
                      table_of(fill.below("rpm-repo-set-templates"), all.templates, template_node));
        node.table_if("rpm-repo-sets", table_of(fill.below("rpm-repo-sets"), all.sets, set_node));
        root_.table_if("resources", std::move(node));
    }

    void settings() {
        Filler customizer = top("tools").below("imageCustomizer");
        customizer.text("containerTag", project_.image_customizer_container_tag);
        Node tools;
        tools.table_if("imageCustomizer", std::move(customizer).take());
        root_.table_if("tools", std::move(tools));
        Filler build = top("build");
        build.texts("base-packages", project_.build_base_packages);
        build.texts("tools-packages", project_.tools_packages);
        build.texts("cross-packages", project_.cross_packages);
        root_.table_if("build", std::move(build).take());
        Filler signing = top("signing");
        signing.text("key", project_.signing.key);
        signing.text("user-id", project_.signing.user_id);
        signing.text("algorithm", project_.signing.algorithm);
        root_.table_if("signing", std::move(signing).take());
        Filler secure_boot = top("secure-boot");
        secure_boot.text("certificate", project_.secure_boot.certificate);
        secure_boot.text("key", project_.secure_boot.key);
        secure_boot.text("pkcs11", project_.secure_boot.pkcs11);
        secure_boot.texts("command", project_.secure_boot.command);
        secure_boot.text("signatures", project_.secure_boot.signatures);
        root_.table_if("secure-boot", std::move(secure_boot).take());
        Node defaults;
        defaults.table_if("publish",
                          publish_node(top("default-package-config").below("publish"),
                                       project_.default_publish));
        root_.table_if("default-package-config", std::move(defaults));
    }

    const Project& project_;
    Node root_{};
};

Node dumped(const Project& project, const DumpOptions& options) {
    Dump dump(project);
    return options.components.empty() ? dump.everything() : dump.components(options.components);
}

}  // namespace

std::string dump_json(const Project& project, const SourceMap& map, const DumpOptions& options) {
    return to_json(dumped(project, options), map, options.origins);
}

std::string dump_toml(const Project& project, const SourceMap& map, const DumpOptions& options) {
    return to_toml(dumped(project, options), map, options.origins);
}

std::string dump_components_json(const Project& project,
                                 const std::vector<const Component*>& components,
                                 const SourceMap& map) {
    std::string out = "[";
    for (const Component* component : components) {
        Node node = declaration::component_node(project, *component);
        Node name;
        name.kind = Node::Kind::kText;
        name.text = component->name;
        node.entries.insert(node.entries.begin(), {"name", std::move(name)});
        out += out.size() == 1 ? "\n" : ",\n";
        out += trim(to_json(node, map, false));
    }
    return out + (components.empty() ? "]\n" : "\n]\n");
}

std::string image_json(const Project& project, const Image& image) {
    const declaration::Places nowhere(project, {});
    return to_json(declaration::image_node(declaration::Filler(nowhere), image), SourceMap(), false);
}

}  // namespace tarn
