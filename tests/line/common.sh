# SPDX-License-Identifier: MIT
# What the tests of the whole line share. Sourced, with TARN SOURCE_DIR WORK_DIR as arguments: the
# program, the source tree, and the directory all of them work in.
# shellcheck shell=bash
set -u
tarn_program=$1 source=$2 work=$3
export NO_COLOR=1
line_store=$work/store
. "$source/tests/report.sh"
project=$work/distro
tarn() { "$tarn_program" -C "$project" "$@"; }

# The tests after `line` use what it leaves behind; without it there is nothing to test.
needs_line() {
    [ -e "$work/distro/out/repo/current/repodata/repomd.xml" ] || skip "the test \`line\` has published nothing here"
}

# DIRECTORY: the project of `line` with its key and lock, without anything built.
copy_project() {
    rm -rf "$1"
    mkdir -p "$1"
    (cd "$work" && tar cf - --exclude=distro/out --exclude=distro/build distro guest src) | tar xf - -C "$1"
}

# DIRECTORY: a store that holds what the lock names and nothing made from it.
store_of_downloads() {
    local hash at
    for hash in $(grep -oE '[0-9a-f]{64}' "$work/distro/locks/debian.lock" | sort -u); do
        at=blobs/${hash:0:2}
        if [ -f "$line_store/$at/$hash" ]; then
            mkdir -p "$1/$at"
            ln "$line_store/$at/$hash" "$1/$at/$hash" 2>/dev/null || cp -p "$line_store/$at/$hash" "$1/$at/$hash"
        fi
    done
}

# DIRECTORY of a repository: every file of the snapshot with its digest.
repository_digests() { (cd "$1/current/" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }
