#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The other architecture, composed on this one: imported, cross built and published beside what the test
# `line` published, an image of it looked at by the tools of others. No program of it is run.
#   aarch64.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
needs_line
[ "$(uname -m)" = x86_64 ] || skip "this machine is no x86_64"
export TARN_STORE=$line_store
scratch=$work/aarch64
rm -rf "$scratch"
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT
name=container-distroless-base
image=$project/out/aarch64/images/$name

out=$(tarn lock --arch aarch64 2>&1) ||
    { grep -q 'cannot reach' <<<"$out" && skip "no Debian mirror: $out"; not_ok "lock" "$out"; exit 1; }
ok "aarch64 is locked"
expect "an image of it is built" 0 "$name for aarch64" tarn image build --arch aarch64 "$name"
expect "and stays" 0 "unchanged" tarn image build --arch aarch64 "$name"
expect "every file of it is explained" 0 "all as they should be" tarn image verify --arch aarch64 "$name"
expect "the other one lies where it lay" 0 "out/images/$name/" tarn image build "$name" --force

if command -v skopeo >/dev/null; then
    expect "skopeo sees arm64" 0 '"Architecture": "arm64"' skopeo inspect "oci:$image/$name.oci:1.0"
else
    printf 'skipped: skopeo is not installed here\n'
fi
mkdir -p "$scratch/archive" "$scratch/root"
tar -xf "$image/$name.docker.tar" -C "$scratch/archive"
for layer in $(grep -oE '"blobs/sha256/[0-9a-f]{64}"' "$scratch/archive/manifest.json" | tr -d '"'); do
    tar -xf "$scratch/archive/$layer" -C "$scratch/root" --no-same-owner 2>/dev/null  # the first is no layer
done
kinds=$(find "$scratch/root" -type f -exec file -b {} + | grep '^ELF')
native=$(grep -c 'ARM aarch64' <<<"$kinds")
foreign=$(grep -vc 'ARM aarch64' <<<"$kinds")
[ "$foreign" = 0 ] && [ "$native" -gt 5 ] && ok "all $native programs and libraries are aarch64" ||
    not_ok "$foreign of another architecture, $native of aarch64"
expect "its ld.so.cache is one to ldconfig" 0 'libc.so.6 (libc6,AArch64) => /' /sbin/ldconfig -p -C "$scratch/root/etc/ld.so.cache"
expect "an architecture nobody imports is refused" 2 "riscv64" tarn image build --arch riscv64 "$name"
all_ok
