#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole line on real packages: lock, import, build, sign, publish, compose, boot. Needs a Debian
# mirror, namespaces and QEMU; without them it is skipped (exit 77) and says why. What it publishes
# is what the other tests in this directory start from.
#   line.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/common.sh"
export TARN_STORE=$line_store

mkdir -p "$work"
# The project as it is in the tree, in another place; its lock stays what it was unless it is stale.
rm -rf "$work/distro.new" "$work/guest" "$work/src"
mkdir -p "$work/distro.new"
(cd "$source/distro" && tar cf - --exclude=./out --exclude=./build --exclude=./keys .) | tar xf - -C "$work/distro.new"
for kept in out build keys; do
    [ -e "$work/distro/$kept" ] && mv "$work/distro/$kept" "$work/distro.new/$kept"
done
rm -rf "$work/distro" && mv "$work/distro.new" "$work/distro"
cp -r "$source/guest" "$work/guest"
mkdir -p "$work/src" && cp -r "$source/src/base" "$work/src/"
"$work/distro/upstream/make-dist-git" || { not_ok "the upstream's dist-git"; exit 1; }

doctor=$(tarn doctor -O csv 2>&1)
if lacking=$(grep -E '^(bwrap|sandbox|qemu-system-x86_64|firmware|archive keys|mirror),lacking' <<<"$doctor"); then
    skip "this machine lacks something:
$lacking"
fi
expect "an unreachable mirror says what to do" 1 "--mirror" tarn --mirror http://127.0.0.1:9/debian lock
out=$(tarn lock 2>&1) || { grep -q 'cannot reach' <<<"$out" && skip "no Debian mirror: $out"; not_ok "lock" "$out"; exit 1; }
ok "lock"

if [ ! -e "$work/distro/keys" ]; then
    expect "publishing without a key says how to make one" 1 "tarn key new" tarn repo publish
fi
tarn key new --if-missing --quiet >/dev/null || not_ok "key new"
tarn key new --secure-boot --if-missing --quiet >/dev/null || not_ok "key new --secure-boot"
[ "$(stat -c %a "$work"/distro/keys/tarn.key)" = 600 ] && ok "the private key is 0600" || not_ok "mode of the private key"
expect "publish" 0 "SNAPSHOT" tarn repo publish
expect "publish again changes nothing" 0 "unchanged" tarn repo publish

repo=$(readlink -f "$work/distro/out/repo/current")
keyring=$(mktemp -d)
trap 'rm -rf "$keyring"' EXIT
rpmkeys --dbpath "$keyring" --import "$work/distro/keys/tarn.asc"
if checked=$(find "$repo/Packages" -name '*.rpm' -print0 | xargs -0 rpmkeys --dbpath "$keyring" --define '_pkgverify_level all' --checksig 2>&1) &&
    ! grep -v 'digests signatures OK$' <<<"$checked" | grep -q .; then
    ok "rpm accepts all $(wc -l <<<"$checked") packages"
else
    not_ok "rpmkeys --checksig" "$(grep -v 'OK$' <<<"$checked" | head)"
fi
package=$(find "$repo/Packages" -name 'jq-[0-9]*.rpm')
size=$(stat -c %s "$package")
for at in 200 $((size / 3)) $((size / 2)) $((size - 5)); do
    cp "$package" "$keyring/altered.rpm"
    byte=$(od -An -tu1 -j "$at" -N1 "$keyring/altered.rpm")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$keyring/altered.rpm" bs=1 seek="$at" conv=notrunc status=none
    if rpmkeys --dbpath "$keyring" --define '_pkgverify_level all' --checksig "$keyring/altered.rpm" >/dev/null 2>&1; then
        not_ok "a flipped byte at $at of $size is accepted"
    fi
done
ok "rpm refuses flipped bytes"
expect "rpm reads what is required" 0 "libonig.so" rpm -qp --requires "$package"

mkdir -p "$work/distro/components/broken"
printf '[components.broken]\nspec = { type = "local", path = "broken.spec" }\n' >"$work/distro/components/broken/broken.comp.toml"
cat >"$work/distro/components/broken/broken.spec" <<'EOF'
Name: broken
Version: 1
Release: 1
Summary: Fails
License: MIT
%description
Fails.
%build
echo the reason it fails
exit 7
EOF
expect "a failing build shows section, log and sandbox" 1 "tarn component shell broken" tarn component build broken
expect "its log is kept" 0 "the reason it fails" tarn component log broken
expect "its sandbox can be entered" 0 "broken.spec" bash -c \
    "echo 'ls /build/SPECS; exit 0' | '$tarn_program' -C '$work/distro' component shell broken"
rm -rf "$work/distro/components/broken"

expect "a mistyped image is recognised" 2 'did you mean `vm`?' tarn image build vn
expect "image" 0 "vm.raw" tarn image build vm
images=$work/distro/out/images/vm
first=$(sha256sum <"$images/vm.raw")
expect "image again changes nothing" 0 "unchanged" tarn image build vm
for pause in 0.3 1 2; do
    (timeout -s KILL "$pause" "$tarn_program" -C "$work/distro" image build vm --force; true) >/dev/null 2>&1
    [ "$(sha256sum <"$images/vm.raw")" = "$first" ] || not_ok "killed after $pause s: the image is not what it was"
done
ok "killed while composing, the image stays what it was"
timeout --preserve-status -s INT 1 "$tarn_program" -C "$work/distro" image build vm --force >/dev/null 2>"$work/interrupt.log"
code=$?
[ "$code" = 130 ] && grep -q interrupted "$work/interrupt.log" && ok "interrupted, it says so" ||
    not_ok "SIGINT: exit $code" "$(cat "$work/interrupt.log")"
expect "after all that the same command completes" 0 "built" tarn image build vm --force
[ "$(sha256sum <"$images/vm.raw")" = "$first" ] && ok "and gives the same image" || not_ok "the image changed"

# A full disk: a small file system over the place of the images, in a namespace of its own.
if unshare -rm true 2>/dev/null; then
    export tarn_program work images
    # shellcheck disable=SC2016
    expect "a full disk says so" 1 "free space there" unshare -rm bash -c \
        'mount -t tmpfs -o size=64m tmpfs "$(dirname "$images")" && "$tarn_program" -C "$work/distro" image build vm --force'
    [ "$(sha256sum <"$images/vm.raw")" = "$first" ] && ok "and the image stays what it was" || not_ok "the image changed"
else
    echo "skipped: a full disk (no user namespaces here)"
fi

# The same project elsewhere, one job, another umask: the same bits.
rm -rf "$work/elsewhere"
mkdir -p "$work/elsewhere"
(cd "$work" && tar cf - --exclude=distro/out --exclude=distro/build distro guest src) | tar xf - -C "$work/elsewhere"
(umask 077 && TZ=Asia/Tokyo LC_ALL=C "$tarn_program" -C "$work/elsewhere/distro" -j 1 image build vm --force >/dev/null) ||
    not_ok "image in another directory"
for format in raw vhd; do
    cmp "$images/vm.$format" "$work/elsewhere/distro/out/images/vm/vm.$format" && ok "vm.$format is bit-identical elsewhere" || not_ok "vm.$format differs"
done
rm -rf "$work/elsewhere"

out=$(tarn image boot vm --test -O csv 2>&1)
code=$?
printf '%s\n' "$out"
[ "$code" = 0 ] && ok "boot" || not_ok "boot test"
expect "the store is sound" 0 "sound" tarn store verify
all_ok
