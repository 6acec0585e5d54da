// SPDX-License-Identifier: MIT
// What may stand at the top of a declaration file.
#include "project/detail/collected.hh"

namespace tarn::declaration {
namespace {

using C = Keys<Collected>;

// Keys that fill a member of the project.
C::Read of_project(Keys<Project>::Read read) {
    Shape shape = read.shape;
    return {[read = std::move(read)](Reading& reading, const Entry& entry, Collected& out) {
                read(reading, entry, out.project);
            },
            std::move(shape)};
}

const TableKind<Project>& project_kind() {
    using K = Keys<Project>;
    static const TableKind<Project> kind = {
        "project",
        {
            {"description", K::text(&Project::description)},
            {"log-dir", K::path(&Project::log_dir)},
            {"work-dir", K::path(&Project::work_dir)},
            {"output-dir", K::path(&Project::output_dir)},
            {"rendered-specs-dir", K::path(&Project::rendered_specs_dir)},
            {"lock-dir", K::path(&Project::lock_dir)},
            {"key-dir", K::path(&Project::key_dir)},
            {"default-distro", K::table(distro_reference_kind(), &Project::default_distro)},
            {"default-author-email", K::text(&Project::default_author_email)},
            {"source-date-epoch", K::integer(&Project::source_date_epoch, 0)},
        },
        [](Reading& reading, const Value& table, Project& project) {
            const Entry* distro = table.find("default-distro");
            if (distro != nullptr && project.default_distro.name.empty()) {
                reading.broken_rule(distro->value.span, "default-distro needs `name`");
            }
        }};
    return kind;
}

const TableKind<Project>& build_kind() {
    using K = Keys<Project>;
    static const TableKind<Project> kind = {
        "build",
        {
            {"base-packages", K::texts(&Project::build_base_packages)},
            {"tools-packages", K::texts(&Project::tools_packages)},
            {"cross-packages", K::texts(&Project::cross_packages)},
        }};
    return kind;
}

const TableKind<Project>& package_defaults_kind() {
    static const TableKind<Project> kind = {
        "default-package-config",
        {{"publish", Keys<Project>::table(publish_kind(), &Project::default_publish)}}};
    return kind;
}

const TableKind<Project>& tools_kind() {
    using K = Keys<Project>;
    static const TableKind<Project> customizer = {
        "tools.imageCustomizer",
        {{"containerTag", K::text(&Project::image_customizer_container_tag)}}};
    static const TableKind<Project> kind = {"tools", {{"imageCustomizer", K::same(customizer)}}};
    return kind;
}

void read_includes(Reading& reading, const Entry& entry, Collected& out) {
    each_string(reading, entry, [&](const Value& value) {
        out.includes.emplace_back(value.text, value.span);
    });
}

void read_defaults(Reading& reading, const Entry& entry, Collected& out) {
    struct Holder {
        ComponentConfig defaults{};
    } read;
    Keys<Holder>::table(component_defaults_kind(), &Holder::defaults)(reading, entry, read);
    inherit(out.defaults, read.defaults);
}

}  // namespace

const TableKind<Signing>& signing_kind() {
    using K = Keys<Signing>;
    static const TableKind<Signing> kind = {
        "signing",
        {
            {"key", K::text(&Signing::key), Need::kRequired},
            {"user-id", K::text(&Signing::user_id)},
            {"algorithm", K::word_text(&Signing::algorithm, {"ed25519", "rsa4096"})},
        },
        [](Reading& reading, const Value& table, Signing& signing) {
            if (signing.key.find('/') != std::string::npos || signing.key.starts_with('.')) {
                reading.broken_rule(table.find("key")->value.span,
                                    "`key` must be the plain name of a key");
            }
        }};
    return kind;
}

const TableKind<SecureBoot>& secure_boot_kind() {
    using K = Keys<SecureBoot>;
    static const TableKind<SecureBoot> kind = {
        "secure-boot",
        {
            {"certificate", K::path(&SecureBoot::certificate)},
            {"key", K::path(&SecureBoot::key)},
            {"pkcs11", K::text(&SecureBoot::pkcs11)},
            {"command", K::texts(&SecureBoot::command)},
            {"signatures", K::path(&SecureBoot::signatures)},
        },
        [](Reading& reading, const Value& table, SecureBoot&) {
            std::string first;
            for (const char* way : {"key", "pkcs11", "command", "signatures"}) {
                const Entry* entry = table.find(way);
                if (entry != nullptr && !first.empty()) {
                    reading.broken_rule(entry->value.span,
                                        fmt::format("`{}` and `{}` both say who signs: give one",
                                                    first,
                                                    way));
                }
                first = entry != nullptr && first.empty() ? way : first;
            }
        }};
    return kind;
}

const TableKind<Collected>& file_kind() {
    using P = Keys<Project>;
    static const TableKind<Collected> kind = {
        "a declaration file",
        {
            {"$schema", C::ignored(ValueKind::kString)},
            {"project", of_project(P::same(project_kind()))},
            {"includes", {read_includes, Shape{ShapeKind::kTexts}}},
            {"distros", C::merging_map(distro_kind(), &Collected::distros)},
            {"resources", of_project(P::table(resources_kind(), &Project::resources))},
            {"component-groups",
             C::unique_map("component group", group_kind(), &Collected::groups)},
            {"components", C::unique_map("component", component_kind(), &Collected::components)},
            {"images", C::unique_map("image", image_kind(), &Collected::images)},
            {"package-groups",
             of_project(
                 P::unique_map("package group", package_group_kind(), &Project::package_groups))},
            {"test-suites",
             of_project(P::unique_map("test suite", test_suite_kind(), &Project::test_suites))},
            {"tools", of_project(P::same(tools_kind()))},
            {"default-component-config",
             {read_defaults, table_shape(ShapeKind::kTable, component_defaults_kind())}},
            {"default-package-config", of_project(P::same(package_defaults_kind()))},
            // Tarn's own:
            {"build", of_project(P::same(build_kind()))},
            {"image-parts",
             C::unique_map("image part", image_part_kind(), &Collected::image_parts)},
            {"render", of_project(P::table(render_wording_kind(), &Project::render))},
            {"signing", of_project(P::table(signing_kind(), &Project::signing))},
            {"secure-boot", of_project(P::table(secure_boot_kind(), &Project::secure_boot))},
            {"import-groups",
             of_project(
                 P::unique_map("import group", import_group_kind(), &Project::import_groups))},
            {"import-policy", of_project(P::table(import_policy_kind(), &Project::import_policy))},
            {"imports",
             of_project(P::unique_map("import rule", import_rule_kind(), &Project::imports))},
        }};
    return kind;
}

}  // namespace tarn::declaration
