#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many guests and one emulated platform, on this machine:
#   bench/guest.sh [BUILD_DIRECTORY]      (COUNT=200 guests, JOBS=16 of them at once)
# Each guest is the directory of a machine's files and an address of its own in the emulator's namespace,
# provisioned by tarn-provision; none of them may fail. Then again with half of all requests failing: each must
# be ready or have told that it failed. Run it on a quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(readlink -f "${1:-build}")
tarn=$build/tarn provision=$build/guest/tarn-provision
count=${COUNT:-200} jobs=${JOBS:-16}
skip() { printf 'skipped: %s\n' "$1"; exit 77; }
[ "$(id -u)" = 0 ] || skip "machines' files belong to many: run it as root"
unshare -n true 2>/dev/null || skip "no network namespace can be made here"
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
export NO_COLOR=1
row() { printf '%-52s %s\n' "$1" "$2"; }

# What a machine has before its first boot.
template() {
    local root=$work/template
    mkdir -p "$root"/{dev,etc/ssh,etc/skel,etc/sudoers.d,home,proc,root,run/systemd/netif/leases,tmp,usr,var/lib} \
        "$root"/sys/{class/dmi/id,class/block/sr0,firmware/efi}
    printf 'root:x:0:0:root:/root:/bin/bash\n' >"$root/etc/passwd"
    printf 'root:!*:20000::::::\n' >"$root/etc/shadow"
    printf 'root:x:0:\nwheel:x:10:\n' >"$root/etc/group"
    printf 'root:::\nwheel:::\n' >"$root/etc/gshadow"
    printf 'UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\n' >"$root/etc/login.defs"
    printf '7783-7084-3265-9085-8269-3286-77\n' >"$root/sys/class/dmi/id/chassis_asset_tag"
    printf '8\n' >"$root/sys/class/block/sr0/size"
    printf 'root=/dev/vda2\n' >"$root/proc/cmdline"
    printf 'btime 1000\n' >"$root/proc/stat"
    mkdir "$root/usr/bin"
    : >"$root/etc/machine-id"
}

serve() { # more arguments: the emulator; its process is $inside
    "$tarn" vm metadata "$@" >"$work/events" 2>"$work/talk" &
    server=$!
    for _ in $(seq 300); do
        inside=$(sed -n 's/.*"listening","process":\([0-9]*\).*/\1/p' "$work/events")
        [ -z "$inside" ] || return 0
        sleep 0.1
    done
    cat "$work/talk" >&2
    exit 1
}

ask() { # path of the emulator's own
    nsenter -t "$inside" -n bash -c 'exec 3<>/dev/tcp/127.0.0.1/8169
        printf "GET %s HTTP/1.1\r\nConnection: close\r\n\r\n" "$1" >&3
        sed "1,/^\r$/d" <&3' ask "$1"
}

guest() { # number: one boot of one guest
    local root=$work/guests/$1 address=10.7.$(($1 / 256)).$(($1 % 256)) stage
    for stage in early network workload; do
        "$provision" "$stage" --root "$root" --no-dhcp --source "$address" --timeout "$timeout" ||
            return 1
    done
}
export -f guest
export work provision timeout

boot_all() { # what
    local begun ended code=0
    begun=$(date +%s.%N)
    seq "$count" | nsenter -t "$inside" -n \
        xargs -P "$jobs" -I{} bash -c 'guest {} >"$work/log.{}" 2>&1 || echo {} >>"$work/failed"' || code=$?
    ended=$(date +%s.%N)
    [ "$code" = 0 ] || exit 1
    row "$1, $jobs at once" "$(LC_ALL=C awk -v a="$begun" -v b="$ended" 'BEGIN { printf "%.1f s", b - a }')"
}

make_guests() {
    rm -rf "$work/guests" "$work/failed"
    mkdir "$work/guests"
    local i id
    for ((i = 1; i <= count; i++)); do
        cp -a "$work/template" "$work/guests/$i"
        "$tarn" vm metadata "$@" --write-media "$work/guests/$i/dev/sr0" --instance "node-$i"
        id=$(ask "/emulator/instances/node-$i" | sed -n 's/.*"vm-id":"\([^"]*\)".*/\1/p')
        printf '%s\n' "$id" >"$work/guests/$i/sys/class/dmi/id/product_uuid"
    done
}

template
timeout=60
declared="count = $count
subnet = \"10.7.0.0/16\""
printf '[generate]\n%s\n' "$declared" >"$work/fine.toml"
serve --scenario "$work/fine.toml"
make_guests --scenario "$work/fine.toml"
boot_all "$count guests provisioned"
totals=$(ask /emulator/instances)
row "reported" "$totals"
grep -q "\"ready\":$count," <<<"$totals" && [ ! -e "$work/failed" ] || {
    echo "not every guest is ready: $(head -n 1 "$work/failed" 2>/dev/null)" >&2
    tail -n 5 "$work/log.$(head -n 1 "$work/failed" 2>/dev/null || echo 1)" >&2
    exit 1
}
kill "$server"
wait "$server" || true

cat >"$work/half.toml" <<EOF
[generate]
$declared
[[faults]]
path = "/**"
percent = 30
status = 500
[[faults]]
path = "/**"
percent = 20
drop = true
[[faults]]
path = "/**"
percent = 10
cut-after = 60
EOF
serve --scenario "$work/half.toml"
make_guests --scenario "$work/half.toml"
boot_all "$count guests, half of all requests fail"
totals=$(ask /emulator/instances)
row "reported" "$totals"
grep -q '"silent":0}' <<<"$totals" || { echo "some guests told nothing" >&2; exit 1; }
