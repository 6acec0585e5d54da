#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The store's disk fills up, first while packages are downloaded, then while they are imported: the
# error says so, what is there stays sound, and with room the same command completes with the same
# results. The mirror is a directory made of what `line` has downloaded.
#   full_disk.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/common.sh"
needs_line
unshare -rm true 2>/dev/null || skip "no user namespaces here"
here=$work/full
export project=$here/distro here tarn_program
rm -rf "$here"
copy_project "$here"
mkdir -p "$here/store" "$here/kept"

# "pool/main/a/audit/auditd_4.1.2_amd64.deb", digest "<sha256>/<size>": one file a line of the lock.
while read -r path hash; do
    mkdir -p "$here/mirror/$(dirname "$path")"
    ln -s "$line_store/blobs/${hash:0:2}/$hash" "$here/mirror/$path"
done < <(sed -nE 's/.*"path": "([^"]+)", "digest": "([0-9a-f]{64})\/.*/\1 \2/p' "$work/distro/locks/debian.lock")
bytes=$(find -L "$here/mirror" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')

# MEGABYTES: the command on a store that lies on a disk of this size, with what was there before and
# what was there after in $here/kept.
on_a_small_disk() {
    export megabytes=$1
    # shellcheck disable=SC2016
    unshare -rm bash -c '
        mount -t tmpfs -o "size=${megabytes}m" tmpfs "$here/store" && cp -a "$here/kept/." "$here/store/" || exit 99
        "$tarn_program" -C "$project" --store "$here/store" component build tarn-presets --mirror "file://$here/mirror"
        code=$?
        rm -rf "$here/kept" && cp -a "$here/store" "$here/kept" || exit 99
        exit $code'
}
kept() { find "$here/kept/$1" -type f 2>/dev/null | wc -l; }
sound() { expect "$1" 0 sound "$tarn_program" -C "$project" --store "$here/kept" store verify; }

expect "a disk that fills up while packages are downloaded" 1 "free some space" on_a_small_disk $((bytes * 6 / 10 >> 20))
downloaded=$(kept blobs)
[ "$downloaded" -gt 20 ] && [ "$(kept results)" = 0 ] && ok "what came is kept: $downloaded files" ||
    not_ok "$downloaded files came and $(kept results) results were made before the disk was full"
sound "the store is sound after that"

expect "a disk that fills up while packages are imported" 1 "free some space" on_a_small_disk $(((bytes >> 20) + 150))
imported=$(kept results/import)
[ "$imported" -gt 0 ] && ok "what was imported is kept: $imported results" || not_ok "nothing was imported before the disk was full"
[ "$(kept results/build)" = 0 ] && ok "nothing was built" || not_ok "something was built on a full disk"
sound "the store is sound after that too"

expect "with room the same command completes" 0 tarn-presets \
    "$tarn_program" -C "$project" --store "$here/kept" component build tarn-presets --mirror "file://$here/mirror"
import_results() { (cd "$1/results/import" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }
# `line` may have imported with other rules before: what is here has to be there.
same "every package is what it is undisturbed" "" \
    "$(comm -23 <(import_results "$here/kept" | sort) <(import_results "$line_store" | sort))"
sound "the store is sound at the end"
all_ok && rm -rf "$here"
all_ok
