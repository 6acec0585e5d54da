// SPDX-License-Identifier: MIT
#include "project/detail/collected.hh"

namespace tarn::declaration {
namespace {

void override_text(std::string& into, const std::string& from) {
    if (!from.empty()) {
        into = from;
    }
}

template <class T>
void append(std::vector<T>& into, const std::vector<T>& from) {
    into.insert(into.end(), from.begin(), from.end());
}

template <class T>
void override_entries(std::map<std::string, T>& into, const std::map<std::string, T>& from) {
    for (const auto& [key, value] : from) {
        into.insert_or_assign(key, value);
    }
}

void inherit(DistroReference& into, const DistroReference& from) {
    if (!from.name.empty()) {
        into.name = from.name;
        into.name_where = from.name_where;
    }
    if (!from.version.empty()) {
        into.version = from.version;
        into.version_where = from.version_where;
    }
    override_text(into.snapshot, from.snapshot);
    if (from.where.begin) {
        into.where = from.where;
    }
}

void inherit(BuildConfig& into, const BuildConfig& from) {
    append(into.with, from.with);
    append(into.without, from.without);
    append(into.undefines, from.undefines);
    override_entries(into.defines, from.defines);
    into.check_skip |= from.check_skip;
    override_text(into.check_skip_reason, from.check_skip_reason);
    into.emit_upstream_provenance |= from.emit_upstream_provenance;
    into.failure_expected |= from.failure_expected;
    override_text(into.failure_reason, from.failure_reason);
    into.expensive |= from.expensive;
}

void inherit(Publish& into, const Publish& from) {
    override_text(into.rpm_channel, from.rpm_channel);
    override_text(into.srpm_channel, from.srpm_channel);
    override_text(into.older_channel, from.older_channel);
    override_text(into.debuginfo_channel, from.debuginfo_channel);
}

void inherit(Capabilities& into, const Capabilities& from) {
    const auto one = [](std::optional<bool>& a, const std::optional<bool>& b) {
        if (b) {
            a = b;
        }
    };
    one(into.machine_bootable, from.machine_bootable);
    one(into.container, from.container);
    one(into.systemd, from.systemd);
    one(into.runtime_package_management, from.runtime_package_management);
}

}  // namespace

void inherit(ComponentConfig& into, const ComponentConfig& from) {
    override_text(into.name, from.name);
    override_text(into.description, from.description);
    if (from.type_given) {
        into.type_given = from.type_given;
    }
    if (from.precise_given) {
        into.precise_given = from.precise_given;
    }
    override_text(into.spec_path, from.spec_path);
    inherit(into.upstream, from.upstream);
    override_text(into.upstream_name, from.upstream_name);
    override_text(into.upstream_commit, from.upstream_commit);
    append(into.overlays, from.overlays);
    append(into.source_files, from.source_files);
    inherit(into.build, from.build);
    override_text(into.release_calculation, from.release_calculation);
    into.skip_file_filter |= from.skip_file_filter;
    inherit(into.publish, from.publish);
    override_entries(into.packages, from.packages);
    if (from.overlay_files) {
        into.overlay_files = from.overlay_files;
        into.overlay_files_where = from.overlay_files_where;
    }
    override_text(into.directory, from.directory);
    if (from.spec_where.begin) {
        into.spec_where = from.spec_where;
    }
    into.where = from.where;
}

ImageConfig inherit(const ImageConfig& base, const ImageConfig& image) {
    ImageConfig made = base;
    made.name = image.name;
    made.base = image.base;
    made.base_where = image.base_where;
    made.where = image.where;
    override_text(made.description, image.description);
    append(made.packages, image.packages);
    append(made.package_groups, image.package_groups);
    append(made.exclude_packages, image.exclude_packages);
    if (image.weak_given) {
        made.weak_given = image.weak_given;
    }
    append(made.kernel_command_line, image.kernel_command_line);
    override_text(made.filesystem, image.filesystem);
    made.size_bytes = image.size_bytes != 0 ? image.size_bytes : made.size_bytes;
    made.esp_bytes = image.esp_bytes != 0 ? image.esp_bytes : made.esp_bytes;
    append(made.formats, image.formats);
    append(made.initrd_modules, image.initrd_modules);
    append(made.files, image.files);
    override_text(made.hostname, image.hostname);
    append(made.tests, image.tests);
    override_entries(made.version_floors, image.version_floors);
    override_text(made.boot_install, image.boot_install);
    append(made.verify_exceptions, image.verify_exceptions);
    override_text(made.definition_type, image.definition_type);
    override_text(made.definition_path, image.definition_path);
    override_text(made.definition_profile, image.definition_profile);
    inherit(made.capabilities, image.capabilities);
    append(made.test_suites, image.test_suites);
    append(made.publish_channels, image.publish_channels);
    return made;
}

}  // namespace tarn::declaration
