#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The figures of the images of distro/, measured on this machine and as medians of RUNS (5) runs of the whole program:
#   bench/images.sh [TARN]
# Works in a copy of the project, with a copy of its store in hard links. Run it on a quiet machine, after quickstart.
# With docker-registry and mmdebstrap installed, pulling is compared with Debian's own small container.
set -euo pipefail
cd "$(dirname "$0")/.."
tarn=$(readlink -f "${1:-build/tarn}")
runs=${RUNS:-5}
store=${TARN_STORE:-$HOME/.cache/tarn/store}
work=$(mktemp -d "$(dirname "$store")/bench.XXXXXX")
registry=
trap '[ -z "$registry" ] || kill "$registry"; rm -rf "$work"' EXIT
tar cf - --exclude=distro/out/images distro guest src/base | tar xf - -C "$work"
cp -al "$store" "$work/store"
export TARN_STORE=$work/store
run() { "$tarn" -C "$work/distro" "$@"; }
build() { run image build "$@"; }
images=$work/distro/out/images

. bench/figures.sh
bytes() { find "$@" -type f -printf '%s\n' | awk '{ s += $1 } END { printf "%.1f MB\n", s / 1e6 }'; }
on_disk() { du -B1 "$1" | awk '{ printf "%.1f MB\n", $1 / 1e6 }'; }

# ---- machines ----
edit() { # a published package of the image changes
    echo "# $RANDOM$RANDOM" >>"$work/distro/components/tarn-presets/tarn-presets.spec"
    run repo publish
}
cold() { # what packages are made into is kept, what images are made of is not
    rm -rf "$TARN_STORE"/results/{exec,image,oci,payload}
    run repo publish
}
for name in vm edge; do
    build "$name" >/dev/null 2>&1
    figure "$name, warm" build "$name" --force
    figure "$name, nothing changed" build "$name"
    row "$name.raw on disk" "$(on_disk "$images/$name/$name.raw")"
done
before=edit figure "vm, one package changed" build vm
runs=1 before=cold figure "vm, no trees in the store, one run" build vm --force
row "memory of tarn, building vm" "$({ command time -f '%M' "$tarn" -C "$work/distro" image build vm --force >/dev/null 2>&1; } 2>&1 |
    tail -n 1) KiB"

# ---- containers and WSL ----
for name in container-base container-distroless-minimal container-distroless-base container-distroless-debug wsl; do
    build "$name" >/dev/null 2>&1
    figure "$name, warm" build "$name" --force
    figure "$name, nothing changed" build "$name"
done
for name in container-base container-distroless-minimal container-distroless-base container-distroless-debug; do
    row "$name, compressed" "$(bytes "$images/$name/$name.oci/blobs")"
done
row "wsl.wsl" "$(bytes "$images/wsl/wsl.wsl")"

# ---- pulling, against the same content as Debian's small container in one gzip layer ----
for program in docker-registry mmdebstrap skopeo; do
    command -v "$program" >/dev/null || { row "pulling: left out, there is no $program" ""; exit 0; }
done
cat >"$work/registry.yml" <<EOF
version: 0.1
storage: { filesystem: { rootdirectory: $work/registry } }
http: { addr: "127.0.0.1:5127" }
EOF
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
sleep 1
mkdir -p "$work/debian"
mmdebstrap --variant=minbase --quiet --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' trixie "$work/debian/root.tar" \
    "$(apt-get indextargets --format '$(REPO_URI)' | head -n 1)"
rm -rf "$work/debian.oci"
umoci init --layout "$work/debian.oci" && umoci new --image "$work/debian.oci:slim"
umoci raw add-layer --image "$work/debian.oci:slim" "$work/debian/root.tar"
push() { skopeo copy -q --dest-tls-verify=false "oci:$1" "docker://127.0.0.1:5127/$2:1"; }
push "$work/debian.oci:slim" debian
push "$images/container-base/container-base.oci:1.0" tarn
forget() { rm -rf "$work/pulled"; }
pull() { skopeo copy -q --src-tls-verify=false "docker://127.0.0.1:5127/$1:1" "oci:$work/pulled:1"; }
row "debian:trixie-slim's content, compressed" "$(bytes "$work/debian.oci/blobs")"
before=forget figure "pull of debian:trixie-slim's content" pull debian
before=forget figure "pull of container-base" pull tarn
