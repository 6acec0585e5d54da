#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The labels of the image `vm` that the test `line` built, one by one against setfiles(8), which has
# nothing to change. That nothing is denied while it boots is among the checks of `line` itself.
#   selinux.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
needs_line
raw=$work/distro/out/images/vm/vm.raw
[ -f "$raw" ] || skip "the test \`line\` has built no image here"
for each in setfiles getfattr setfattr partx; do
    command -v $each >/dev/null || skip "this machine has no $each"
done
[ "$(id -u)" = 0 ] || skip "to mount an image one has to be root"
at=$work/selinux
rm -rf "$at"
mkdir -p "$at/root"
trap 'umount "$at/root" 2>/dev/null; rm -rf "$at"' EXIT
cp --sparse=always "$raw" "$at/vm.raw"
start=$(partx -g -r -o START -n 2 "$at/vm.raw") || { not_ok "the image has no second partition"; exit 1; }
mount -o "loop,offset=$((start * 512))" "$at/vm.raw" "$at/root" 2>/dev/null || skip "this machine mounts no images"

contexts=$at/root/etc/selinux/targeted/contexts/files/file_contexts
[ -f "$contexts" ] || { not_ok "the image has no policy"; exit 1; }
differing() { setfiles -n -v -F -r "$at/root" "$contexts" "$at/root" 2>&1; }
same "setfiles would change no label" "" "$(differing)"
entries=$(find "$at/root" -xdev | wc -l)
labelled=$(getfattr -R -h -P --absolute-names -n security.selinux "$at/root" 2>/dev/null | grep -c '^security.selinux=')
[ "$entries" -gt 1000 ] && ok "$labelled of $entries entries have a label" || not_ok "only $entries entries"
setfattr -n security.selinux -v system_u:object_r:tmp_t:s0 "$at/root/usr/bin/bash"
grep -q '/usr/bin/bash' <<<"$(differing)" && ok "a wrong label is seen" || not_ok "a wrong label is not seen"
same "it is enforced from the first boot on" "SELINUX=enforcing" "$(grep '^SELINUX=' "$at/root/etc/selinux/config")"
all_ok
