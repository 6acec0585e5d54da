#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes a project of the shape of a real distribution of 7,583 components: bench/make_project.sh
# [--specs N] DIRECTORY. Nearly all components are bare tables of one file; 201 have a file of their
# own, 97 of them overlays (233); 33,060 package names lie in three groups. With --specs, N of the
# components have a local spec of realistic size (12 KB on average, 91 MB for 7,600), and overlays
# that match are put on 100 of those. The same arguments make the same bytes.
set -euo pipefail
specs=0
if [ "${1:-}" = --specs ]; then
    specs=$2
    shift 2
fi
if [ $# -ne 1 ] || ! [[ $specs =~ ^[0-9]+$ ]] || [ -e "$1" ]; then
    echo "usage: ${0##*/} [--specs N] NEW-DIRECTORY" >&2
    exit 2
fi
export LC_ALL=C
mkdir -p "$1/base/comps" "$1/base/images" "$1/base/packages" "$1/distro"
cd "$1"

cat >azldev.toml <<'END'
includes = ["distro/distro.toml", "base/project.toml"]
END
cat >base/project.toml <<'END'
includes = ["comps/components.toml", "packages/*.toml", "images/images.toml"]
[project]
description = "made by bench/make_project.sh"
log-dir = "build/logs"
work-dir = "build/work"
output-dir = "out"
rendered-specs-dir = "../specs"
default-distro = { name = "example" }
[default-package-config]
publish = { channel = "rpm-sdk" }
END
cat >distro/distro.toml <<'END'
includes = ["*.distro.toml"]
END
cat >distro/example.distro.toml <<'END'
[distros.example]
default-version = "4.0-stage1"
repos = [
    # the inner keys are quoted in real projects
    { "base-uri" = "https://packages.example.org/$releasever/base" },
]
[distros.example.versions.'4.0-stage1']
release-ver = "4.0"
[distros.example.versions.'4.0-stage1'.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00-08:00" } }
[distros.example.versions.'4.0-stage2']
release-ver = "4.0"
END
{
    printf '[distros.fedora]\ndefault-version = "43"\n'
    # shellcheck disable=SC2016
    printf 'dist-git-base-uri = "https://git.example.org/rpms/$pkg.git"\n'
    # shellcheck disable=SC2016
    printf 'lookaside-base-uri = "https://cache.example.org/$pkg/$filename/$hashtype/$hash/$filename"\n'
    for version in 41 42 43 44 rawhide; do
        printf '[distros.fedora.versions.%s]\nrelease-ver = "%s"\ndist-git-branch = "f%s"\n' \
            "$version" "$version" "$version"
    done
} >distro/fedora.distro.toml

awk '
function group(file, name, channel, count, prefix,    i) {
    print "[package-groups." name "]\ndescription = \"" name "\"\npackages = [" > file
    for (i = 1; i <= count; ++i)
        print "    \"" prefix "-package-" i (i % 3 == 0 ? "-devel" : "") "\"," > file
    print "]\n[package-groups." name ".default-package-config]\npublish = { channel = \"" channel "\" }" > file
    close(file)
}
BEGIN {
    group("base/packages/base.toml", "base", "rpm-base", 6081, "lib")
    group("base/packages/exceptions.toml", "exceptions", "none", 9231, "extra")
    group("base/packages/sdk.toml", "sdk", "rpm-sdk", 17748, "python3")
    file = "base/images/images.toml"
    split("vm-base core distroless-minimal distroless-base distroless-debug", images, " ")
    for (i = 1; i <= 5; ++i)
        print "[images." images[i] "]\ndescription = \"image " i "\"\ndefinition = { type = \"kiwi\", path = \"" images[i] "/" images[i] ".kiwi\", profile = \"" images[i] "\" }" > file
}'

# Components: bare ones, those with a file of their own, local specs.
awk -v specs="$specs" '
function table(name) { return "[components." name "]" }
# The types of the 233 overlays, as often as in the real project.
function fill_types(    list, n, i, k, pair) {
    n = split("spec-search-replace:93 spec-add-tag:22 spec-append-lines:18 file-add:16 spec-remove-tag:15 spec-update-tag:14 spec-remove-section:12 spec-insert-tag:11 file-search-replace:10 patch-add:9 spec-prepend-lines:5 file-rename:3 spec-set-tag:2 file-remove:2 patch-remove:1", list, " ")
    total = 0
    for (i = 1; i <= n; ++i) {
        split(list[i], pair, ":")
        for (k = 0; k < pair[2]; ++k) types[total++] = pair[1]
    }
}
function overlay(type, id) {
    if (type == "spec-search-replace") return "section = \"%build\"\nregex = \"^%configure --with-x" id "$\"\nreplacement = \"%configure --without-x" id "\""
    if (type ~ /^spec-(add|insert|set|update)-tag$/) return "tag = \"BuildRequires\"\nvalue = \"package-" id "\""
    if (type == "spec-remove-tag") return "tag = \"Recommends\"\nvalue = \"package-" id "\""
    if (type ~ /^spec-(append|prepend)-lines$/) return "section = \"%install\"\nlines = [\"rm -f %{buildroot}/x" id "\", \"true\"]"
    if (type == "spec-remove-section") return "section = \"%files\"\npackage = \"devel\""
    if (type == "file-add") return "file = \"added-" id "\"\nsource = \"change.patch\""
    if (type == "patch-add") return "source = \"change.patch\""
    if (type == "file-search-replace") return "file = \"**/*\"\nregex = \"(?m)^old" id "$\"\nreplacement = \"new\""
    if (type == "file-rename") return "file = \"a" id "\"\nreplacement = \"b" id "\""
    return "file = \"gone-" id ".patch\""
}
function add_overlays(file, count,    i) {
    for (i = 0; i < count && used < total; ++i) {
        # 97 and 233 have no common divisor, so every component has a mix of types.
        type = types[(used * 97) % total]
        printf "[[components.%s.overlays]]\n", name > file
        if (used % 6 != 0) printf "description = \"Change %d of %s, for a reason that takes a line to tell\"\n", i, name > file
        printf "type = \"%s\"\n%s\n\n", type, overlay(type, used) > file
        ++used
    }
}
function own_file(keys,    file, count) {
    name = sprintf("changed%03d", ++changed)
    dir = "base/comps/" name
    print dir > "base/comps/directories"
    file = "/dev/null"
    made[changed] = keys
}
BEGIN {
    fill_types()
    used = 0
    split("82:o 49:s 27:r 23:b 6:os 3:bo 3:or 2:bs 2:rs 3:ors 1:brs", kinds, " ")
    for (k = 1; k <= 11; ++k) {
        split(kinds[k], pair, ":")
        for (i = 0; i < pair[1]; ++i) own_file(pair[2])
    }
    close("base/comps/directories")
    system("cd base/comps && sed s,^base/comps/,, directories | xargs mkdir && rm directories")
    for (c = 1; c <= changed; ++c) {
        name = sprintf("changed%03d", c)
        file = "base/comps/" name "/" name ".comp.toml"
        print table(name) > file
        if (made[c] ~ /s/) printf "spec = { type = \"upstream\", upstream-commit = \"%040x\"%s }\n", c, (c % 2 ? ", upstream-distro = { name = \"fedora\", version = \"43\" }" : "") > file
        if (made[c] ~ /r/) print "release = { calculation = \"manual\" }" > file
        if (made[c] ~ /b/) print (c % 3 ? "build = { without = [\"docs\", \"mingw\"] }" : "build = { defines = { rhel = \"10\" } }") > file
        if (made[c] ~ /o/) {
            add_overlays(file, c == 1 || c == 2 ? 17 : c == 3 ? 11 : 2)
            print "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new" > ("base/comps/" name "/change.patch")
            close("base/comps/" name "/change.patch")
        }
        close(file)
    }
    file = "base/comps/components.toml"
    print "includes = [\"**/*.comp.toml\", \"component-check-disablement.toml\"" (specs ? ", \"local.toml\"" : "") "]\n" > file
    bare = 7382 - specs
    if (bare < 182) bare = 182
    for (i = 1; i <= bare; ++i)
        printf i % 100 == 0 ? "[components.\x27lib++%04d\x27]\n" : i % 50 == 0 ? "[components.%04dx]\n" : "[components.component-%04d]\n", i > file
    close(file)
    file = "base/comps/component-check-disablement.toml"
    print "[component-groups.check-skip-initial-failures]\ncomponents = [" > file
    for (i = 1; i <= 182; ++i) printf i % 100 == 0 ? "    \"lib++%04d\",\n" : i % 50 == 0 ? "    \"%04dx\",\n" : "    \"component-%04d\",\n", i > file
    print "]\n[component-groups.check-skip-initial-failures.default-component-config]\nbuild = { check = { skip = true, skip_reason = \"Failed when the distribution was first built\" } }" > file
    close(file)
    # Overlays that match the specs below.
    if (!specs) exit
    file = "base/comps/local.toml"
    for (i = 1; i <= specs; ++i) {
        name = sprintf("local%04d", i)
        printf "[components.%s]\nspec = { type = \"local\", path = \"../../sources/%s/%s.spec\" }\n", name, name, name > file
        if (i > 100) continue
        printf "[[components.%s.overlays]]\ntype = \"spec-search-replace\"\nsection = \"%%build\"\nregex = \"--enable-feature-3$\"\nreplacement = \"--disable-feature-3\"\n", name > file
        printf "[[components.%s.overlays]]\ntype = \"spec-add-tag\"\ntag = \"BuildRequires\"\nvalue = \"added\"\n", name > file
        if (i % 4 == 0) printf "[[components.%s.overlays]]\ntype = \"spec-append-lines\"\nsection = \"%%install\"\nlines = [\"rm -f %%{buildroot}/x\"]\n", name > file
        if (i % 10 == 0) printf "[[components.%s.overlays]]\ntype = \"spec-remove-section\"\nsection = \"%%files\"\npackage = \"doc\"\n", name > file
    }
}'

[ "$specs" -gt 0 ] || exit 0
mkdir sources
seq -f 'sources/local%04.0f' 1 "$specs" | xargs mkdir
# Per 7,600 specs: half with %autorelease, 4,400 with macro bodies, 3,300 with a section inside %if,
# a third with %{expand:, 2,250 with conditional tags; 12 KB on average and a few of 300 KB.
awk -v specs="$specs" '
function entry(n,    k) {
    return sprintf("* Mon Jan %02d 2024 Packager Name <packager@example.org> - 1.%d-%d\n- Rebuild for soname bump number %d\n- Resolves: a long line of text that says what was changed and why (ticket %d)\n", n % 28 + 1, n, n % 9 + 1, n, n * 7)
}
BEGIN {
    for (k = 0; k < 400; ++k) entries[k] = entry(400 - k)
    for (i = 1; i <= specs; ++i) {
        name = sprintf("local%04d", i)
        file = "sources/" name "/" name ".spec"
        out = ""
        if (i % 5 < 3) out = out "%global _description %{expand:\nLibrary " i " does one thing and does it well.\nIt has several lines of description.}\n\n"
        if (i % 7 < 4) out = out "%global build_flags \\\n    -O2 \\\n    -DVALUE=" i "\n%{!?with_x:%global with_x 1}\n"
        if (i % 12 == 0) out = out "%bcond_without tests\n%{lua:\nlocal x = 1\nprint(\"\")\n}\n"
        out = out "Name:           " name "\nVersion:        1." i "\nRelease:        " (i % 2 ? "%autorelease" : (i % 5 + 1) "%{?dist}") "\nSummary:        Component number " i "\nLicense:        MIT\nURL:            https://example.org/" name "\nSource0:        %{url}/%{name}-%{version}.tar.gz\nPatch0:         0001-fix.patch\n\n"
        for (k = 0; k < 4 + i % 30; ++k) out = out "BuildRequires:  dependency-" k "-devel >= 1." k "\n"
        if (i % 10 < 3) out = out "%if 0%{?fedora} || 0%{?rhel} >= 9\nRequires:       other%{?_isa} = %{version}-%{release}\n%else\nRequires(post): something\n%endif\n"
        out = out "\n%description\nText about component " i ".\n\n%package devel\nSummary:        Development files\nRequires:       %{name}%{?_isa} = %{version}-%{release}\n\n%description devel\n%{summary}.\n\n%package doc\nSummary: Documentation\nBuildArch: noarch\n\n%description doc\n%{summary}.\n\n"
        out = out "%prep\n%autosetup -p1\n\n%build\n%configure \\\n"
        for (k = 0; k < 6 + i % 20; ++k) out = out "    --enable-feature-" k (k == 3 ? "\n" : " \\\n")
        out = out "    --prefix=%{_prefix}\n%make_build\n\n%install\n%make_install\ncat > x <<END\nkey: value\nEND\n\n"
        out = out (i % 9 < 4 ? "%if %{with_x}\n%check\nmake check\n%endif\n\n" : "%check\nmake check\n\n")
        out = out "%files\n%license COPYING\n%doc README\n%{_libdir}/lib" name ".so.*\n\n%files devel\n%{_includedir}/*\n%{_libdir}/*.so\n\n%files doc\n%{_docdir}/%{name}\n"
        for (k = 0; k < i % 40; ++k) out = out "%{_datadir}/%{name}/file-" k "\n"
        out = out "\n%changelog\n"
        if (i % 8 == 1) out = out "%autochangelog\n"
        else {
            n = i % 200 == 0 ? 1900 : i % 20 == 0 ? 200 : 32 + i % 20
            for (k = 0; k < n; ++k) out = out entries[k % 400]
        }
        printf "%s", out > file
        close(file)
        file = "sources/" name "/sources"
        printf "SHA512 (%s-1.%d.tar.gz) = %0128x\n", name, i, i > file
        close(file)
        file = "sources/" name "/0001-fix.patch"
        print "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new" > file
        close(file)
    }
}'
