// SPDX-License-Identifier: MIT
#include "rpm/detail/file_table.hh"
#include "rpm/detail/frame.hh"
#include "rpm/package.hh"

namespace tarn::rpm {

namespace {

Result<std::vector<Dependency>> read_dependencies(const HeaderValue& header,
                                                  const DependencyTags& tags,
                                                  const std::string& name) {
    auto names = header.strings(tags.name);
    auto versions = header.strings(tags.version);
    const auto flags = header.numbers(tags.flags);
    if (names.size() != versions.size() || names.size() != flags.size()) {
        return fail(ErrorKind::kCorrupt, "{}: the list of dependencies is malformed", name);
    }
    std::vector<Dependency> dependencies;
    dependencies.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        dependencies.push_back(
            {std::move(names[i]), static_cast<std::uint32_t>(flags[i]), std::move(versions[i])});
    }
    return dependencies;
}

Result<Nevra> read_nevra(const HeaderValue& header, const std::string& name) {
    Nevra nevra;
    nevra.name = header.string(RPMTAG_NAME);
    nevra.evr.version = header.string(RPMTAG_VERSION);
    nevra.evr.release = header.string(RPMTAG_RELEASE);
    nevra.arch = header.string(RPMTAG_ARCH);
    if (const auto epoch = header.number(RPMTAG_EPOCH)) {
        nevra.evr.epoch = static_cast<std::uint32_t>(*epoch);
    }
    if (nevra.name.empty() || nevra.evr.version.empty() || nevra.evr.release.empty() ||
        nevra.arch.empty() ||
        nevra.file_name().find_first_of(std::string_view("/\n\0", 3)) != std::string::npos) {
        return fail(ErrorKind::kCorrupt, "{}: the package has no proper name and version", name);
    }
    return nevra;
}

Result<PackageMeta> read_meta(const HeaderValue& header, const std::string& name) {
    PackageMeta meta;
    meta.nevra = TARN_TRY(read_nevra(header, name));
    meta.summary = header.string(RPMTAG_SUMMARY);
    meta.description = header.string(RPMTAG_DESCRIPTION);
    meta.license = header.string(RPMTAG_LICENSE);
    meta.group = header.string(RPMTAG_GROUP);
    meta.url = header.string(RPMTAG_URL);
    meta.vendor = header.string(RPMTAG_VENDOR);
    meta.packager = header.string(RPMTAG_PACKAGER);
    meta.distribution = header.string(RPMTAG_DISTRIBUTION);
    meta.source_rpm = header.string(RPMTAG_SOURCERPM);
    meta.build_host = header.string(RPMTAG_BUILDHOST);
    meta.build_time = static_cast<std::int64_t>(header.number(RPMTAG_BUILDTIME).value_or(0));
    for (const DependencyTags& tags : dependency_tags()) {
        meta.*tags.member = TARN_TRY(read_dependencies(header, tags, name));
    }
    const auto times = header.numbers(RPMTAG_CHANGELOGTIME);
    auto authors = header.strings(RPMTAG_CHANGELOGNAME);
    auto texts = header.strings(RPMTAG_CHANGELOGTEXT);
    if (times.size() != authors.size() || times.size() != texts.size()) {
        return fail(ErrorKind::kCorrupt, "{}: the changelog is malformed", name);
    }
    for (std::size_t i = 0; i < times.size(); ++i) {
        meta.changelog.push_back(
            {static_cast<std::int64_t>(times[i]), std::move(authors[i]), std::move(texts[i])});
    }
    return meta;
}

}  // namespace

Result<PackageInfo> info_of(const HeaderValue& header, const std::string& name) {
    PackageInfo info;
    info.meta = TARN_TRY(read_meta(header, name));
    for (ReadFile& read : TARN_TRY(read_files(header, name))) {
        info.files.push_back(std::move(read.file));
    }
    info.installed_size =
        header.number(RPMTAG_LONGSIZE).value_or(header.number(RPMTAG_SIZE).value_or(0));
    info.is_source = info.meta.source_rpm.empty();
    return info;
}

Result<PackageInfo> read_package(std::string_view bytes, const std::string& name) {
    const Opened opened = TARN_TRY(open_package(bytes, name));
    PackageInfo info = TARN_TRY(info_of(opened.header, name));
    // A package of rpm's own may have the size of its archive in either header.
    const rpmTagVal archive_tags[] = {RPMSIGTAG_LONGARCHIVESIZE, RPMSIGTAG_PAYLOADSIZE};
    for (const rpmTagVal tag : archive_tags) {
        if (const auto size = opened.signature.number(tag)) {
            info.archive_size = *size;
        }
    }
    info.header_start = opened.frame.header_start;
    info.header_end = opened.frame.header_end;
    info.header_sha256 = opened.header_sha256;
    return info;
}

Result<PackageInfo> read_package(const Store& store, const Digest& rpm) {
    const MemoryMap map = TARN_TRY(store.map(rpm));
    return read_package(map.bytes(), "package " + rpm.hex());
}

}  // namespace tarn::rpm
