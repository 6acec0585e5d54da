# SPDX-License-Identifier: MIT
# A dist-git host with its lookaside cache, and a project over both. Sourced by components.sh.
# shellcheck shell=bash

# ---- dist-git ------------------------------------------------------------------------------------
mkdir -p "$work/dist-git" "$work/lookaside" "$work/packages"
package() { # NAME: an empty repository, and the directory it is worked on in
    git init -q --bare "$work/dist-git/$1.git"
    git -C "$work/dist-git/$1.git" config uploadpack.allowFilter true
    git -C "$work/dist-git/$1.git" config uploadpack.allowAnySHA1InWant true
    git init -q -b f43 "$work/packages/$1"
    here=$work/packages/$1
    printf '# The %s package\n' "$1" >"$here/README.md"
    printf '/*.tar.gz\n' >"$here/.gitignore"
    : >"$here/sources"
}
push() { git -C "$here" push -q -f "$work/dist-git/${here##*/}.git" f43; }

# PACKAGE, FILE, made from a directory: a tar.gz whose bytes depend on nothing but what is in it.
into_lookaside() {
    local file=$2 sum
    tar -C "$3" --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        -cf - "${file%.tar.gz}" | gzip -n -9 >"$work/$file"
    sum=$(sha512sum "$work/$file" | cut -c1-128)
    mkdir -p "$work/lookaside/$1/$file/sha512/$sum"
    mv "$work/$file" "$work/lookaside/$1/$file/sha512/$sum/$file"
    printf 'SHA512 (%s) = %s\n' "$file" "$sum"
}

# Static release, sub-packages, conditionals: what most overlays of specs are for.
static_package() {
    package alder
    cat >"$here/alder.spec" <<'SPEC'
%bcond docs 1
%bcond rhel 0
%global feature 1

Name:           alder
Version:        1.4
Release:        5%{?dist}
Summary:        A tree of the water side
License:        MIT
URL:            https://alder.example.org/
Source0:        alder.conf
Source1:        alder.sysusers
%if %{with rhel}
Source2:        rhel.conf
%endif
Patch1:         alder-1.4-paths.patch
BuildRequires:  gcc
BuildRequires:  help2man
Recommends:     alder-extras

%description
A tree that likes its feet wet.

%package devel
Summary:        Headers of alder
Requires:       alder%{?_isa} = %{version}-%{release}
Recommends:     pkgconf

%description devel
Headers.

%package extras
Summary:        Cones

%description extras
Cones.

%prep
%setup -q -c -T

%build
%configure --enable-feature=%{feature}
make

%install
make install DESTDIR=%{buildroot}

%check
make check

%files
%license COPYING
%{_bindir}/alder

%files devel
%{_includedir}/alder.h

%if %{with docs}
%files extras
%{_datadir}/alder
%endif

%changelog
* Mon Feb 02 2026 Ann Author <ann@example.org> - 1.4-5
- Rebuilt
SPEC
    printf 'water = yes\n' >"$here/alder.conf"
    printf 'u alder - "Alder"\n' >"$here/alder.sysusers"
    printf 'rhel = yes\n' >"$here/rhel.conf"
    printf -- '--- a/paths\n+++ b/paths\n@@ -1 +1 @@\n-old\n+new\n' >"$here/alder-1.4-paths.patch"
    mkdir "$here/tests" && printf 'echo fine\n' >"$here/tests/run.sh"
    chmod 755 "$here/tests/run.sh"
    sed -i 's/^Release: .*/Release:        4%{?dist}/' "$here/alder.spec"
    commit "$here" 2026-01-05T10:00:00Z "Import alder 1.4"
    sed -i 's/^Release: .*/Release:        5%{?dist}/' "$here/alder.spec"
    commit "$here" 2026-02-02T10:00:00Z "Rebuilt"
    push
}

# %autorelease and %autochangelog over four commits and two versions.
auto_package() {
    package birch
    cat >"$here/birch.spec" <<'SPEC'
Name:           birch
Version:        1.0
Release:        %autorelease
Summary:        A white tree
License:        MIT
Source0:        birch.txt
Source1:        birch.sh
BuildArch:      noarch

%description
A white tree.

%files

%changelog
%autochangelog
SPEC
    printf 'white\n' >"$here/birch.txt"
    printf '#!/bin/sh\n' >"$here/birch.sh"
    chmod 755 "$here/birch.sh"
    commit "$here" 2026-01-02T09:00:00Z "Import birch 1.0"
    commit "$here" 2026-01-10T09:00:00Z "Rebuild for the new year"
    sed -i 's/^Version: .*/Version:        2.0/' "$here/birch.spec"
    commit "$here" 2026-02-01T09:00:00Z "Update to 2.0" "- Leaves at 100%"
    author 'Bo Packager' bo@example.org
    commit "$here" 2026-02-10T23:30:00Z "Do not list this" "[skip changelog]"
    author 'Ann Author' ann@example.org
    push
}

# A computed release, and an archive in the lookaside.
archive_package() {
    package cedar
    mkdir -p "$work/made/cedar-1.2/docs" "$work/made/cedar-data-3"
    printf 'wood = red\nwood = dark\n' >"$work/made/cedar-1.2/config"
    printf 'a test string of a virus scanner\n' >"$work/made/cedar-1.2/docs/eicar.txt"
    printf '#!/bin/sh\necho cedar\n' >"$work/made/cedar-1.2/run.sh"
    chmod 755 "$work/made/cedar-1.2/run.sh"
    ln -s run.sh "$work/made/cedar-1.2/start"
    printf 'data\n' >"$work/made/cedar-data-3/data"
    {
        into_lookaside cedar cedar-1.2.tar.gz "$work/made"
        into_lookaside cedar cedar-data-3.tar.gz "$work/made"
    } >"$here/sources"
    cat >"$here/cedar.spec" <<'SPEC'
%global baserelease 7
Name:           cedar
Version:        1.2
Release:        %{baserelease}.1%{?dist}
Summary:        A red tree
License:        MIT
Source0:        https://cedar.example.org/%{name}-%{version}.tar.gz
Source1:        https://cedar.example.org/cedar-data-3.tar.gz

%description
A red tree.

%prep
%autosetup

%files
SPEC
    commit "$here" 2026-01-20T08:00:00Z "Import cedar 1.2"
    printf '\n%%changelog\n' >>"$here/cedar.spec"
    commit "$here" 2026-01-21T08:00:00Z "Add a changelog"
    push
}

# Patches by %patchlist, and loose files.
patchlist_package() {
    package dogwood
    cat >"$here/dogwood.spec" <<'SPEC'
Name:           dogwood
Version:        3
Release:        1
Summary:        A tree that barks
License:        MIT
Source:         dogwood.ini
Source:         notes-%{version}.txt
Source:         dogwood.service

%patchlist
0001-first.patch
0002-second.patch

%description
A tree that barks.

%prep
%autosetup -c -T

%files
SPEC
    printf -- '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n+2\n' >"$here/0001-first.patch"
    printf -- '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-2\n+3\n' >"$here/0002-second.patch"
    printf 'bark = loud\nbark = loud\n' >"$here/dogwood.ini"
    printf 'notes of 3\n' >"$here/notes-3.txt"
    printf '[Service]\n' >"$here/dogwood.service"
    printf 'unused\n' >"$here/unused.txt"
    commit "$here" 2026-01-15T08:00:00Z "Import dogwood 3"
    commit "$here" 2026-01-16T08:00:00Z "Nothing of note"
    push
}

# A merge in its history that takes over what a branch of two commits has.
merge_package() {
    package elm
    printf '%s\n' 'Name: elm' 'Version: 1.0' 'Release: %autorelease' 'Summary: An elm' 'License: MIT' \
        '' '%description' 'An elm.' '' '%files' '' '%changelog' '%autochangelog' >"$here/elm.spec"
    commit "$here" 2026-01-01T10:00:00Z "Import elm 1.0"
    merge_branch one 2026-01-03T10:00:00Z 2026-01-04T10:00:00Z 2026-01-06T10:00:00Z
    printf 'after\n' >"$here/after"
    commit "$here" 2026-01-07T10:00:00Z "After the merge"
    push
}
# NAME, three dates
merge_branch() {
    git -C "$here" checkout -q -b "$1"
    printf '1\n' >"$here/$1.1"
    commit "$here" "$2" "Branch $1, first"
    printf '2\n' >"$here/$1.2"
    commit "$here" "$3" "Branch $1, second"
    git -C "$here" checkout -q f43
    GIT_AUTHOR_DATE=$4 GIT_COMMITTER_DATE=$4 git -C "$here" merge -q --no-ff -m "Merge branch $1" "$1"
}

# Its branch is rewritten later; upstream calls it otherwise than the project.
rewritten_package() {
    package fir
    printf '%s\n' 'Name: fir' 'Version: 9' 'Release: 2%{?dist}' 'Summary: A fir' 'License: MIT' \
        'Source0: needles.txt' '' '%description' 'A fir.' '' '%check' 'true' '' '%files' >"$here/fir.spec"
    printf 'needles\n' >"$here/needles.txt"
    commit "$here" 2026-01-07T10:00:00Z "Import fir 9"
    printf 'more needles\n' >"$here/needles.txt"
    commit "$here" 2026-02-07T10:00:00Z "More needles"
    push
}

author 'Ann Author' ann@example.org
static_package
auto_package
archive_package
patchlist_package
merge_package
rewritten_package
start_git_server
start_file_server

# ---- the project ---------------------------------------------------------------------------------
mkdir -p "$project/base/comps/cedar" "$project/base/comps/dogwood/overlays" "$project/base/comps/larch" \
    "$project/base/extra/maple" "$project/base/extra/old"
author 'Proj Lead' lead@example.net
git init -q "$project"
printf '/build/\n/out/\n' >"$project/.gitignore"
cat >"$project/azldev.toml" <<'EOT'
# The project of tests/components.
includes = ["distro.toml", "base/*.toml", "base/comps/**/*.comp.toml"]

[project]
description = "A project with a dist-git"
rendered-specs-dir = "specs"
default-distro = { name = "testlinux" }
EOT
write_distro() { # SNAPSHOT
    cat >"$project/distro.toml" <<EOT
[distros.testlinux]
default-version = "4.0"
[distros.testlinux.versions."4.0"]
release-ver = "4.0"
[distros.testlinux.versions."4.0".default-component-config.spec]
type = "upstream"
upstream-distro = { name = "fedora", version = "43", snapshot = "$1" }

[distros.fedora]
default-version = "43"
dist-git-base-uri = "git://127.0.0.1:$git_port/\$pkg.git"
lookaside-base-uri = "http://127.0.0.1:$file_port/\$pkg/\$filename/\$hashtype/\$hash/\$filename"
repos = [{ "base-uri" = "https://rpms.example.org/\$releasever" }] # nothing reads it
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
EOT
}
write_distro 2026-02-24T00:00:00-08:00
cat >"$project/base/components.toml" <<'EOT'
[component-groups.no-checks]
description = "Tests that need what a build does not have"
components = ["abies++"]
default-component-config.build.check = { skip = true, skip_reason = "needs a network" }

[component-groups.extra]
specs = ["extra/**/*.spec"]
excluded-paths = ["extra/old/**"]

[components.birch]
[components.elm]
build.emit-upstream-provenance = true

[components."abies++"]
spec = { upstream-name = "fir" }

[package-groups.core]
packages = ["alder", "larch"]
default-package-config.publish.rpm-channel = "core"

[default-package-config.publish]
rpm-channel = "rest"
srpm-channel = "sources"
EOT
# Spec overlays of every type; with, without and defines.
cat >"$project/base/comps/alder.comp.toml" <<'EOT'
[components.alder.build]
with = ["docs"]
without = ["tests"]
defines = { feature = "2", unneeded = "1" }
undefines = ["unneeded"]

[[components.alder.overlays]]
description = "Twice is allowed"
type = "spec-add-tag"
tag = "Summary"
value = "Another summary"

[[components.alder.overlays]]
type = "spec-insert-tag"
tag = "Source3"
value = "extra.conf"

[[components.alder.overlays]]
type = "spec-insert-tag"
tag = "Requires"
value = "alder-extras"
package = "devel"

[[components.alder.overlays]]
type = "spec-set-tag"
tag = "Vendor"
value = "Tests"

[[components.alder.overlays]]
type = "spec-update-tag"
tag = "url"
value = "https://alder.example.net/"

[[components.alder.overlays]]
type = "spec-remove-tag"
tag = "Recommends"
value = "PKGCONF"
package = "devel"

[[components.alder.overlays]]
type = "spec-prepend-lines"
section = "%build"
lines = ["# before the build", "export CFLAGS"]

[[components.alder.overlays]]
type = "spec-append-lines"
section = "%files"
package = "devel"
lines = ["%{_libdir}/alder.pc"]

[[components.alder.overlays]]
type = "spec-search-replace"
regex = '^make( check)?$'
replacement = "make -j1$1"

[[components.alder.overlays]]
type = "spec-remove-section"
section = "%check"

[[components.alder.overlays]]
type = "spec-remove-subpackage"
package = "extras"

[[components.alder.overlays]]
type = "file-add"
file = "extra.conf"
source = "alder-extra.conf"

[[components.alder.overlays]]
type = "patch-add"
source = "alder-build.patch"

[[components.alder.overlays]]
type = "spec-prepend-lines"
lines = ["# the top"]

[[components.alder.overlays]]
type = "spec-append-lines"
lines = ["# the bottom"]
EOT
printf 'extra = yes\n' >"$project/base/comps/alder-extra.conf"
chmod 755 "$project/base/comps/alder-extra.conf"
printf -- '--- a/Makefile\n+++ b/Makefile\n@@ -1 +1 @@\n-all:\n+all: lib\n' >"$project/base/comps/alder-build.patch"

# File overlays of every type, out of overlay documents.
cat >"$project/base/comps/dogwood/dogwood.comp.toml" <<'EOT'
[components.dogwood]
overlay-files = ["overlays/*.overlay.toml"]
overlays = [
  { type = "spec-update-tag", tag = "License", value = "MIT AND BSD-2-Clause" }, # inline ones come first
]
EOT
cat >"$project/base/comps/dogwood/overlays/0002-files.overlay.toml" <<'EOT'
[metadata]
category = "azl-compatibility"
upstream-status = "inapplicable"
bugs = [{ url = "https://bugs.example.org/7" }]

[[overlays]]
type = "file-prepend-lines"
file = "*.ini"
lines = ["# prepended", ""]

[[overlays]]
type = "file-search-replace"
file = "dogwood.ini"
regex = '(?m)^bark = loud$'
replacement = "bark = $0"

[[overlays]]
type = "file-rename"
file = "dogwood.s*"
replacement = "dogwood@.service"

[[overlays]]
type = "spec-search-replace"
regex = 'dogwood\.service'
replacement = "dogwood@.service"

[[overlays]]
type = "file-remove"
file = "unused.*"
EOT
cat >"$project/base/comps/dogwood/overlays/0001-patches.overlay.toml" <<'EOT'
[metadata]
category = "upstream-backport"
upstream-status = "upstreamed"
commits = [{ url = "https://git.example.org/c/1" }]

[[overlays]]
type = "patch-remove"
file = "0002-*.patch"

[[overlays]]
type = "patch-add"
source = "../fix.patch"
file = "0003-fix.patch"
EOT
printf -- '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-3\n+4\n' >"$project/base/comps/dogwood/fix.patch"

# What is inside an archive. The hash of the result is filled in by the test that checks it.
write_cedar() { # HASH
    cat >"$project/base/comps/cedar/cedar.comp.toml" <<EOT
[components.cedar]
release.calculation = "manual"

[[components.cedar.overlays]]
type = "file-remove"
archive = "cedar-1.2.tar.gz"
file = "docs/eicar.txt"

[[components.cedar.overlays]]
type = "file-search-replace"
archive = "cedar-1.2.tar.gz"
file = "config"
regex = "wood"
replacement = "timber"

[[components.cedar.source-files]]
filename = "cedar-1.2.tar.gz"
hash = "$1"
hash-type = "SHA512"
origin = { type = "overlay" }
replace-upstream = true
replace-reason = "a virus scanner stops it"

[[components.cedar.source-files]]
filename = "cedar-rings-1.tar.gz"
hash = "$rings_hash"
hash-type = "SHA256"
origin = { type = "download", uri = "http://127.0.0.1:$file_port/origin/cedar-rings-1.tar.gz" }
EOT
}
mkdir -p "$work/lookaside/origin" "$work/made/cedar-rings-1"
printf 'rings\n' >"$work/made/cedar-rings-1/rings"
tar -C "$work/made" --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX -cf - cedar-rings-1 | gzip -n -9 >"$work/lookaside/origin/cedar-rings-1.tar.gz"
rings_hash=$(sha256sum "$work/lookaside/origin/cedar-rings-1.tar.gz" | cut -c1-64)
write_cedar "$(printf '%0128d' 0)"

# Local specs: one declared, one found by its group, one excluded.
cat >"$project/base/comps/larch/larch.comp.toml" <<'EOT'
[components.larch.spec]
type = "local"
path = "larch.spec"
EOT
printf '%s\n' 'Name: larch' 'Version: 1' 'Release: 3%{?dist}' 'Summary: A larch' 'License: MIT' \
    'Source0: cone.txt' '' '%description' 'A larch.' '' '%files' '' '%changelog' \
    '* Mon Feb 02 2026 Proj Lead <lead@example.net> - 1-3' '- Written' >"$project/base/comps/larch/larch.spec"
printf 'a cone\n' >"$project/base/comps/larch/cone.txt"
printf 'not of the package\n' >"$project/base/comps/larch/NOTES"
printf '%s\n' 'Name: maple' 'Version: 2' 'Release: %autorelease' 'Summary: A maple' 'License: MIT' '' \
    '%description' 'A maple.' '' '%files' '' '%changelog' '%autochangelog' >"$project/base/extra/maple/maple.spec"
printf '%s\n' 'Name: old' 'Version: 1' >"$project/base/extra/old/old.spec"
# The wording of another tool, to show that it is a setting.
cat >"$project/base/wording.toml" <<'EOT'
[render]
macros-suffix = "azl.macros"
spec-header = ["# Header of {component}, line 1", "# Header, line 2"]
EOT
# Declarations are committed without locks first.
commit "$project" 2026-03-01T12:00:00Z "Declare components" || { not_ok "the project cannot be committed"; exit 1; }
