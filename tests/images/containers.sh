#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The containers and the WSL distribution of distro/images, from what the test `line` published:
# built, built again under other settings, looked at and run by the tools of others.
#   containers.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
needs_line
export TARN_STORE=$line_store
scratch=$work/containers
rm -rf "$scratch"
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT
containers=(container-base container-distroless-minimal container-distroless-base container-distroless-debug)
images=$project/out/images
layout() { printf '%s/%s/%s.oci' "$images" "$1" "$1"; }
archive() { printf '%s/%s/%s.docker.tar' "$images" "$1" "$1"; }
digests() { (cd "$1" && find . -type f ! -name '.*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }
layers() { # DIRECTORY of a layout: digests, from the manifest
    grep -haoE '"mediaType":"application/vnd.oci.image.layer[^}]*' "$1"/blobs/sha256/* | grep -oE 'sha256:[0-9a-f]{64}'
}
without() { printf 'skipped: %s\n' "$1"; }

# ---- built, and small ----
for name in "${containers[@]}" wsl; do
    expect "$name is built" 0 "$name" tarn image build "$name" --force
done
expect "nothing changed, nothing built" 0 "unchanged" tarn image build container-base
compressed() { find "$(layout "$1")/blobs" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }'; }
at_most() { # what, bytes, limit
    [ "$2" -gt 0 ] && [ "$2" -le "$3" ] && ok "$1: $2 bytes, at most $3" || not_ok "$1: $2 bytes, at most $3"
}
at_most "container-base, compressed" "$(compressed container-base)" 45000000
at_most "container-distroless-minimal, compressed" "$(compressed container-distroless-minimal)" 8000000

# ---- the same bits under other settings: user, path, jobs, umask, locale, zone, and no layer kept ----
mkdir -p "$scratch/elsewhere"
copy_project "$scratch/elsewhere"
cp -al "$line_store" "$scratch/store"
rm -rf "$scratch/store/results/oci" "$scratch/store/results/image"
again() {
    (umask 077 && TARN_STORE=$scratch/store LC_ALL=C.UTF-8 TZ=Asia/Tokyo HOME=$scratch \
        "$tarn_program" -C "$scratch/elsewhere/distro" -j 1 image build "$1")
}
for name in "${containers[@]}" wsl; do
    out=$(again "$name" 2>&1) || not_ok "$name elsewhere" "$out"
    same "$name is the same elsewhere" "$(digests "$images/$name")" "$(digests "$scratch/elsewhere/distro/out/images/$name")"
done

# ---- one package more ----
cat >>"$scratch/elsewhere/distro/images/container.image.toml" <<'EOS'

[images.container-more]
base = "container-base"
packages = ["tree"]

[images.container-gzip]
base = "container-base"
container.compression = "gzip"

[images.container-wrong]
base = "container-base"
formats = ["raw"]

[images.container-shell]
base = "container-distroless-minimal"
packages = ["bash"]
EOS
printf '\n[images.wsl-wrong]\nbase = "wsl"\npackages = ["systemd-resolved"]\n' >>"$scratch/elsewhere/distro/images/wsl.image.toml"
out=$(again container-more 2>&1) || not_ok "container-more" "$out"
kept=$(comm -12 <(layers "$(layout container-base)" | sort) <(layers "$scratch/elsewhere/distro/out/images/container-more/container-more.oci" | sort) | wc -l)
all=$(layers "$(layout container-base)" | wc -l)
# Its bucket and the system's layer are new; every other layer is the same.
[ "$all" -gt 5 ] && [ "$kept" = $((all - 2)) ] && ok "one package more leaves $kept of $all layers" || not_ok "one package more leaves $kept of $all layers"

# ---- what cannot be ----
expect "a container is no disk" 2 'a container image is written as `oci`, `docker-archive`' again container-wrong
expect "a container does not boot" 2 'does not boot' tarn image boot container-base
expect "an assertion names the file and its package" 1 "usr/bin/bash" again container-shell
expect "a rule of WSL that is broken is cited" 1 "WSL-RESOLV" again wsl-wrong
[ ! -e "$scratch/elsewhere/distro/out/images/wsl-wrong/wsl-wrong.wsl" ] && ok "and nothing is written" || not_ok "a broken distribution was written"

# ---- skopeo ----
if command -v skopeo >/dev/null; then
    for name in "${containers[@]}"; do
        expect "skopeo inspects $name.oci" 0 '"Architecture": "amd64"' skopeo inspect "oci:$(layout "$name"):1.0"
        expect "skopeo inspects $name.docker.tar" 0 '"Architecture": "amd64"' skopeo inspect "docker-archive:$(archive "$name")"
    done
    expect "skopeo copies container-base" 0 "Writing manifest" skopeo copy "oci:$(layout container-base):1.0" "oci:$scratch/copy:1.0"
    same "and every layer keeps its digest" "$(layers "$(layout container-base)" | sort)" "$(layers "$scratch/copy" | sort)"
else
    without "skopeo is not installed"
fi

# ---- unpacked, and run ----
gunzip_root() { # NAME of an image in elsewhere -> a root file system
    umoci unpack --rootless --image "$scratch/elsewhere/distro/out/images/$1/$1.oci:1.0" "$scratch/$1" >/dev/null 2>&1
}
inside() { # ROOT COMMAND...
    local root=$1
    shift
    bwrap --unshare-all --die-with-parent --clearenv --setenv PATH /usr/bin:/usr/sbin --setenv LC_ALL C.UTF-8 --bind "$root" / \
        --proc /proc --dev /dev --tmpfs /run "$@"
}
if command -v umoci >/dev/null; then
    out=$(again container-gzip 2>&1) || not_ok "container-gzip" "$out"
    gunzip_root container-gzip && ok "umoci unpacks container-gzip" || not_ok "umoci unpacks container-gzip"
    root=$scratch/container-gzip/rootfs
    wanted=$(tarn image show container-base -O csv --quiet | tail -n +2 | wc -l)
    if command -v bwrap >/dev/null && inside "$root" /usr/bin/true 2>/dev/null; then
        expect "dnf5 runs in it" 0 "dnf5 version" inside "$root" dnf5 --version
        same "its rpm knows its packages" "$wanted" "$(inside "$root" rpm -qa | wc -l)"
        expect "its database is sound" 0 "" inside "$root" rpmdb --verifydb
        out=$(inside "$root" rpm -Va --noscripts --nomtime 2>&1 | grep -vE '^.{9}  [cdg] |^\.{5}[U.][G.]' | head -n 5)
        [ -z "$out" ] && ok "rpm -Va finds every file as its package has it" || not_ok "rpm -Va" "$out"
    else
        without "bwrap cannot make namespaces here"
    fi
    # Without a shell or rpm in it, from outside: the database scanners read.
    if command -v rpm >/dev/null; then
        same "rpm of this machine reads the database" "$wanted" "$(rpm --dbpath "$root/var/lib/rpm" -qa 2>/dev/null | wc -l)"
    fi
    if command -v crun >/dev/null; then
        cp "$scratch/container-gzip/config.json" "$scratch/config.json"
        out=$(cd "$scratch/container-gzip" && sed -i 's|"terminal": *true|"terminal": false|; s|"/bin/bash"|"/usr/bin/dnf5","--version"|' config.json &&
            crun --root "$scratch/crun" run "tarn-test-$$" 2>&1)
        if grep -q 'dnf5 version' <<<"$out"; then
            ok "crun runs it"
        else
            without "crun cannot run containers here: $(head -n 1 <<<"$out")"
        fi
    fi
else
    without "umoci is not installed"
fi

# ---- distroless: what is there, and what is not ----
for name in minimal base; do
    at=container-distroless-$name
    mkdir -p "$scratch/$at"
    for layer in $(layers "$(layout "$at")"); do
        zstd -dcq "$(layout "$at")/blobs/sha256/${layer#sha256:}" 2>/dev/null | tar -xf - -C "$scratch/$at" --no-same-owner 2>/dev/null
    done
    same "$at has no shell" "" "$(cd "$scratch/$at" && find . -name sh -o -name bash -o -name dash -o -name busybox)"
    grep -q '^ID=tarn$' "$scratch/$at/etc/os-release" && ok "$at says what it is" || not_ok "$at has no os-release"
    grep -q 'BEGIN CERTIFICATE' "$scratch/$at/etc/ssl/certs/ca-certificates.crt" && ok "$at has authorities" || not_ok "$at has no authorities"
    [ -s "$scratch/$at/usr/share/zoneinfo/Europe/Berlin" ] && ok "$at has time zones" || not_ok "$at has no time zones"
    grep -q '^nonroot:x:65532:65532:' "$scratch/$at/etc/passwd" && ok "$at has its user" || not_ok "$at has no user"
    if command -v rpm >/dev/null; then
        same "$at tells scanners its packages" "$(tarn image show "$at" -O csv --quiet | tail -n +2 | wc -l)" \
            "$(rpm --dbpath "$scratch/$at/var/lib/rpm" -qa 2>/dev/null | wc -l)"
    fi
done

# ---- WSL ----
wsl=$images/wsl/wsl.wsl
gzip -t "$wsl" && ok "wsl.wsl is gzip" || not_ok "wsl.wsl is not gzip"
listed=$(tar --numeric-owner -tzvf "$wsl" 2>&1) && ok "tar reads it" || not_ok "tar reads wsl.wsl" "$(tail -n 3 <<<"$listed")"
grep -qE '^-rw-r--r-- 0/0 .* etc/wsl-distribution.conf$' <<<"$listed" && ok "wsl-distribution.conf is root's, 0644" || not_ok "wsl-distribution.conf"
grep -qE ' (boot/vmlinuz|etc/resolv.conf)' <<<"$listed" && not_ok "a kernel or resolv.conf is in it" || ok "no kernel, no resolv.conf"
sum=$(sha256sum "$wsl" | cut -d' ' -f1)
grep -q "\"Sha256\": \"0x$sum\"" "$images/wsl/wsl.distribution.json" && ok "the list's entry has its digest" || not_ok "wsl.distribution.json"
mkdir -p "$scratch/wsl"
tar -xzf "$wsl" -C "$scratch/wsl" --no-same-owner 2>/dev/null
if command -v bwrap >/dev/null && inside "$scratch/wsl" /usr/bin/true 2>/dev/null; then
    # The first start, with somebody who first chooses a bad name.
    out=$(printf 'No Good\n\nada\nsecret\nsecret\n' | bwrap --unshare-all --uid 0 --gid 0 --cap-add ALL --die-with-parent --clearenv \
        --setenv PATH /usr/bin:/usr/sbin --bind "$scratch/wsl" / --proc /proc --dev /dev --tmpfs /run /usr/lib/wsl/oobe 2>&1)
    code=$?
    grep -q '^ada:x:1000:1000:' "$scratch/wsl/etc/passwd" && ok "the first start makes a user" || not_ok "the first start: exit $code" "$out"
else
    without "bwrap cannot make namespaces here"
fi
all_ok
