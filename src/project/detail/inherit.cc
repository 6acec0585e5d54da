// SPDX-License-Identifier: MIT
#include "project/detail/inherit.hh"

#include "project/detail/collected.hh"

namespace tarn::declaration {
namespace {

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
    append(into.cross_architectures, from.cross_architectures);
}

void inherit(Publish& into, const Publish& from) {
    override_text(into.rpm_channel, from.rpm_channel);
    override_text(into.srpm_channel, from.srpm_channel);
    override_text(into.older_channel, from.older_channel);
    override_text(into.debuginfo_channel, from.debuginfo_channel);
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
    }
    override_text(into.directory, from.directory);
    if (from.spec_where.begin) {
        into.spec_where = from.spec_where;
    }
    into.where = from.where;
}

}  // namespace tarn::declaration
