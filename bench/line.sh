#!/usr/bin/env bash
# The figures of the line, measured on this machine: bench/line.sh [TARN]
# Import with all signatures from a warm download cache, composing the image from a warm store,
# nothing changed. Run it on a quiet machine; it needs what ./quickstart needs, and no boot.
set -euo pipefail
cd "$(dirname "$0")/.."
tarn=$(readlink -f "${1:-build/tarn}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store=${TARN_STORE:-$HOME/.cache/tarn/store}

mkdir -p "$work/store"
cp -r guest "$work/guest"
mkdir "$work/src" && cp -r src/base "$work/src/"
(tar cf - --exclude=distro/out --exclude=distro/build distro) | tar xf - -C "$work"
"$work/distro/upstream/make-dist-git"
# The download cache: the files the lock names, and nothing made of them.
grep -oE '"sha256": *"[0-9a-f]{64}"|[0-9a-f]{64}/[0-9]+' "$work/distro/locks/debian.lock" | grep -oE '[0-9a-f]{64}' | sort -u |
    while read -r hex; do
        if [ -f "$store/blobs/${hex:0:2}/$hex" ]; then
            mkdir -p "$work/store/blobs/${hex:0:2}"
            cp -a "$store/blobs/${hex:0:2}/$hex" "$work/store/blobs/${hex:0:2}/"
        fi
    done
export TARN_STORE=$work/store
run() { "$tarn" -C "$work/distro" "$@"; }
figure() { printf '%-44s %s\n' "$1" "$2"; }
seconds() { # command... -> wall and user+system seconds
    local TIMEFORMAT='%R s wall, %U s user, %S s system'
    { time "$@" >/dev/null 2>"$work/log"; } 2>&1
}
run key new --if-missing --quiet >/dev/null
run key new --secure-boot --if-missing --quiet >/dev/null

figure "first: import, build, sign, publish" "$(seconds run repo publish -v)"
grep -E '^  (download|import|build|sign|publish) ' "$work/log" | sed 's/^/    /'
figure "publish, nothing changed" "$(seconds run repo publish)"
figure "image, first (cold trees and triggers)" "$(seconds run image build vm)"
for _ in 1 2 3; do
    figure "image --force, store warm" "$(seconds run image build vm --force -v)"
done
sed -n 's/^    //p' "$work/log"
figure "image, nothing changed" "$(seconds run image build vm)"
figure "packages in the image" "$(run image show vm -O csv --quiet | tail -n +2 | wc -l)"
figure "files of the image, bytes" "$(run image list -O csv --quiet | awk -F, '$1 == "vm" { print $(NF-2) }')"
figure "raw on disk, kB" "$(du -k "$work/distro/out/images/vm/vm.raw" | cut -f1)"
